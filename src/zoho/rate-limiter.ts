import type { Params } from '../messages/message.ts'
/** What Zoho's response said about the limits; undefined where it said nothing. */
export interface CallResult {
  status: number | null
  code: string | null
  ms: number
  dayLimit?: number | undefined
  dayLeft?: number | undefined
  /**
   * Computed when the response began: a transfer that takes minutes would push it into the next
   * day.
   */
  dayResetsAt?: Date | undefined
  /** Zoho was not seen to send it, but a proxy may, with a 429. */
  retryAfterSeconds?: number | undefined
}

export interface Lease {
  done(result: CallResult): Promise<void>
}

/** Why the next call has to wait, for the run's progress. */
export interface RateLimitWait {
  /** zoho_blocked | quota_nearly_exhausted | rate_limited_minute | concurrency_limited */
  code: string
  reason: string
  params: Params
  until: Date
}

/** Purpose of a call, as the log of calls records it. */
export type CallJob = 'items' | 'image' | 'recheck' | 'crm' | 'stock' | 'price_lists' | 'groups' | 'pull' | 'organization' | 'test'

/** Decides when a call may be made: one limiter for all processes of an organization. */
export interface RateLimiter {
  /**
   * Resolves when the call may be made: minute, concurrency and day all have room. Throws
   * QuotaExceededError when the day has no call left for this purpose. `onWait` gets the reason and
   * the end of a wait.
   */
  acquire(call: { job: CallJob; path: string; runId?: string | undefined }, signal: AbortSignal): Promise<Lease>
}
