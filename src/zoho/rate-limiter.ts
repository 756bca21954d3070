import type { Params } from '../messages/message.ts'
/** What Zoho's reply told about the limits; undefined where it told nothing. */
export interface CallResult {
  status: number | null
  code: string | null
  ms: number
  dayLimit?: number | undefined
  dayLeft?: number | undefined
  /** Reckoned when the reply came: a transfer that takes minutes would push it into the next day. */
  dayResetsAt?: Date | undefined
  /** Not seen from Zoho, but a proxy may send it with a 429. */
  retryAfterSeconds?: number | undefined
}

export interface Lease {
  done(result: CallResult): Promise<void>
}

/** Why the next call has to wait, for whoever watches. */
export interface RateLimitWait {
  /** zoho_blocked | quota_nearly_exhausted | rate_limited_minute | concurrency_limited */
  code: string
  reason: string
  params: Params
  until: Date
}

/** What a call is for, as the log of calls names it. */
export type CallJob = 'items' | 'image' | 'recheck' | 'crm' | 'stock' | 'price_lists' | 'groups' | 'pull' | 'organization' | 'test'

/** Who may call, and when: one budget for all processes of an organisation. */
export interface RateLimiter {
  /**
   * Resolves when the call may be made: minute, calls in flight and the day all have room.
   * Throws QuotaExceededError when the day has none left for this kind of job. `onWait` hears why and until when.
   */
  acquire(call: { job: CallJob; path: string; runId?: string | undefined }, signal: AbortSignal): Promise<Lease>
}
