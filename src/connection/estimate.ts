import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { CallPurpose } from '../schemas/quota.ts'
import { reserveOf } from './call-purposes.ts'

/** Zoho's limits as far as they are known. */
export interface KnownLimits {
  /** 0: none. */
  perMinute: number
  /** `reserve`: calls that this purpose leaves to others. */
  day: { limit: number; left: number; reserve: number; resetsAt: Date } | null
}

export interface Forecast {
  minutes: number
  /** Days of quota needed, 1 when today's is enough; null while the day's limit is unknown. */
  days: number | null
  endsAt: Date
}

/** The assumed rate where there is no limit per minute, as with a simulator. */
const UNLIMITED_PER_MINUTE = 1_200
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * Estimates how long so many calls take at these limits: those within the first minute's limit run
 * immediately, and what exceeds the day's quota waits for the next day.
 */
export function estimateCompletion(calls: number, { perMinute, day }: KnownLimits, now: Date): Forecast {
  const rate = perMinute === 0 ? UNLIMITED_PER_MINUTE : perMinute
  const minutesFor = (n: number) => Math.max(0, n - 1) / rate
  const minutes = Math.round(minutesFor(calls) * 10) / 10
  const soon = new Date(now.getTime() + minutesFor(calls) * MINUTE_MS)
  if (!day || day.limit <= 0) return { minutes, days: null, endsAt: soon }
  const { reserve } = day
  const today = day.resetsAt <= now ? day.limit - reserve : Math.max(0, day.left - reserve)
  if (calls <= today) return { minutes, days: 1, endsAt: soon }
  const daily = Math.max(1, day.limit - reserve)
  const later = Math.ceil((calls - today) / daily)
  const last = calls - today - (later - 1) * daily
  const endsAt = new Date(day.resetsAt.getTime() + (later - 1) * DAY_MS + minutesFor(last) * MINUTE_MS)
  return { minutes, days: later + 1, endsAt }
}

/**
 * Returns the limits of Zoho's last headers, lowered to what the operator allows; `organization` is
 * null before any call.
 */
export async function knownLimits(
  { db, clock, requestsPerMinute, requestsPerDay }: LimitsDeps,
  organization: string | null,
  purpose: CallPurpose,
): Promise<KnownLimits> {
  const rateLimiter = organization === null ? null : await db.zohoRateLimit.findUnique({ where: { organization } })
  const known = rateLimiter?.day_limit ?? null
  const limit = requestsPerDay ?? known
  if (limit === null) return { perMinute: requestsPerMinute, day: null }
  const left = Math.max(0, (rateLimiter?.day_left ?? limit) - Math.max(0, (known ?? limit) - limit))
  const resetsAt = rateLimiter?.day_resets_at ?? new Date(clock.now().getTime() + DAY_MS)
  return { perMinute: requestsPerMinute, day: { limit, left, reserve: reserveOf(purpose, rateLimiter, limit), resetsAt } }
}

export interface LimitsDeps {
  db: Database
  clock: Clock
  requestsPerMinute: number
  requestsPerDay: number | undefined
}
