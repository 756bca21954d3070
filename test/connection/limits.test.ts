import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { CALL_PURPOSES, PURPOSES } from '../../src/connection/call-purposes.ts'
import { createRateLimiter } from '../../src/connection/rate-limiter.ts'
import { openDatabase } from '../../src/database/client.ts'
import type { CallJob } from '../../src/zoho/rate-limiter.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { longTest, shortened } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const REFUSED = { status: 401, body: '{"code":57,"message":"You are not authorized to perform this operation"}' }
const OK = { status: 200, code: null, ms: 1 }

async function openLimiter(stack: AsyncDisposableStack, perMinute: number) {
  const database = await createTestDatabase()
  stack.defer(() => database.drop())
  const db = stack.adopt(openDatabase(database.url), (it) => it.$disconnect())
  const clock = {
    time: Date.parse('2026-11-01T08:00:00Z'),
    now: () => new Date(clock.time),
    async sleep(ms: number) {
      clock.time += ms
    },
  }
  const limits = { perMinute, perDay: undefined, concurrency: 5 }
  const limiter = createRateLimiter({ db, organization: '1', limits, clock, log: pino({ level: 'silent' }) })
  const acquire = (job: CallJob = 'items') => limiter.acquire({ job, path: '/items' }, AbortSignal.timeout(20_000))
  return { db, clock, acquire }
}

test('a purpose with a share of the day makes no more calls than that, and others still may', async () => {
  await using stack = new AsyncDisposableStack()
  const { db, clock, acquire } = await openLimiter(stack, 1_000)
  const at = clock.now()
  const day_resets_at = new Date(at.getTime() + 3_600_000)
  await db.zohoRateLimit.create({ data: { organization: '1', day_limit: 50, day_left: 45, day_resets_at } })
  const call = { organization: '1', job: 'stock', path: '/itemdetails', started_at: at, finished_at: at }
  await db.zohoCall.createMany({ data: Array<typeof call>(4).fill(call) })
  await acquire('stock')
  await expect(acquire('stock')).rejects.toMatchObject({ code: 'daily_quota_exceeded' })
  await acquire('items')
})

test('docs/operations.md names every purpose of calls with its reserve and share', () => {
  const rows = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^\| `(\w+)` \| [^|]+ \| (\d+) %[^|]* \| (\d+) % \|$/gm)]
  expect(rows.map(([, purpose, reserve, share]) => ({ purpose, reserve: Number(reserve), share: Number(share) }))).toEqual(
    PURPOSES.map((purpose) => {
      const { reserve, share } = CALL_PURPOSES[purpose]
      return { purpose, reserve: reserve?.percent ?? 0, share: share?.percent ?? 100 }
    }),
  )
})

test('a call counts until a minute after its response, however late that comes', async () => {
  await using stack = new AsyncDisposableStack()
  const { clock, acquire } = await openLimiter(stack, 3)
  const calls = [await acquire(), await acquire(), await acquire()]
  clock.time += 50_000
  const responded = clock.time
  for (const call of calls) await call.done(OK)
  await acquire()
  expect(clock.time - responded).toBe(60_000)
})

test('the room of a minute comes back call by call, in the order of the responses', async () => {
  await using stack = new AsyncDisposableStack()
  const { clock, acquire } = await openLimiter(stack, 2)
  const [slow, fast] = [await acquire(), await acquire()]
  await fast.done(OK)
  const first = clock.time
  clock.time += 20_000
  await slow.done(OK)
  await acquire()
  expect(clock.time - first).toBe(60_000)
  await acquire()
  expect(clock.time - first).toBe(80_000)
})

test('a run whose process was killed moves again within ten seconds', async () => {
  const zinc = await startZinc({ environment: { ZOHO_REQUESTS_PER_MINUTE: '80' } })
  const { db, runs } = zinc.services
  const began = Date.now()
  const { id } = await db.run.create({ data: { kind: 'items', state: 'running', fence: 1n, params: {}, started_by: 'test' } })
  const left = { organization: FAKE_CREDENTIALS.organizationId, job: 'image', path: '/image', run_id: id, started_at: new Date() }
  await db.zohoCall.createMany({ data: Array.from({ length: 20 }, () => left) })
  expect(await runs.wait(id, AbortSignal.timeout(60_000))).toMatchObject({ state: 'success', statistics: { total: 30 } })
  expect(Date.now() - began).toBeLessThan(10_000)
  // They count for a minute from then on.
  expect((await request(zinc, 'GET', '/quota')).body.data.minute.used).toBeGreaterThan(20)
})

test.each(
  shortened(1, [
    ['12', 10],
    ['400', 20],
  ]),
)('with ZOHO_REQUESTS_PER_DAY=%s beside 10,000 of Zoho %i pictures come', async (perDay, images) => {
  const zinc = await startZinc({
    limits: { perMinute: null, perDay: 10_000, inFlight: null, blockMs: 60_000 },
    environment: { ZOHO_REQUESTS_PER_MINUTE: '1000', ZOHO_REQUESTS_PER_DAY: perDay },
  })
  expect((await zinc.sync('?sync_images=true')).statistics.images_downloaded).toBe(images)
  expect((await request(zinc, 'GET', '/quota')).body.data.day).toMatchObject({
    limit: Number(perDay),
    reserve: Math.ceil(Number(perDay) / 20),
  })
})

test('five stray refusals while pictures run cost one sign-in and no picture', async () => {
  const zinc = await startZinc()
  zinc.zoho.fail({ path: /\/image/, times: 5, ...REFUSED })
  expect(await zinc.sync('?sync_images=true')).toMatchObject({ status: 'success', statistics: { images_downloaded: 20, images_failed: 0 } })
  expect(zinc.zoho.counters.token).toBeLessThanOrEqual(2)
})

longTest('stray refusals of the list do not fail the run', async () => {
  const zinc = await startZinc()
  zinc.zoho.fail({ path: /items\?/, times: 3, ...REFUSED })
  expect(await zinc.sync()).toMatchObject({ status: 'success', statistics: { total: 30 } })
})

longTest('what stays refused in the middle of a run parks it with its cause, and it goes on from there', async () => {
  const zinc = await startZinc()
  zinc.zoho.fail({ path: /\/image/, times: 10_000, ...REFUSED })
  const parked = await zinc.sync('?sync_images=true')
  expect(parked).toMatchObject({ status: 'paused', resumes_at: expect.any(String), errors: [] })
  expect((await request(zinc, 'GET', `/sync/runs/${parked.run_id}`)).body.data).toMatchObject({ code: 'scope_missing', zoho_code: '57' })
  zinc.zoho.clearFaults()
  await request(zinc, 'POST', `/sync/runs/${parked.run_id}/resume`)
  expect(await zinc.services.runs.wait(parked.run_id, AbortSignal.timeout(60_000))).toMatchObject({
    state: 'success',
    statistics: { images_downloaded: 20 },
  })
})
