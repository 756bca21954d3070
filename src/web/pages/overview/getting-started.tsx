import { Button } from '@mantine/core'
import Check from 'lucide-react/icons/check'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { MOVING } from '../../api/use-run.ts'
import { HOME } from '../../app/paths.ts'
import { commonMessages } from '../../components/messages.ts'
import { Section } from '../../components/section.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { isGoodSync } from '../../runs/progress.ts'
import { StartSync } from '../../runs/start-sync.tsx'
import classes from './getting-started.module.css'
import { overviewMessages } from './messages.ts'

export const isScheduled = ({ modules }: ZohoSettings): boolean =>
  modules.some(({ schedule, full_schedule }) => schedule !== null || full_schedule !== null)

interface GettingStartedProps {
  settings: ZohoSettings
  runs: Run[]
  /** Absent while there is more to do than a schedule. */
  onDismiss?: () => void
}

/**
 * The way of a new operator, step by step; what is done is ticked, and only the step at hand has a
 * button.
 */
export function GettingStarted({ settings, runs, onDismiss }: GettingStartedProps) {
  const m = useMessages(overviewMessages)
  const common = useMessages(commonMessages)
  const connected = settings.connection.state !== 'not_set_up'
  const inventory = settings.modules.find(({ slug }) => slug === 'inventory')
  // The module knows its last sync however many other runs came since.
  const synced = runs.some(isGoodSync) || (inventory !== undefined && inventory.last_sync !== null)
  const scheduled = isScheduled(settings)
  // A second sync would be refused while one is under way: it is watched instead.
  const syncing = runs.find(({ kind, state }) => kind === 'items' && (MOVING.has(state) || state === 'paused'))
  const steps: { title: string; titleDone: string; text: string; done: boolean; action: ReactNode }[] = [
    {
      title: m.begin1,
      titleDone: m.begin1Done,
      text: m.begin1Text,
      done: connected,
      action: (
        <Button component={Link} href={`${HOME}/connection?tab=credentials`}>
          {m.begin1Do}
        </Button>
      ),
    },
    {
      title: m.begin2,
      titleDone: m.begin2Done,
      text: m.begin2Text,
      done: synced,
      action: syncing ? (
        <Button component={Link} href={`${HOME}/runs/${syncing.id}`}>
          {m.watch}
        </Button>
      ) : (
        <StartSync />
      ),
    },
    {
      title: m.begin3,
      titleDone: m.begin3Done,
      text: m.begin3Text,
      done: scheduled,
      action: (
        <Button component={Link} href={`${HOME}/modules`}>
          {m.begin3Do}
        </Button>
      ),
    },
  ]
  const current = steps.findIndex(({ done }) => !done)
  return (
    <Section
      title={m.beginTitle}
      actions={
        onDismiss && (
          <Button size="compact-sm" variant="subtle" color="gray" onClick={onDismiss}>
            {common.dismiss}
          </Button>
        )
      }
    >
      <ol className={classes.steps}>
        {steps.map((step, index) => (
          <Step key={step.title} {...step} number={index + 1} current={index === current} doneWord={m.done} />
        ))}
      </ol>
    </Section>
  )
}

function Step({
  title,
  titleDone,
  text,
  done,
  action,
  number,
  current,
  doneWord,
}: {
  title: string
  titleDone: string
  text: string
  done: boolean
  action: ReactNode
  number: number
  current: boolean
  doneWord: string
}) {
  const format = useFormat()
  return (
    <li className={classes.step} data-done={done || undefined} aria-current={current ? 'step' : undefined}>
      <span className={classes.mark}>{done ? <Check size={15} aria-label={doneWord} /> : format.number(number)}</span>
      <div className={classes.words}>
        <p className={classes.title}>{done ? titleDone : title}</p>
        {!done && <p className={classes.text}>{text}</p>}
      </div>
      {current && action}
    </li>
  )
}
