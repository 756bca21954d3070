import type { Config } from '../config.ts'
import type { Database } from '../database/client.ts'
import type { Run, Schedule } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { CallPurpose, Quota } from '../schemas/quota.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { MODULES } from '../settings/modules.ts'
import {
  callsOf,
  chosenBy,
  dayLimitInForce,
  PURPOSES,
  purposeOf,
  purposeOfRun,
  reserveOf,
  reservePercent,
  shareOf,
  sharePercent,
} from './call-purposes.ts'
import { oldestData } from './data-age.ts'

export interface QuotaDeps {
  db: Database
  clock: Clock
  organization: string
  /** The shop's time zone, for days as people count them. */
  zone: string
  limits: { perMinute: number; perDay: number | undefined; stockPercent?: number | undefined }
  /** Slots of a schedule until a moment. */
  slots(schedule: Schedule, until: Date): number
  /** The kinds of runs that a module's schedule starts, with those that follow them. */
  kindsOf(module: string, mode: string): string[]
  /** Calls of the next run that reads stock by location, as long as none was made. */
  stockCalls(): Promise<number>
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Rows of a list call: 200, minus the one that each page repeats. */
const ROWS_PER_CALL = 199
const UNFINISHED = ['queued', 'running', 'paused']

/**
 * Returns calls used and left, expected calls, and who used them. Read from the log of calls and
 * from Zoho's last headers.
 */
export async function readQuota(deps: QuotaDeps): Promise<Quota> {
  const { db, clock, organization, zone, limits } = deps
  const now = clock.now()
  const rateLimiter = await db.zohoRateLimit.findUnique({ where: { organization } })
  const aMinuteAgo = new Date(now.getTime() - MINUTE_MS)
  // As the limiter counts: a minute from the response on.
  const minuteUsed = await db.zohoCall.count({
    where: { organization, OR: [{ started_at: { gt: aMinuteAgo } }, { finished_at: { gt: aMinuteAgo } }] },
  })
  const reported =
    rateLimiter?.day_limit != null && rateLimiter.day_left !== null && rateLimiter.day_resets_at !== null && rateLimiter.day_resets_at > now
  const resetsAt = reported ? rateLimiter.day_resets_at! : midnightAfter(now, zone)
  const dayBegan = new Date(resetsAt.getTime() - DAY_MS)
  const byJob = await db.$queryRaw<{ job: string; calls: number }[]>`
    select job, count(*)::int as calls from zoho_call where organization = ${organization} and started_at >= ${dayBegan} group by job order by calls desc, job`
  const ours = byJob.reduce((sum, { calls }) => sum + calls, 0)
  const known = reported ? rateLimiter.day_limit! : (rateLimiter?.day_limit ?? null)
  const limit = dayLimitInForce(known, limits.perDay)
  const used = reported ? rateLimiter.day_limit! - rateLimiter.day_left! : ours
  const left = limit === null ? null : Math.max(0, limit - used)
  const queued = await callsOfQueued(deps)
  const schedules = await db.schedule.findMany({ where: { module: { in: MODULES.map(({ slug }) => slug) } } })
  const scheduled = await callsOfSchedules(deps, schedules, resetsAt)
  const expected = add(queued, scheduled)
  const [queuedCalls, scheduledCalls] = [total(queued), total(scheduled)]
  const calls = queuedCalls + scheduledCalls
  const usedFor = sumByPurpose(byJob)
  const chosen = chosenBy(rateLimiter, limits)
  const oldest = await oldestData(db)
  const planned = new Set(schedules.flatMap(({ module, mode }) => deps.kindsOf(module, mode)).flatMap(purposesOfRun))
  const limitedBy = (purpose: CallPurpose): Quota['purposes'][number]['limited_by'] => {
    const share = shareOf(purpose, chosen, limit)
    const coming = expected[purpose] ?? 0
    if (!(purpose in oldest)) return null
    if (share !== null && (usedFor[purpose] ?? 0) + coming > share) return 'share'
    if (left !== null && coming > 0 && calls > left) return 'day'
    return planned.has(purpose) ? null : 'no_schedule'
  }
  return {
    minute: {
      limit: limits.perMinute === 0 ? null : limits.perMinute,
      used: minuteUsed,
      left: limits.perMinute === 0 ? null : Math.max(0, limits.perMinute - minuteUsed),
    },
    day: {
      limit,
      used,
      left,
      resets_at: reported ? resetsAt.toISOString() : null,
      reserve: limit === null ? 0 : reserveOf('images', rateLimiter, limit),
      reserve_percent: reservePercent('images', rateLimiter),
    },
    blocked_until: rateLimiter?.blocked_until && rateLimiter.blocked_until > now ? rateLimiter.blocked_until.toISOString() : null,
    forecast: {
      calls,
      queued_calls: queuedCalls,
      scheduled_calls: scheduledCalls,
      minutes: limits.perMinute === 0 ? 0 : Math.ceil(queuedCalls / limits.perMinute),
      days: left === null || limit === null || limit === 0 ? null : calls <= left ? 0 : Math.ceil((calls - left) / limit),
      enough_today: left === null ? null : calls <= left,
    },
    purposes: PURPOSES.map((purpose) => ({
      purpose,
      used: usedFor[purpose] ?? 0,
      forecast: expected[purpose] ?? 0,
      reserve: limit === null ? 0 : reserveOf(purpose, chosen, limit),
      reserve_percent: reservePercent(purpose, chosen),
      share: shareOf(purpose, chosen, limit),
      share_percent: sharePercent(purpose, chosen),
      oldest_at: oldest[purpose]?.toISOString() ?? null,
      limited_by: limitedBy(purpose),
    })),
    by_job: byJob,
    by_minute: (
      await db.$queryRaw<{ at: Date; calls: number }[]>`
        select date_trunc('minute', started_at) as at, count(*)::int as calls from zoho_call
        where organization = ${organization} and started_at > ${new Date(now.getTime() - 60 * MINUTE_MS)} group by 1 order by 1`
    ).map(({ at, calls }) => ({ at: at.toISOString(), calls })),
    by_day: await db.$queryRaw<{ date: string; calls: number }[]>`
      select to_char(started_at at time zone ${zone}, 'YYYY-MM-DD') as date, count(*)::int as calls from zoho_call
      where organization = ${organization} and started_at > ${new Date(now.getTime() - 14 * DAY_MS)} group by 1 order by 1`,
  }
}

/** What operators choose; the rest stays as it is. */
export interface QuotaChange {
  /** How much of the day images leave to items. */
  reservePercent?: number | undefined
  /** How much of the day stock by location may use; 0: it is not read. */
  stockPercent?: number | undefined
}

/** Sets how the day's calls are divided, from the next call on. */
export async function setQuota(
  db: Database,
  { organization, reservePercent: reserve, stockPercent: stock, actor }: QuotaChange & { organization: string; actor: Actor },
): Promise<void> {
  const data = { ...(reserve !== undefined && { image_reserve_percent: reserve }), ...(stock !== undefined && { stock_percent: stock }) }
  await db.$transaction(async (tx) => {
    await tx.zohoRateLimit.upsert({ where: { organization }, create: { organization, ...data }, update: data })
    await recordAudit(tx, { ...actor, action: 'quota.change', target: 'zoho', fields: Object.keys(data) })
  })
}

type ShareDeps = Pick<QuotaDeps, 'db' | 'clock'> & {
  organization(): Promise<string | null | undefined>
  zoho: Pick<Config['zoho'], 'requestsPerMinute' | 'requestsPerDay' | 'stockPercent'>
}

/** What stock by location may use of the day's calls. */
export function createStockShare({ db, clock, organization, zoho }: ShareDeps) {
  async function readLimit() {
    return db.zohoRateLimit.findUnique({ where: { organization: (await organization()) ?? 'none' } })
  }
  return {
    /** As a percentage of the day. */
    percent: async (): Promise<number> => sharePercent('stock', chosenBy(await readLimit(), zoho)) ?? 100,

    /**
     * Whether stock has used no more of its share than of the day has passed: runs by schedule are
     * then spread over the day, instead of using up the share in the morning. True without limits.
     */
    async isWithinPace(): Promise<boolean> {
      const row = await readLimit()
      const now = clock.now()
      if (zoho.requestsPerMinute === 0 || !row?.day_resets_at || row.day_resets_at <= now) return true
      const share = shareOf('stock', chosenBy(row, zoho), dayLimitInForce(row.day_limit, zoho.requestsPerDay))
      if (share === null) return true
      const since = new Date(row.day_resets_at.getTime() - DAY_MS)
      const passed = (now.getTime() - since.getTime()) / DAY_MS
      return (await callsOf(db, { organization: row.organization, purpose: 'stock', since })) <= share * passed
    },
  }
}

/**
 * Clears what is known of the day's quota, for an operator who knows more than the last response (a
 * larger plan, another midnight): the next call is made, and its response says what is left.
 */
export async function fetchRemainingQuota(db: Database): Promise<void> {
  await db.zohoRateLimit.updateMany({ data: { day_left: null } })
}

type Calls = Partial<Record<CallPurpose, number>>
const total = (calls: Calls): number => Object.values(calls).reduce((sum, it) => sum + it, 0)
const add = (...all: Calls[]): Calls =>
  Object.fromEntries(PURPOSES.map((purpose) => [purpose, all.reduce((sum, it) => sum + (it[purpose] ?? 0), 0)]))
const sumByPurpose = (jobs: { job: string; calls: number }[]): Calls => add(...jobs.map(({ job, calls }) => ({ [purposeOf(job)]: calls })))

/** Returns the calls that unfinished runs will still make. */
async function callsOfQueued(deps: QuotaDeps): Promise<Calls> {
  const { db } = deps
  const runs = await db.run.findMany({ where: { state: { in: UNFINISHED } } })
  const calls: Calls[] = []
  for (const run of runs) calls.push(run.kind === 'items' ? await itemCalls(db, run) : await callsOfLast(deps, run.kind, modeOf(run)))
  return add(...calls)
}

async function itemCalls(db: Database, run: Run): Promise<Calls> {
  const params = run.params as { sync_images?: boolean; dry_run?: boolean }
  const checkpoint = run.checkpoint as { phase?: string } | null
  const items =
    checkpoint?.phase === 'images' ? 0 : modeOf(run) === 'full' ? Math.max(1, Math.ceil((await db.product.count()) / ROWS_PER_CALL)) : 1
  if (!params.sync_images || params.dry_run) return { items }
  const where = { deleted_at: null, zoho_image_id: { not: null }, image_state: { in: ['untried', 'failed'] } }
  return { items, images: await db.product.count({ where }) }
}

async function callsOfSchedules(deps: QuotaDeps, schedules: Schedule[], until: Date): Promise<Calls> {
  const calls: Calls[] = []
  for (const { slots, kinds, mode } of schedules.map((it) => ({
    ...it,
    slots: deps.slots(it, until),
    kinds: deps.kindsOf(it.module, it.mode),
  }))) {
    const [kind = '', ...following] = kinds
    const once = await callsOfLast(deps, kind, mode)
    // These may not be due; one that never ran is expected to make no call.
    const after = await Promise.all(following.map((it) => callsOfLast(deps, it, 'incremental', { otherwise: 0 })))
    calls.push(...Array<Calls>(slots).fill(add(once, ...after)))
  }
  return add(...calls)
}

/** The purposes of the calls that a kind of run makes. */
const purposesOfRun = (kind: string): CallPurpose[] =>
  purposeOfRun(kind) === 'items' ? ['items', 'images', 'rechecks'] : [purposeOfRun(kind)]

/**
 * Returns the calls of the newest finished run of a kind and mode; `otherwise` when there was none,
 * or when it made none. Stock is read whole in every mode, and its calls are known before.
 */
async function callsOfLast({ db, stockCalls }: QuotaDeps, kind: string, mode: string, { otherwise = 1 } = {}): Promise<Calls> {
  const isStock = kind === 'stock'
  const jobs = await db.$queryRaw<{ job: string; calls: number }[]>`
    select job, count(*)::int as calls from zoho_call where run_id = (
      select id from run where kind = ${kind} and state in ('success', 'partial')
        and (${isStock} or coalesce(checkpoint->>'mode', params->>'mode', case when params->>'full' = 'true' then 'full' else 'incremental' end) = ${mode})
      order by finished_at desc nulls last limit 1) group by job`
  if (jobs.length > 0) return sumByPurpose(jobs)
  return { [purposeOfRun(kind)]: isStock ? await stockCalls() : otherwise }
}

function modeOf(run: Run): string {
  const params = run.params as { mode?: string; full?: boolean }
  return params.mode ?? (params.full ? 'full' : 'incremental')
}

/**
 * Returns the next midnight of a zone, within a minute: the end of Zoho's day unless its headers
 * have named another.
 */
function midnightAfter(now: Date, zone: string): Date {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' })
  const today = day.format(now)
  let [low, high] = [now.getTime(), now.getTime() + 26 * 60 * MINUTE_MS]
  while (high - low > 1_000) {
    const middle = (low + high) / 2
    if (day.format(new Date(middle)) === today) low = middle
    else high = middle
  }
  return new Date(Math.round(high / 1_000) * 1_000)
}
