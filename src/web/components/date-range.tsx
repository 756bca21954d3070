import { useSearchParams } from 'wouter'
import { useMessages } from '../i18n/language.tsx'
import { defineMessages } from '../i18n/messages.ts'
import { useShopZone } from '../i18n/shop-zone.tsx'
import classes from './date-range.module.css'

const messages = defineMessages({ from: 'From', to: 'To' }, { from: 'من', to: 'إلى' })
const DAY = /^\d{4}-\d\d-\d\d$/
const DAY_MS = 86_400_000

/** The instant at which a day begins in a zone. */
export function startOfDay(day: string, timeZone: string): Date {
  const utc = Date.parse(`${day}T00:00:00Z`)
  const offsetAt = (at: number) => Date.parse(`${new Date(at).toLocaleString('sv-SE', { timeZone }).replace(' ', 'T')}Z`) - at
  // Asked twice, since the clocks may change between the two.
  return new Date(utc - offsetAt(utc - offsetAt(utc)))
}

/** Two days of the shop, both included, in the address: `?from=2026-11-01&to=2026-11-30`. */
export function useDateRange() {
  const [params, setParams] = useSearchParams()
  const timeZone = useShopZone()
  const read = (name: 'from' | 'to') => (DAY.test(params.get(name) ?? '') ? (params.get(name) ?? '') : '')
  const from = read('from')
  const to = read('to')
  const nextDay = () => new Date(Date.parse(`${to}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
  return {
    from,
    to,
    set: (name: 'from' | 'to', day: string) =>
      setParams(
        (before) => {
          if (day === '') before.delete(name)
          else before.set(name, day)
          return before
        },
        { replace: true },
      ),
    /** For the API: instants, the second one not included. */
    query: {
      from: from === '' ? undefined : startOfDay(from, timeZone).toISOString(),
      to: to === '' ? undefined : startOfDay(nextDay(), timeZone).toISOString(),
    },
    isSet: from !== '' || to !== '',
  }
}

/** Two fields for the first and the last day. */
export function DateRange({ range }: { range: ReturnType<typeof useDateRange> }) {
  const m = useMessages(messages)
  return (
    <span className={classes.range}>
      {(['from', 'to'] as const).map((name) => (
        <label key={name} className={classes.label}>
          {m[name]}
          <input
            type="date"
            className={classes.day}
            value={range[name]}
            {...(name === 'to' ? { min: range.from } : { max: range.to })}
            onChange={(event) => range.set(name, event.currentTarget.value)}
          />
        </label>
      ))}
    </span>
  )
}
