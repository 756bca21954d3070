import { NativeSelect } from '@mantine/core'
import History from 'lucide-react/icons/history'
import { useSearchParams } from 'wouter'
import type { Run } from '../../../schemas/runs.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { useCursorList } from '../../api/use-cursor-list.ts'
import { CsvButton } from '../../components/csv-button.tsx'
import { DateRange, useDateRange } from '../../components/date-range.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ListView } from '../../components/list-view.tsx'
import { Page } from '../../components/page.tsx'
import { Section } from '../../components/section.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { RUN_TONE, useRunLabels } from '../../runs/run-labels.ts'
import { RunTable } from '../../runs/run-table.tsx'
import { StartSync } from '../../runs/start-sync.tsx'
import { runsMessages } from './messages.ts'
import { RunsChart } from './runs-chart.tsx'

const KINDS = [
  'items',
  'stock',
  'groups',
  'price_lists',
  'pull',
  'pull_verify',
  'images_import',
  'media_regenerate',
  'media_integrity_scan',
  'media_integrity_repair',
]
const STATES = Object.keys(RUN_TONE) as Run['state'][]
/** New runs of schedules and of other people show up by themselves. */
const LOOK_EVERY_MS = 10_000

export default function RunsPage() {
  const m = useMessages(runsMessages)
  const words = useRunLabels()
  // In the address, so that a link shows the same list.
  const [search, setSearch] = useSearchParams()
  const kind = search.get('kind') ?? ''
  const state = search.get('state') ?? ''
  const filter = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value === '') before.delete(name)
        else before.set(name, value)
        return before
      },
      { replace: true },
    )
  const range = useDateRange()
  const query = { kind, state, ...range.query }
  const list = useCursorList<Run>(['runs'], `${ZOHO}/sync/runs`, { query: { ...query, limit: 30 }, refetchInterval: LOOK_EVERY_MS })
  const filtered = kind !== '' || state !== '' || range.isSet
  return (
    <Page title={m.title} intro={m.intro} actions={<StartSync />}>
      <RunsChart />
      <Section
        title={m.history}
        flush
        actions={
          <>
            <DateRange range={range} />
            <NativeSelect
              size="xs"
              aria-label={m.kind}
              value={kind}
              onChange={(event) => filter('kind', event.currentTarget.value)}
              data={[{ value: '', label: m.allKinds }, ...KINDS.map((value) => ({ value, label: words.kind(value) }))]}
            />
            <NativeSelect
              size="xs"
              aria-label={m.state}
              value={state}
              onChange={(event) => filter('state', event.currentTarget.value)}
              data={[{ value: '', label: m.allStates }, ...STATES.map((value) => ({ value, label: words.state(value) }))]}
            />
            <CsvButton<Run>
              filename="zinc-runs.csv"
              path={`${ZOHO}/sync/runs`}
              query={query}
              columns={[
                ['id', (run) => run.id],
                ['kind', (run) => run.kind],
                ['mode', (run) => run.mode],
                ['state', (run) => run.state],
                ['started_by', (run) => run.started_by],
                ['created_at', (run) => run.created_at],
                ['started_at', (run) => run.started_at],
                ['finished_at', (run) => run.finished_at],
                ['cause', (run) => run.cause],
                ['statistics', (run) => JSON.stringify(run.statistics)],
              ]}
            />
          </>
        }
      >
        <ListView
          list={list}
          empty={<EmptyState icon={History} title={m.emptyTitle} text={m.emptyText} action={<StartSync />} filtered={filtered} />}
        >
          {(runs) => <RunTable runs={runs} />}
        </ListView>
      </Section>
    </Page>
  )
}
