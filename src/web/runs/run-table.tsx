import { Link } from 'wouter'
import type { Run } from '../../schemas/runs.ts'
import { HOME } from '../app/paths.ts'
import { Table } from '../components/table.tsx'
import { RelativeTime } from '../components/time.tsx'
import { useMessages } from '../i18n/language.tsx'
import { useFormat } from '../i18n/shop-zone.tsx'
import { runsMessages } from '../pages/runs/messages.ts'
import { paramOf, readProgress } from './progress.ts'
import { RunBadge } from './run-badge.tsx'
import { useRunLabels } from './run-labels.ts'
import classes from './run-table.module.css'

/** What a list says about the outcome, the telling ones first. */
const TOLD = ['new', 'updated', 'removed', 'failed', 'images_downloaded', 'images_failed', 'records', 'unchanged']
const TOLD_AT_MOST = 3

/** "2,204 new · 12 changed" */
export function useRunResult(): (run: Run) => string {
  const words = useRunLabels()
  const format = useFormat()
  return (run) => {
    const reported = TOLD.filter((name) => (run.statistics[name] ?? 0) > 0).slice(0, TOLD_AT_MOST)
    const { done, total } = readProgress(run)
    if (reported.length === 0 && run.state === 'running' && done !== null && total !== null)
      return `${format.number(done)} / ${format.number(total)}`
    return reported.map((name) => `${words.statistic(name)} ${format.number(run.statistics[name] ?? 0)}`).join(' · ')
  }
}

/** Runs as rows; each leads to its page. */
export function RunTable({ runs }: { runs: Run[] }) {
  const m = useMessages(runsMessages)
  const words = useRunLabels()
  const format = useFormat()
  const result = useRunResult()
  return (
    <Table
      label={m.title}
      rows={runs}
      rowKey={(run) => run.id}
      columns={[
        {
          key: 'kind',
          header: m.kind,
          cell: (run) => (
            <Link href={`${HOME}/runs/${run.id}`} className={classes.link}>
              {/* The space also keeps Arabic letters of the two from joining. */}
              {words.kind(run.kind)}{' '}
              <span className={classes.how}>
                {[words.mode(run.mode), paramOf(run, 'dry_run') === true ? words.dryRun : null].filter(Boolean).join(', ')}
              </span>
            </Link>
          ),
        },
        { key: 'state', header: m.state, cell: (run) => <RunBadge state={run.state} /> },
        { key: 'result', header: m.result, cell: (run) => result(run) !== '' && <span className={classes.result}>{result(run)}</span> },
        { key: 'by', header: m.startedBy, secondary: true, cell: (run) => run.started_by && <bdi>{words.starter(run.started_by)}</bdi> },
        { key: 'started', header: m.started, cell: (run) => <RelativeTime at={run.started_at ?? run.created_at} /> },
        {
          key: 'took',
          header: m.took,
          end: true,
          secondary: true,
          cell: (run) =>
            run.started_at && run.finished_at && format.duration(new Date(run.finished_at).getTime() - new Date(run.started_at).getTime()),
        },
      ]}
    />
  )
}
