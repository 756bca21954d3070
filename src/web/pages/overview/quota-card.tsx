import type { Quota } from '../../../schemas/quota.ts'
import { useQuota } from '../../api/zoho.ts'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { QueryBoundary } from '../../components/query-boundary.tsx'
import { Section } from '../../components/section.tsx'
import { BlockSkeleton } from '../../components/skeleton.tsx'
import { Bars } from '../../components/sparkline.tsx'
import { useMessages } from '../../i18n/language.tsx'
import { useFormat } from '../../i18n/shop-zone.tsx'
import { ImageQuotaReserve } from './image-quota-reserve.tsx'
import { usePurposeNames } from './job-names.ts'
import { overviewMessages } from './messages.ts'
import classes from './quota-card.module.css'

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
  const names = usePurposeNames()
  const purposes = quota.purposes.filter(({ used }) => used > 0)
  const forecastText =
    forecast.calls === 0
      ? m.forecastNone
      : forecast.enough_today === false
        ? m.forecastShort({ calls: format.number(forecast.calls), days: format.number(forecast.days ?? 2) })
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
      <ImageQuotaReserve day={day} />
      {quota.by_day.length > 1 && (
        <div>
          <Bars label={m.byDay} values={quota.by_day.map(({ date, calls }) => ({ name: date, value: calls }))} />
          <p className={classes.caption}>{m.byDay}</p>
        </div>
      )}
      {purposes.length > 0 && (
        <p className={classes.jobs}>
          {purposes.map(({ purpose, used, share }) => (
            <span key={purpose} title={share === null ? undefined : m.purposeShare({ calls: format.number(share) })}>
              {names[purpose]} <strong>{format.number(used)}</strong>
            </span>
          ))}
        </p>
      )}
    </div>
  )
}
