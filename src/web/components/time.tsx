import { useEffect, useState } from 'react'
import { useFormat } from '../i18n/shop-zone.tsx'

/** The time now, again every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

const FRESH_MS = 120_000

/** "5 minutes ago", with the exact time in the shop's zone on hover and for screen readers. */
export function RelativeTime({ at }: { at: string }) {
  const format = useFormat()
  const young = Math.abs(Date.now() - new Date(at).getTime()) < FRESH_MS
  const now = useNow(young ? 5_000 : 30_000)
  return (
    <time dateTime={at} title={format.dateTime(at)}>
      {format.relative(at, now)}
    </time>
  )
}

/** The exact time in the shop's zone. */
export function ExactTime({ at }: { at: string }) {
  const format = useFormat()
  return <time dateTime={at}>{format.dateTime(at)}</time>
}
