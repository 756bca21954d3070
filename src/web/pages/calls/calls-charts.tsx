import type { Quota } from '../../../schemas/quota.ts'
import { useQuota } from '../../api/zoho.ts'
import { BarChart } from '../../components/bar-chart.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { defineMessages } from '../../i18n/messages.ts'
import { useFormat } from '../../i18n/shop-zone.tsx'
import classes from './calls-charts.module.css'

const messages = defineMessages(
  { title: 'Use of the limits', byMinute: 'Calls per minute, last hour', byDay: 'Calls per day, last 14 days', limit: 'Limit' },
  { title: 'استخدام الحدود', byMinute: 'الطلبات في الدقيقة، آخر ساعة', byDay: 'الطلبات في اليوم، آخر 14 يومًا', limit: 'الحد' },
)
const MINUTE_MS = 60_000
const MINUTES = 60
const DAY_MS = 86_400_000
const DAYS = 14

/** The API names only minutes with calls; a chart needs the others, too. */
function everyMinute(quota: Quota): { at: string; calls: number }[] {
  const calls = new Map(quota.by_minute.map(({ at, calls: made }) => [Math.floor(Date.parse(at) / MINUTE_MS), made]))
  const now = Math.floor(Date.now() / MINUTE_MS)
  return Array.from({ length: MINUTES }, (_, index) => {
    const minute = now - MINUTES + 1 + index
    return { at: new Date(minute * MINUTE_MS).toISOString(), calls: calls.get(minute) ?? 0 }
  })
}

/** Also the days without calls, up to the last one that had any. */
function everyDay(quota: Quota): { date: string; calls: number }[] {
  const last = Date.parse(`${quota.by_day.at(-1)?.date ?? new Date().toISOString().slice(0, 10)}T12:00:00Z`)
  const calls = new Map(quota.by_day.map(({ date, calls: made }) => [date, made]))
  return Array.from({ length: DAYS }, (_, index) => {
    const date = new Date(last - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10)
    return { date, calls: calls.get(date) ?? 0 }
  })
}

/** Calls to Zoho over time, against what Zoho allows. */
export function CallsCharts() {
  const m = useMessages(messages)
  const format = useFormat()
  const query = useQuota()
  const series = (name: string) => [{ key: 'calls', name, tone: 'accent' as const }]
  const limitOf = (limit: number | null) => (limit === null ? null : { value: limit, name: m.limit })
  return (
    <Section title={m.title}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={172} />}>
        {(quota) => (
          <div className={classes.pair}>
            <BarChart
              label={m.byMinute}
              series={series(m.byMinute)}
              limit={limitOf(quota.minute.limit)}
              bars={everyMinute(quota).map(({ at, calls }) => ({ name: format.time(at), values: { calls } }))}
            />
            <BarChart
              label={m.byDay}
              series={series(m.byDay)}
              limit={limitOf(quota.day.limit)}
              bars={everyDay(quota).map(({ date, calls }) => ({ name: format.date(`${date}T12:00:00Z`), values: { calls } }))}
            />
          </div>
        )}
      </QueryBoundary>
    </Section>
  )
}
