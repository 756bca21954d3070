import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createRateLimiter } from '../../src/connection/rate-limiter.ts'
import { openDatabase } from '../../src/database/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { QuotaExceededError } from '../../src/zoho/errors.ts'
import { connect } from '../helpers/connection.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { waitFor } from '../helpers/wait-for.ts'

const CALL = { job: 'items', path: '/inventory/v1/items' } as const
const HELD_UP = `select 1 from pg_locks join pg_database on pg_database.oid = pg_locks.database
  where not granted and relation = $1::regclass and datname = current_database()`

// Wherever the look for a permit stands when another process notes the end of its call, the last
// call of the day is counted once.
test.each(['zoho_call', 'zoho_rate_limit'])(
  'a call that ends while another process looks at %s leaves no room that is not there',
  async (table) => {
    const database = await createTestDatabase()
    await using stack = new AsyncDisposableStack()
    const db = stack.adopt(openDatabase(database.url), (it) => it.$disconnect())
    const other = await connect(database.url)
    const limits = { perMinute: 80, perDay: undefined, concurrency: 5 }
    const rateLimiter = createRateLimiter({ db, organization: '1', limits, clock: systemClock, log: pino({ level: 'silent' }) })
    const signal = AbortSignal.timeout(20_000)
    const first = await rateLimiter.acquire(CALL, signal)
    await first.done({ status: 200, code: null, ms: 1, dayLimit: 10, dayLeft: 1, dayResetsAt: new Date(Date.now() + 3_600_000) })
    await rateLimiter.acquire(CALL, signal)

    await other.query('begin')
    await other.query(`lock table ${table} in access exclusive mode`)
    const next = rateLimiter.acquire(CALL, signal).then(
      () => 'permitted',
      (error: unknown) => error,
    )
    await waitFor(async () => (await other.query(HELD_UP, [table])).rows.length === 1)
    await other.query("update zoho_rate_limit set day_left = 0 where organization = '1'")
    await other.query('update zoho_call set finished_at = now() where finished_at is null')
    await other.query('commit')

    expect(await next).toBeInstanceOf(QuotaExceededError)
  },
)

test('a clock set back by an hour delays calls by a minute at most and keeps the limit', async () => {
  const database = await createTestDatabase()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => database.drop())
  const db = stack.adopt(openDatabase(database.url), (it) => it.$disconnect())
  let time = Date.parse('2026-11-01T08:00:00Z')
  let slept = 0
  const clock = {
    now: () => new Date(time),
    async sleep(ms: number) {
      expect(ms).toBeGreaterThan(0)
      slept += ms
      time += ms
    },
  }
  const limits = { perMinute: 10, perDay: undefined, concurrency: 5 }
  const rateLimiter = createRateLimiter({ db, organization: '1', limits, clock, log: pino({ level: 'silent' }) })
  const signal = AbortSignal.timeout(20_000)
  const call = async (code: string | null = null) =>
    (await rateLimiter.acquire(CALL, signal)).done({
      status: 200,
      code,
      ms: 1,
      dayLimit: undefined,
      dayLeft: undefined,
      dayResetsAt: undefined,
    })
  for (let n = 0; n < 10; n++) await call()
  expect(slept).toBe(0)
  time -= 3_600_000
  await call()
  // Those of before count from now on: the full minute is waited for, and not the hour.
  expect(slept).toBe(60_000)
  await call('44')
  time -= 3_600_000
  slept = 0
  await call()
  expect(slept).toBeLessThanOrEqual(60_000)
})
