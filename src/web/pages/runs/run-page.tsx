import { Button } from '@mantine/core'
import Download from 'lucide-react/icons/download'
import { Link, useParams } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { MOVING, useRun } from '../../api/use-run.ts'
import { HOME } from '../../app/paths.ts'
import { useHasRole } from '../../app/session.tsx'
import { BackLink } from '../../components/back-link.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { DescriptionList } from '../../components/description-list.tsx'
import { Ltr } from '../../components/ltr.tsx'
import { Page } from '../../components/page.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { ServerText } from '../../components/server-text.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Statistic, Statistics } from '../../components/statistic.tsx'
import { ExactTime } from '../../components/time.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { LiveProgress } from '../../runs/live-progress.tsx'
import { paramOf } from '../../runs/progress.ts'
import { RunActions } from '../../runs/run-actions.tsx'
import { RunBadge } from '../../runs/run-badge.tsx'
import { useRunLabels } from '../../runs/run-labels.ts'
import { runsMessages } from './messages.ts'
import { RunFailures } from './run-failures.tsx'
import { RunOutcome } from './run-outcome.tsx'
import classes from './run-page.module.css'
import { RunRecords } from './run-records.tsx'

/** Kept for the run itself; they say nothing to a person. */
const INNER = new Set(['images_listed_missing', 'images_listed_stored', 'images_to_fetch', 'duration_ms'])
/** Items before images before calls; what is not known comes last. */
const ORDER = [
  'modules',
  'modules_done',
  'modules_failed',
  'total',
  'new',
  'updated',
  'unchanged',
  'restored',
  'removed',
  'failed',
  'conflicts',
  'images_total',
  'images_downloaded',
  'images_unchanged',
  'images_missing',
  'images_failed',
]
function rank(name: string): number {
  const at = ORDER.indexOf(name)
  return at < 0 ? ORDER.length : at
}
const BAD = new Set(['failed', 'images_failed', 'modules_failed', 'conflicts'])

export default function RunPage() {
  const m = useMessages(runsMessages)
  const words = useRunLabels()
  const { id = '' } = useParams<{ id: string }>()
  const query = useRun(id)
  return (
    <Page
      title={query.data ? words.kind(query.data.kind) : m.title}
      actions={query.data && <RunActions run={query.data} failed={failedOf(query.data)} />}
      above={<BackLink href={`${HOME}/runs`}>{m.back}</BackLink>}
    >
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={240} />}>
        {(run) => (
          <>
            <RunOutcome run={run} />
            <RunDetail run={run} liveness={query.liveness} />
          </>
        )}
      </QueryBoundary>
    </Page>
  )
}

const failedOf = (run: Run): number => (run.statistics.failed ?? 0) + (run.statistics.images_failed ?? 0)

function RunDetail({ run, liveness }: { run: Run; liveness: ReturnType<typeof useRun>['liveness'] }) {
  const m = useMessages(runsMessages)
  const words = useRunLabels()
  const format = useFormat()
  const mayRead = useHasRole('operator')
  const dry = paramOf(run, 'dry_run') === true
  const unfinished = MOVING.has(run.state) || run.state === 'paused'
  const statistics = Object.entries(run.statistics)
    .filter(([name, value]) => !INNER.has(name) && (value > 0 || name === 'total'))
    .sort(([a], [b]) => rank(a) - rank(b))
  return (
    <>
      <Section title={unfinished ? m.progress : m.result} actions={<RunBadge state={run.state} />}>
        <div className={classes.state}>
          {unfinished && <LiveProgress run={run} liveness={liveness} />}
          {run.cause && (
            <div className={classes.cause} data-state={run.state}>
              <p>
                <strong>{m.cause}:</strong>{' '}
                <ServerText code={run.code} params={run.failure_params} part="what">
                  {run.cause}
                </ServerText>
              </p>
              {run.remedy && (
                <p>
                  <strong>{m.remedy}:</strong>{' '}
                  <ServerText code={run.code} params={run.failure_params} part="next">
                    {run.remedy}
                  </ServerText>
                </p>
              )}
            </div>
          )}
          {dry && <p className={classes.dry}>{m.dryNote}</p>}
          {statistics.length > 0 && (
            <Statistics>
              {statistics.map(([name, value]) => (
                <Statistic
                  key={name}
                  label={words.statistic(name)}
                  value={format.number(value)}
                  {...(BAD.has(name) && value > 0 && { tone: 'bad' as const })}
                />
              ))}
            </Statistics>
          )}
        </div>
      </Section>
      {failedOf(run) > 0 && <RunFailures runId={run.id} />}
      {run.kind === 'items' && <RunRecords run={run} dry={dry} />}
      <Section
        title={m.about}
        actions={
          <>
            {mayRead && (
              <Button component={Link} href={`${HOME}/calls?run=${run.id}`} size="xs" variant="default">
                {m.calls}
              </Button>
            )}
            <Button
              component="a"
              href={`${ZOHO}/sync/runs/${run.id}/export`}
              download={`zinc-run-${run.id}.json`}
              size="xs"
              variant="default"
              leftSection={<Download size={14} aria-hidden />}
            >
              {m.download}
            </Button>
          </>
        }
      >
        <DescriptionList
          items={[
            [m.startedBy, run.started_by && <bdi>{words.starter(run.started_by)}</bdi>],
            [
              m.mode,
              [words.mode(run.mode), paramOf(run, 'sync_images') === true ? words.withImages : null].filter(Boolean).join(', ') || null,
            ],
            [m.started, run.started_at && <ExactTime at={run.started_at} />],
            [m.finished, run.finished_at && <ExactTime at={run.finished_at} />],
            [
              m.took,
              run.started_at &&
                run.finished_at &&
                format.duration(new Date(run.finished_at).getTime() - new Date(run.started_at).getTime()),
            ],
            [
              m.id,
              <span key="id" className={classes.id}>
                <Ltr mono>{run.id}</Ltr> <CopyButton value={run.id} what={m.id} />
              </span>,
            ],
          ]}
        />
      </Section>
    </>
  )
}
