import { Button } from '@mantine/core'
import { Link } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { ErrorCard } from '../../components/error-card.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { RowsSkeleton } from '../../components/skeleton.tsx'
import { Table } from '../../components/table.tsx'
import { RelativeTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { RunBadge } from '../../runs/run-badge.tsx'
import { useRunLabels } from '../../runs/run-labels.ts'
import classes from './media-page.module.css'
import { mediaMessages } from './messages.ts'
import { useJobs, useMediaEdit } from './use-media.ts'

/** The kinds of work on images as queues: what waits, runs, stands and failed. */
export function JobsSection() {
  const m = useMessages(mediaMessages)
  const format = useFormat()
  const words = useRunLabels()
  const mayEdit = useHasRole('operator')
  const query = useJobs()
  const { queue: change } = useMediaEdit()
  const count = (value: number) => <span className={value === 0 ? classes.muted : undefined}>{format.number(value)}</span>
  return (
    <Section title={m.jobs} description={m.jobsHint} flush>
      {change.error && (
        <div className={classes.pad}>
          <ErrorCard error={change.error} />
        </div>
      )}
      <QueryBoundary query={query} skeleton={<RowsSkeleton rows={4} />}>
        {({ data, workers }) => (
          <>
            <Table
              label={m.jobs}
              rows={data}
              rowKey={({ queue }) => queue}
              columns={[
                { key: 'queue', header: m.queue, cell: ({ queue }) => words.kind(queue) },
                { key: 'queued', header: m.queued, end: true, cell: ({ queued }) => count(queued) },
                { key: 'running', header: m.running, end: true, cell: ({ running }) => count(running) },
                { key: 'paused', header: m.paused, end: true, cell: ({ paused }) => count(paused) },
                { key: 'failed', header: m.failed, end: true, cell: ({ failed }) => count(failed) },
                {
                  key: 'last',
                  header: m.lastRun,
                  cell: ({ last_run }) =>
                    last_run && (
                      <Link href={`${HOME}/runs/${last_run.id}`} className={classes.run}>
                        <RunBadge state={last_run.state as Run['state']} /> <RelativeTime at={last_run.created_at} />
                      </Link>
                    ),
                },
                {
                  key: 'do',
                  header: '',
                  end: true,
                  cell: ({ queue, queued, running, paused, failed }) =>
                    // Nothing to press is no cell: on a small screen it would be a gap.
                    mayEdit &&
                    queued + running + paused + failed > 0 && (
                      <span className={classes.buttons}>
                        {queued + running > 0 && (
                          <Button size="compact-sm" variant="default" onClick={() => change.mutate({ queue, verb: 'pause' })}>
                            {m.pause}
                          </Button>
                        )}
                        {paused > 0 && (
                          <Button size="compact-sm" variant="default" onClick={() => change.mutate({ queue, verb: 'resume' })}>
                            {m.resume}
                          </Button>
                        )}
                        {failed > 0 && (
                          <Button size="compact-sm" variant="default" onClick={() => change.mutate({ queue, verb: 'clear-failed' })}>
                            {m.clearFailed}
                          </Button>
                        )}
                      </span>
                    ),
                },
              ]}
            />
            <p className={classes.decoder}>
              {m.workers({
                active: format.number(workers.active),
                limit: format.number(workers.limit),
                waiting: format.number(workers.waiting),
              })}
            </p>
          </>
        )}
      </QueryBoundary>
    </Section>
  )
}
