import { useQuery } from '@tanstack/react-query'
import type { RunsByDay } from '../../../schemas/runs.ts'
import { ZOHO } from '../../api/endpoints.ts'
import { request } from '../../api/request.ts'
import { BarChart, type SeriesTone } from '../../components/bar-chart.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { useRunLabels } from '../../runs/run-labels.ts'
import { runsMessages } from './messages.ts'

const DAYS = 30
const TONES: [keyof Omit<RunsByDay[number], 'date'>, SeriesTone][] = [
  ['success', 'good'],
  ['partial', 'warn'],
  ['failed', 'bad'],
  ['cancelled', 'plain'],
  ['unfinished', 'accent'],
]

/** How many runs of each day ended how. */
export function RunsChart() {
  const m = useMessages(runsMessages)
  const format = useFormat()
  const words = useRunLabels()
  const query = useQuery({
    queryKey: ['runs', 'by-day'],
    refetchInterval: 60_000,
    queryFn: ({ signal }) =>
      request<{ data: RunsByDay }>(`${ZOHO}/sync/runs/by-day`, { query: { days: DAYS }, signal }).then(({ data }) => data),
  })
  return (
    <Section title={m.byDay}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={172} />}>
        {(days) => (
          <BarChart
            label={m.runsOfDays}
            series={TONES.map(([key, tone]) => ({ key, tone, name: key === 'unfinished' ? words.state('running') : words.state(key) }))}
            // Noon: a day is not another day in another zone.
            bars={days.map(({ date, ...values }) => ({ name: format.date(`${date}T12:00:00Z`), values }))}
          />
        )}
      </QueryBoundary>
    </Section>
  )
}
