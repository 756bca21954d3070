import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { lockInTransaction } from '../database/locks.ts'
import type { Database } from '../db.ts'
import type { CallBudget, CallResult } from '../zoho/budget.ts'
import { DayQuotaSpent } from '../zoho/failures.ts'

export interface BudgetLimits {
  /** 0: none, for simulators. */
  perMinute: number
  /** Undefined: what Zoho's headers say. */
  perDay: number | undefined
  concurrency: number
}

export interface CallBudgetDeps {
  db: Database
  organization: string
  limits: BudgetLimits
  clock: Clock
  log: Logger
  onWait?: ((wait: { reason: string; until: Date }) => void) | undefined
}

const MINUTE_MS = 60_000
/** A call that is not over after this belongs to a process that was killed. */
const LEASE_MS = 120_000
/** 43 and 44 lock people out of Zoho's own pages; how long is not documented, clients wait a minute. */
const BLOCK_MS = 60_000
const IN_FLIGHT_PAUSE_MS = 250
/** Many calls may ask at once, of more processes than there are connections: they queue rather than fail. */
const PATIENCE = { maxWait: 60_000, timeout: 60_000 }
/** Pictures leave this share of the day to items: a shop's prices matter more than its pictures. */
const RESERVE_SHARE = 0.05

/**
 * One budget for all processes, in PostgreSQL: a sliding minute over the log of calls, the calls in flight, and the day's quota as Zoho's headers tell it.
 * A permit is a row of that log, given under the organisation's lock, so that two processes never see the same room.
 */
export function createCallBudget({ db, organization, limits, clock, log, onWait }: CallBudgetDeps): CallBudget {
  type Answer = { id: bigint } | { waitMs: number; reason: string }

  async function ask(call: { job: string; path: string; runId?: string | undefined }): Promise<Answer> {
    return db.$transaction(async (tx) => {
      if (limits.perMinute > 0) await lockInTransaction(tx, `zoho budget ${organization}`)
      const now = clock.now()
      const state = await tx.zohoBudget.findUnique({ where: { organization } })
      if (state?.blocked_until && state.blocked_until > now) {
        return { waitMs: state.blocked_until.getTime() - now.getTime(), reason: "Zoho's limit for a minute was overrun; all calls wait" }
      }
      if (state?.day_resets_at && state.day_resets_at > now && state.day_left !== null) {
        const reserve = call.job === 'image' && limits.perMinute > 0 ? Math.ceil((state.day_limit ?? 0) * RESERVE_SHARE) : 0
        const spent = limits.perDay === undefined ? 0 : Math.max(0, (state.day_limit ?? limits.perDay) - limits.perDay)
        if (state.day_left - spent <= reserve) throw new DayQuotaSpent(state.day_resets_at)
      }
      if (limits.perMinute > 0) {
        const recent = await tx.zohoCall.findMany({
          where: { organization, started_at: { gt: new Date(now.getTime() - LEASE_MS) } },
          select: { started_at: true, finished_at: true },
          orderBy: { started_at: 'asc' },
        })
        const minute = recent.filter((it) => now.getTime() - it.started_at.getTime() < MINUTE_MS)
        if (minute.length >= limits.perMinute) {
          const free = minute[minute.length - limits.perMinute]!.started_at.getTime() + MINUTE_MS
          return { waitMs: Math.max(1, free - now.getTime()), reason: `zinc makes at most ${limits.perMinute} calls a minute` }
        }
        const inFlight = recent.filter((it) => it.finished_at === null).length
        if (inFlight >= (state?.concurrency ?? limits.concurrency))
          return { waitMs: IN_FLIGHT_PAUSE_MS, reason: 'enough calls are under way' }
      }
      const { id } = await tx.zohoCall.create({
        data: { organization, job: call.job, path: call.path, run_id: call.runId ?? null, started_at: now },
        select: { id: true },
      })
      return { id }
    }, PATIENCE)
  }

  async function note(id: bigint, { status, code, ms, dayLimit, dayLeft, dayResetSeconds }: CallResult): Promise<void> {
    const now = clock.now()
    await db.zohoCall.update({
      where: { id },
      data: { finished_at: now, status, code, ms, day_left: dayLeft ?? null },
      select: { id: true },
    })
    const day =
      dayLimit !== undefined && dayLeft !== undefined && dayResetSeconds !== undefined
        ? { day_limit: dayLimit, day_left: dayLeft, day_resets_at: new Date(now.getTime() + dayResetSeconds * 1000) }
        : {}
    const blocked = code === '43' || code === '44' ? { blocked_until: new Date(now.getTime() + BLOCK_MS), blocked_code: code } : {}
    const fewer = code === '1070' ? { concurrency: Math.max(1, limits.concurrency - 1) } : {}
    const spent = code === '45' ? { day_left: 0, day_resets_at: 'day_resets_at' in day ? day.day_resets_at : nextMidnightUtc(now) } : {}
    const data = { ...day, ...blocked, ...fewer, ...spent }
    if (Object.keys(data).length === 0) return
    if (code !== null && Object.keys({ ...blocked, ...fewer, ...spent }).length > 0) log.warn({ code }, 'Zoho says that a limit is reached')
    await db.zohoBudget.upsert({ where: { organization }, create: { organization, ...data }, update: data })
  }

  return {
    async acquire(call, signal) {
      for (;;) {
        signal.throwIfAborted()
        const answer = await ask(call)
        if ('id' in answer) return { done: (result) => note(answer.id, result) }
        if (answer.waitMs > 1_000) onWait?.({ reason: answer.reason, until: new Date(clock.now().getTime() + answer.waitMs) })
        await clock.sleep(answer.waitMs, signal)
      }
    },
  }
}

/** Without a header the zone of the organisation is not known; asking again too early costs one refused call. */
const nextMidnightUtc = (now: Date): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1))
