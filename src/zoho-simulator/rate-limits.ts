export interface Limits {
  /** Calls of the organization in any 60 s before it is blocked; null: no limit. */
  perMinute: number | null
  perDay: number
  inFlight: number | null
  blockMs: number
}

/** Zoho's own for a paid plan. */
export const REAL_LIMITS: Limits = { perMinute: 100, perDay: 10_000, inFlight: 10, blockMs: 60_000 }
/**
 * The demo's: Zoho's own day, so that quota and forecast can be seen, without a limit per minute
 * that would delay the first sync.
 */
export const DAY_LIMIT_ONLY: Limits = { perMinute: null, perDay: REAL_LIMITS.perDay, inFlight: null, blockMs: 60_000 }
export const NO_LIMITS: Limits = { perMinute: null, perDay: 10_000_000, inFlight: null, blockMs: 60_000 }

export interface RateLimitError {
  code: 44 | 45 | 1070
  message: string
}

/**
 * Counts the calls of one organization as Zoho does: a calendar day, a sliding minute, and calls in
 * flight.
 */
export function createMeter({ limits, now, untilMidnight }: { limits: Limits; now(): number; untilMidnight(): number }) {
  const times: number[] = []
  let blockedUntil = 0
  let inFlight = 0
  let usedToday = 0
  let dayEnds = now() + untilMidnight() * 1000
  const seen = { calls: 0, refused: [] as number[], maxInMinute: 0, maxInFlight: 0 }

  return {
    limits,
    seen,
    left: () => Math.max(0, limits.perDay - usedToday),
    enter(): RateLimitError | null {
      const at = now()
      if (at >= dayEnds) {
        usedToday = 0
        dayEnds = at + untilMidnight() * 1000
      }
      const refuse = (code: RateLimitError['code'], message: string): RateLimitError => {
        seen.refused.push(code)
        return { code, message }
      }
      if (at < blockedUntil) return refuse(44, BLOCKED)
      while (times.length > 0 && at - times[0]! >= 60_000) times.shift()
      if (limits.perMinute !== null && times.length >= limits.perMinute) {
        blockedUntil = at + limits.blockMs
        return refuse(44, BLOCKED)
      }
      if (usedToday >= limits.perDay)
        return refuse(45, `The API call for this organization has exceeded the maximum call rate limit of ${limits.perDay}.`)
      if (limits.inFlight !== null && inFlight >= limits.inFlight) {
        return refuse(1070, 'You have reached the maximum number of in process requests allowed. Kindly try again after some time.')
      }
      times.push(at)
      usedToday++
      inFlight++
      seen.calls++
      seen.maxInMinute = Math.max(seen.maxInMinute, times.length)
      seen.maxInFlight = Math.max(seen.maxInFlight, inFlight)
      return null
    },
    leave: () => void inFlight--,
  }
}

const BLOCKED =
  'For security reasons your organization has been blocked as it have exceeded the maximum number of requests per minute that can originate from an organization.'
