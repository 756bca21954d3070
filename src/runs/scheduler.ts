import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database, Db } from '../database/client.ts'
import type { Schedule } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { nextTimes } from './cron.ts'

/** `stock`: stock by location, in runs of its own. */
export type ScheduleMode = 'incremental' | 'full' | 'stock'

export interface SchedulerDeps {
  db: Database
  clock: Clock
  log: Logger
  /** False in a process that only serves HTTP. */
  works: boolean
}

/**
 * Starts what is due. `since`: a process that was killed may have started it after this time
 * already. Returns false when another run is in the way: the slot stays due and is retried soon.
 */
export type StartDue = (due: { module: string; mode: ScheduleMode; since: Date | null }) => Promise<boolean>

export type Scheduler = ReturnType<typeof createScheduler>

const LOOK_EVERY_MS = 2_000
/**
 * A slot claimed this long ago without a run was left by a killed process, or a run was in its way.
 */
const LEFT_AFTER = '30 seconds'

/**
 * Runs that start by schedule. A slot is claimed by moving `next_at` in one conditional update, so
 * of any number of processes one starts it. Slots missed while nothing ran are started once. After
 * a crash between the update and the start, the row still has the slot (`due_at`), and the next
 * check claims it.
 */
export function createScheduler({ db, clock, log, works }: SchedulerDeps) {
  const closing = new AbortController()
  let looking: Promise<void> = Promise.resolve()

  async function look(start: StartDue): Promise<void> {
    const now = clock.now()
    const due = await db.$queryRaw<Schedule[]>`
      select * from schedule
      where next_at <= ${now} or (due_at is not null and taken_at < now() - ${LEFT_AFTER}::interval)
      order by mode` // full before incremental and stock, which it covers
    for (const row of due) {
      if (closing.signal.aborted) return
      await (row.next_at <= now ? fire(row, now, start) : retryStart(row, start)).catch((err: unknown) =>
        log.warn({ err, module: row.module, mode: row.mode }, 'scheduled sync could not be started, will retry'),
      )
    }
  }

  async function fire(row: Schedule, now: Date, start: StartDue): Promise<void> {
    const [next] = nextTimes(row.cron, { zone: row.zone, from: now })
    const taken = await db.$executeRaw`
      update schedule set next_at = ${next}, due_at = ${row.next_at}, taken_at = now()
      where module = ${row.module} and mode = ${row.mode} and next_at = ${row.next_at} and cron = ${row.cron} and zone = ${row.zone}`
    if (taken === 0) return // another process was faster, or a person changed it
    await started(row, row.next_at, null, start)
  }

  async function retryStart(row: Schedule, start: StartDue): Promise<void> {
    const taken = await db.$executeRaw`
      update schedule set taken_at = now() where module = ${row.module} and mode = ${row.mode} and taken_at = ${row.taken_at} and due_at = ${row.due_at}`
    if (taken === 0 || !row.due_at) return
    await started(row, row.due_at, row.taken_at, start)
  }

  async function started({ module, mode }: Schedule, slot: Date, since: Date | null, start: StartDue): Promise<void> {
    const settled = await start({ module, mode: mode as ScheduleMode, since })
    if (settled) await db.schedule.updateMany({ where: { module, mode, due_at: slot }, data: { due_at: null, taken_at: null } })
  }

  return {
    /** Checks once for what is due; `open` repeats it. */
    look,

    list: (from: Db = db): Promise<Schedule[]> => from.schedule.findMany(),

    /**
     * Sets or (with null) ends a schedule. Returns whether anything changed. Throws BadRequestError
     * `invalid_schedule`.
     */
    async set(
      tx: Db,
      { module, mode, cron, zone }: { module: string; mode: ScheduleMode; cron: string | null; zone: string },
    ): Promise<boolean> {
      const known = await tx.schedule.findUnique({ where: { module_mode: { module, mode } } })
      if (cron === null) {
        await tx.schedule.deleteMany({ where: { module, mode } })
        return known !== null
      }
      const [next] = nextTimes(cron, { zone, from: clock.now() })
      if (!next || (known?.cron === cron && known.zone === zone)) return false
      const data = { cron, zone, next_at: next, due_at: null, taken_at: null }
      await tx.schedule.upsert({ where: { module_mode: { module, mode } }, create: { module, mode, ...data }, update: data })
      return true
    },

    /** The shop's zone became known or changed: the same wall clock is another moment. */
    async rezone(tx: Db, zone: string): Promise<void> {
      for (const { module, mode, cron } of await tx.schedule.findMany({ where: { zone: { not: zone } } })) {
        const [next] = nextTimes(cron, { zone, from: clock.now() })
        if (next) await tx.schedule.update({ where: { module_mode: { module, mode } }, data: { zone, next_at: next } })
      }
    },

    open(start: StartDue): void {
      if (!works) return
      looking = (async () => {
        while (!closing.signal.aborted) {
          await look(start).catch((err: unknown) => log.warn({ err }, 'reading due schedules failed, will retry'))
          await pause(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {}) // the abort ends the loop
        }
      })()
    },

    async close(): Promise<void> {
      closing.abort()
      await looking
    },
  }
}
