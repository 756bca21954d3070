import { Button } from '@mantine/core'
import { Link } from 'wouter'
import { MOVING, useRun } from '../api/use-run.ts'
import { HOME } from '../app/paths.ts'
import { ErrorCard } from '../components/error-card.tsx'
import { Section } from '../components/section.tsx'
import { ServerText } from '../components/server-text.tsx'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { LiveProgress } from './live-progress.tsx'
import { RunBadge } from './run-badge.tsx'
import { useRunLabels } from './run-labels.ts'
import classes from './run-strip.module.css'

const messages = defineMessages({ open: 'View run' }, { open: 'عرض التشغيل' })

/**
 * A run that was started from this page, followed in place: its progress while it moves, then how
 * it ended.
 */
export function RunStrip({ id }: { id: string }) {
  const m = useMessages(messages)
  const words = useRunLabels()
  const query = useRun(id)
  const run = query.data
  if (query.error) return <ErrorCard error={query.error} />
  if (!run) return null
  return (
    <Section
      title={words.kind(run.kind)}
      actions={
        <>
          <RunBadge state={run.state} />
          <Button size="compact-sm" variant="default" component={Link} href={`${HOME}/runs/${id}`}>
            {m.open}
          </Button>
        </>
      }
    >
      {MOVING.has(run.state) || run.state === 'paused' ? (
        <LiveProgress run={run} liveness={query.liveness} />
      ) : (
        run.cause && (
          <p className={classes.cause}>
            <ServerText code={run.code} params={run.failure_params} part="what">
              {run.cause}
            </ServerText>{' '}
            {run.remedy && (
              <ServerText code={run.code} params={run.failure_params} part="next">
                {run.remedy}
              </ServerText>
            )}
          </p>
        )
      )}
    </Section>
  )
}
