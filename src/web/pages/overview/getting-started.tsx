import { Button } from '@mantine/core'
import Check from 'lucide-react/icons/check'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import type { ZohoSettings } from '../../../schemas/zoho-settings.ts'
import { HOME } from '../../app/paths.ts'
import { Section } from '../../components/section.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { isGoodSync } from '../../runs/progress.ts'
import { StartSync } from '../../runs/start-sync.tsx'
import classes from './getting-started.module.css'
import { overviewMessages } from './messages.ts'

/**
 * The way of a new operator, step by step; what is done is ticked, and only the step at hand has a
 * button.
 */
export function GettingStarted({ settings, runs }: { settings: ZohoSettings; runs: Run[] }) {
  const m = useMessages(overviewMessages)
  const connected = settings.connection.state !== 'not_set_up'
  const synced = runs.some(isGoodSync)
  const scheduled = settings.modules.some(({ schedule, full_schedule }) => schedule !== null || full_schedule !== null)
  const steps: { title: string; text: string; done: boolean; action: ReactNode }[] = [
    {
      title: m.begin1,
      text: m.begin1Text,
      done: connected,
      action: (
        <Button component={Link} href={`${HOME}/connection`}>
          {m.begin1Do}
        </Button>
      ),
    },
    { title: m.begin2, text: m.begin2Text, done: synced, action: <StartSync /> },
    {
      title: m.begin3,
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
    <Section title={m.beginTitle}>
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
  text,
  done,
  action,
  number,
  current,
  doneWord,
}: {
  title: string
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
        <p className={classes.title}>{title}</p>
        <p className={classes.text}>{text}</p>
      </div>
      {current && action}
    </li>
  )
}
