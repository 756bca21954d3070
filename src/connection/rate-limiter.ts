import pLimit from 'p-limit'
import type { Logger } from 'pino'
import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import { Prisma, type ZohoRateLimit } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Message } from '../messages/message.ts'
import { inEnglish, message } from '../messages/say.ts'
import { QuotaExceededError } from '../zoho/errors.ts'
import type { CallResult, RateLimiter, RateLimitWait } from '../zoho/rate-limiter.ts'
import { callsOf, chosenBy, dayLimitInForce, purposeOf, reserveOf, shareOf } from './call-purposes.ts'

export interface RateLimits {
  /** 0: none, for simulators. */
  perMinute: number
  /** Undefined: what Zoho's headers say. */
  perDay: number | undefined
  concurrency: number
  /** Percent of the day for stock by location, where operators chose none at run time. */
  stockPercent?: number | undefined
}

export interface RateLimiterDeps {
  db: Database
  organization: string
  limits: RateLimits
  clock: Clock
  log: Logger
  onWait?: ((wait: RateLimitWait) => void) | undefined
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A call that has not ended after this belongs to a dead process. */
const LEASE_MS = 120_000
/**
 * 43 and 44 lock people out of Zoho's own pages; for how long is not documented. Clients wait a
 * minute, and longer when the code comes again soon.
 */
const BLOCK_MS = 60_000
const LONGEST_BLOCK_MS = 300_000
const BLOCKS_APART_MS = 600_000
/** A proxy's Retry-After is obeyed up to this. */
const LONGEST_RETRY_AFTER_MS = 900_000
/**
 * After 1070 one call fewer may be in flight; one more again after this time without another 1070.
 */
const RECOVER_MS = 60_000
const BLOCK_JITTER = 0.05
/** A later end was written before the system clock was set back. */
const LONGEST_POSSIBLE_BLOCK_MS = LONGEST_RETRY_AFTER_MS * (1 + BLOCK_JITTER)
/**
 * The clocks of processes on one database differ by less: a later time was written before the clock
 * was set back.
 */
const CLOCK_SET_MS = 5_000
const IN_FLIGHT_PAUSE_MS = 250
/** Shorter waits are not reported. */
const TELL_AGAIN_MS = 1_000
/**
 * Many calls may wait, of more processes than there are connections: they queue rather than fail.
 */
const TRANSACTION_TIMEOUTS = { maxWait: 60_000, timeout: 60_000 }

/**
 * One rate limit for all processes, in PostgreSQL: a sliding minute over the log of calls, the
 * calls in flight, and the day's quota from Zoho's headers. A lease is a row of that log, inserted
 * under the organization's lock, so that two processes never take the same room.
 */
export function createRateLimiter({ db, organization, limits, clock, log, onWait }: RateLimiterDeps): RateLimiter {
  type Refusal = { waitMs: number; why: Message }
  type Call = Parameters<RateLimiter['acquire']>[0]
  /**
   * Waiting calls of this process queue here: only the first of them asks the database, so that
   * hundreds do not compete for the lock of all processes.
   */
  const turn = pLimit(1)

  async function ask(call: Call): Promise<{ id: bigint } | Refusal> {
    // Without a limit two processes cannot take the same room, and a call lost in a crash of the
    // database does no harm.
    if (limits.perMinute === 0) {
      const now = clock.now()
      const wait = await refusal(db, call, now)
      if (wait) return wait
      const [row] = await db.$queryRaw<{ id: bigint }[]>`
        with soon as materialized (${SOON})
        insert into zoho_call (organization, job, path, run_id, started_at)
        select ${organization}, ${call.job}, ${call.path}, ${call.runId ?? null}::uuid, ${now} from soon returning id`
      return row!
    }
    return db.$transaction(async (tx) => {
      await advisoryXactLock(tx, `zoho budget ${organization}`)
      const now = clock.now()
      const wait = await refusal(tx, call, now)
      if (wait) return wait
      const data = { organization, job: call.job, path: call.path, run_id: call.runId ?? null, started_at: now }
      return tx.zohoCall.create({ data, select: { id: true } })
    }, TRANSACTION_TIMEOUTS)
  }

  /**
   * Returns the calls that count now, oldest first. Those with a later time, from before the clock
   * was set back, count from now on: otherwise all would wait until that time.
   */
  async function recentCalls(tx: Db, now: Date): Promise<{ started_at: Date; finished_at: Date | null }[]> {
    const recent = await tx.zohoCall.findMany({
      // No call takes longer than its lease, so all that ended within the last minute began within
      // this time.
      where: { organization, started_at: { gt: new Date(now.getTime() - LEASE_MS - MINUTE_MS) } },
      select: { started_at: true, finished_at: true },
      orderBy: { started_at: 'asc' },
    })
    const ahead = new Date(now.getTime() + CLOCK_SET_MS)
    const isAhead = ({ started_at, finished_at }: { started_at: Date; finished_at: Date | null }) =>
      started_at > ahead || (finished_at !== null && finished_at > ahead)
    if (!recent.some(isAhead)) return recent
    await tx.zohoCall.updateMany({ where: { organization, started_at: { gt: ahead } }, data: { started_at: now } })
    await tx.zohoCall.updateMany({ where: { organization, finished_at: { gt: ahead } }, data: { finished_at: now } })
    const notAhead = (at: Date) => (at > ahead ? now : at)
    return recent.map(({ started_at, finished_at }) => ({
      started_at: notAhead(started_at),
      finished_at: finished_at && notAhead(finished_at),
    }))
  }

  /**
   * Returns why a call may not be made now and for how long; null when it may. Throws
   * QuotaExceededError.
   */
  async function refusal(tx: Db, call: Call, now: Date): Promise<Refusal | null> {
    // The calls are read before the day's remaining quota: one that ends between the two then
    // briefly counts twice; in the other order it would count in neither.
    const recent = limits.perMinute > 0 ? await recentCalls(tx, now) : []
    const state = await tx.zohoRateLimit.findUnique({ where: { organization } })
    if (state?.blocked_until && state.blocked_until > now && state.blocked_until.getTime() - now.getTime() <= LONGEST_POSSIBLE_BLOCK_MS) {
      return { waitMs: state.blocked_until.getTime() - now.getTime(), why: message('zoho_blocked') }
    }
    const inFlight = recent.filter((it) => it.finished_at === null && now.getTime() - it.started_at.getTime() < LEASE_MS).length
    if (state?.day_resets_at && state.day_resets_at > now && state.day_left !== null) {
      const purpose = purposeOf(call.job)
      const dayLimit = dayLimitInForce(state.day_limit, limits.perDay)
      const reserve = limits.perMinute > 0 ? reserveOf(purpose, state, dayLimit ?? 0) : 0
      const spent = limits.perDay === undefined ? 0 : Math.max(0, (state.day_limit ?? limits.perDay) - limits.perDay)
      // Calls in flight are not in Zoho's figure yet.
      if (state.day_left - spent - inFlight <= reserve) {
        if (inFlight > 0 && state.day_left - spent > reserve) return { waitMs: IN_FLIGHT_PAUSE_MS, why: message('quota_nearly_exhausted') }
        throw new QuotaExceededError(state.day_resets_at)
      }
      const share = limits.perMinute > 0 ? shareOf(purpose, chosenBy(state, limits), dayLimit) : null
      const since = new Date(state.day_resets_at.getTime() - DAY_MS)
      if (share !== null && (await callsOf(tx, { organization, purpose, since })) >= share)
        throw new QuotaExceededError(state.day_resets_at)
    }
    if (limits.perMinute === 0) return null
    // Zoho counts a call when it arrives there, at any moment until its response; so it counts here
    // for a minute from the response on.
    const ended = recent
      .flatMap(
        (it) => it.finished_at?.getTime() ?? (now.getTime() - it.started_at.getTime() < LEASE_MS ? [] : it.started_at.getTime() + LEASE_MS),
      )
      .filter((at) => now.getTime() - at < MINUTE_MS)
      .sort((a, b) => a - b)
    const tooMany = ended.length + inFlight - limits.perMinute
    if (tooMany >= 0) {
      const frees = ended[tooMany]
      return {
        waitMs: frees === undefined ? IN_FLIGHT_PAUSE_MS : Math.max(1, frees + MINUTE_MS - now.getTime()),
        why: message('rate_limited_minute', { limit: limits.perMinute }),
      }
    }
    if (inFlight >= (await allowedInFlight(tx, state, now))) return { waitMs: IN_FLIGHT_PAUSE_MS, why: message('concurrency_limited') }
    return null
  }

  async function note(id: bigint, { status, code, ms, dayLimit, dayLeft, dayResetsAt, retryAfterSeconds }: CallResult): Promise<void> {
    const now = clock.now()
    const reported: DayTold | null =
      dayLimit !== undefined && dayLeft !== undefined && dayResetsAt !== undefined
        ? { day_limit: dayLimit, day_left: dayLeft, day_resets_at: dayResetsAt }
        : null
    await db.$executeRaw`
      with soon as materialized (${SOON}),
      -- Responses arrive out of order; within one day the remaining quota only decreases.
      day as (
        insert into zoho_rate_limit as b (organization, day_limit, day_left, day_resets_at)
        select ${organization}, t.day_limit, t.day_left, t.day_resets_at
        from (values (${reported?.day_limit ?? null}::int, ${reported?.day_left ?? null}::int, ${reported?.day_resets_at ?? null}::timestamptz)) as t(day_limit, day_left, day_resets_at)
        where t.day_limit is not null
        on conflict (organization) do update set
          day_limit = excluded.day_limit, day_resets_at = excluded.day_resets_at,
          day_left = case when b.day_limit = excluded.day_limit and abs(extract(epoch from b.day_resets_at - excluded.day_resets_at)) < 120
            then least(b.day_left, excluded.day_left) else excluded.day_left end)
      update zoho_call set finished_at = ${now}, status = ${status}::int, code = ${code}, ms = ${ms}::int, day_left = ${dayLeft ?? null}::int
      from soon where id = ${id}`
    if (code === null || !LIMITS.has(code)) return
    log.warn({ code }, 'Zoho says that a limit is reached')
    if (code === '45') {
      const data = { day_left: 0, day_resets_at: reported?.day_resets_at ?? nextMidnightUtc(now) }
      await db.zohoRateLimit.upsert({ where: { organization }, create: { organization, ...data }, update: data })
    } else await hold(code, retryAfterSeconds)
  }

  /** All calls wait after 43, 44 or a bare 429; after 1070 fewer run in parallel. */
  async function hold(code: string, retryAfterSeconds: number | undefined): Promise<void> {
    await db.$transaction(async (tx) => {
      await advisoryXactLock(tx, `zoho budget ${organization}`)
      const now = clock.now()
      const state = await tx.zohoRateLimit.findUnique({ where: { organization } })
      if (code === '1070') {
        const concurrency = Math.max(1, (state?.concurrency ?? limits.concurrency) - 1)
        const data = { concurrency, concurrency_until: new Date(now.getTime() + RECOVER_MS) }
        await tx.zohoRateLimit.upsert({ where: { organization }, create: { organization, ...data }, update: data })
        return
      }
      // Calls that were in flight together all report the same block.
      if (state?.blocked_until && state.blocked_until > now) return
      const soon = state?.blocked_until != null && now.getTime() - state.blocked_until.getTime() < BLOCKS_APART_MS
      const block_ms = soon ? Math.min(LONGEST_BLOCK_MS, (state?.block_ms ?? BLOCK_MS) * 2) : BLOCK_MS
      const requested =
        retryAfterSeconds === undefined || retryAfterSeconds < 0 ? 0 : Math.min(LONGEST_RETRY_AFTER_MS, retryAfterSeconds * 1000)
      const ms = Math.max(block_ms, requested) * (1 + Math.random() * BLOCK_JITTER)
      const data = { blocked_until: new Date(now.getTime() + ms), blocked_code: code, block_ms }
      await tx.zohoRateLimit.upsert({ where: { organization }, create: { organization, ...data }, update: data })
    }, TRANSACTION_TIMEOUTS)
  }

  /** As configured, or fewer for a while after 1070. */
  async function allowedInFlight(tx: Db, state: ZohoRateLimit | null, now: Date): Promise<number> {
    if (state?.concurrency == null) return limits.concurrency
    if (state.concurrency_until && state.concurrency_until > now) return Math.min(state.concurrency, limits.concurrency)
    const more = state.concurrency + 1
    const data =
      more >= limits.concurrency
        ? { concurrency: null, concurrency_until: null }
        : { concurrency: more, concurrency_until: new Date(now.getTime() + RECOVER_MS) }
    await tx.zohoRateLimit.update({ where: { organization }, data })
    return Math.min(more, limits.concurrency)
  }

  return {
    acquire: (call, signal) =>
      turn(async () => {
        for (;;) {
          signal.throwIfAborted()
          const response = await ask(call)
          if ('id' in response) return { done: (result) => note(response.id, result) }
          const { waitMs, why } = response
          if (!onWait || waitMs <= TELL_AGAIN_MS) {
            await clock.sleep(waitMs, signal)
            continue
          }
          // Reported repeatedly: a call that ends meanwhile reports its own progress, which hides
          // the reason.
          const until = new Date(clock.now().getTime() + waitMs)
          for (let left = waitMs; left > 0; left -= TELL_AGAIN_MS) {
            onWait({ code: why.code, reason: inEnglish(why).message, params: why.params, until })
            await clock.sleep(Math.min(left, TELL_AGAIN_MS), signal)
          }
        }
      }),
  }
}

interface DayTold {
  day_limit: number
  day_left: number
  day_resets_at: Date
}

/**
 * Commits without waiting for the disk, for writes that only record the end of a call: if a crash
 * of the database loses one, the call counts as in flight until its lease ends. Never used for
 * leases under a limit.
 */
const SOON = Prisma.sql`select set_config('synchronous_commit', 'off', true)`
const LIMITS = new Set(['43', '44', '45', '429', '1070'])

/**
 * Without a header the organization's time zone is unknown; a call that is made too early costs one
 * refusal.
 */
const nextMidnightUtc = (now: Date): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1))
