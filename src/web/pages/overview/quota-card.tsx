import type { Quota } from '../../../schemas/quota.ts'
import { useQuota } from '../../api/zoho.ts'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Bars } from '../../components/sparkline.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { overviewMessages } from './messages.ts'
import classes from './quota-card.module.css'
import { QuotaPercent } from './quota-percent.tsx'

const NEARLY_OUT = 0.85

/** How much of the day's calls is used, what for, and whether the rest is enough. */
export function QuotaCard() {
  const m = useMessages(overviewMessages)
  const query = useQuota()
  return (
    <Section title={m.quota}>
      <QueryBoundary query={query} skeleton={<BlockSkeleton height={168} />}>
        {(quota) => <Gauge quota={quota} />}
      </QueryBoundary>
    </Section>
  )
}

function Gauge({ quota }: { quota: Quota }) {
  const m = useMessages(overviewMessages)
  const format = useFormat()
  const { day, minute, forecast } = quota
  const share = day.limit === null || day.limit === 0 ? null : day.used / day.limit
  const stock = quota.purposes.find(({ purpose }) => purpose === 'stock')
  const percent = (value: number) => format.percent(value / 100)
  const forecastText =
    forecast.calls === 0
      ? m.forecastNone
      : forecast.enough_today === false
        ? m.forecastShort({ calls: format.number(forecast.calls), days: forecast.days ?? 2 })
        : m.forecastEnough({ calls: format.number(forecast.calls) })
  return (
    <div className={classes.gauge}>
      <p className={classes.used}>
        {day.limit === null
          ? m.quotaUsedOnly({ used: format.number(day.used) })
          : m.quotaUsed({ used: format.number(day.used), limit: format.number(day.limit) })}
      </p>
      {share !== null && <ProgressBar label={m.quota} share={share} tone={share >= 1 ? 'bad' : share > NEARLY_OUT ? 'warn' : 'accent'} />}
      <p className={classes.notes}>
        {day.left !== null && day.resets_at !== null && (
          <span>{m.quotaLeft({ left: format.number(day.left), at: format.dateTime(day.resets_at) })}</span>
        )}
        {minute.limit !== null && <span>{m.quotaMinute({ used: format.number(minute.used), limit: format.number(minute.limit) })}</span>}
      </p>
      {quota.blocked_until !== null && <p className={classes.blocked}>{m.quotaBlocked({ at: format.dateTime(quota.blocked_until) })}</p>}
      <p className={classes.forecast} data-short={forecast.enough_today === false || undefined}>
        {forecastText}
      </p>
      <QuotaPercent
        field="reserve_percent"
        percent={day.reserve_percent}
        said={m.reserve({ share: percent(day.reserve_percent), calls: day.limit === null ? null : format.number(day.reserve) })}
        label={m.reserveLabel}
        hint={m.reserveHint}
        saved={(share) => m.reserveSaved({ share })}
      />
      {stock && stock.share_percent !== null && (
        <QuotaPercent
          field="stock_percent"
          percent={stock.share_percent}
          said={m.stockShare({
            share: percent(stock.share_percent),
            calls: day.limit === null || stock.share === null ? null : format.number(stock.share),
          })}
          label={m.stockShareLabel}
          hint={m.stockShareHint}
          saved={(share) => m.stockShareSaved({ share })}
        />
      )}
      {quota.by_day.length > 1 && (
        <div>
          <Bars label={m.byDay} values={quota.by_day.map(({ date, calls }) => ({ name: date, value: calls }))} />
          <p className={classes.caption}>{m.byDay}</p>
        </div>
      )}
    </div>
  )
}
