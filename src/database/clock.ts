import { type Clock, systemClock } from '../lib/clock.ts'
import type { RawDb } from './client.ts'

/** A changed system clock is followed within this time. */
const LOOK_EVERY_MS = 10_000

export interface DatabaseClock extends Clock, Disposable {}

/**
 * The database's time, so that all processes on one database agree on the order of events and on
 * expiry, however wrong the clocks of their machines. Between two reads, and while the database is
 * unavailable, it continues by this process's monotonic clock, which nobody sets.
 */
export async function openDatabaseClock(db: RawDb, { everyMs = LOOK_EVERY_MS } = {}): Promise<DatabaseClock> {
  /** The database's time when the monotonic clock was at zero. */
  let zero = (await look(db)).zero
  const timer = setInterval(() => {
    look(db).then(
      (seen) => {
        // A difference within the query's own duration is noise, and would only make the clock
        // jitter.
        if (Math.abs(seen.zero - zero) > seen.tookMs) zero = seen.zero
      },
      () => {}, // the database is unavailable
    )
  }, everyMs).unref()
  return {
    now: () => new Date(zero + performance.now()),
    sleep: systemClock.sleep,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

async function look(db: RawDb): Promise<{ zero: number; tookMs: number }> {
  const asked = performance.now()
  const [row] = await db.$queryRaw<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`
  const responded = performance.now()
  return { zero: row!.ms - (asked + responded) / 2, tookMs: responded - asked }
}
