import pLimit from 'p-limit'
import { pino } from 'pino'
import { Agent } from 'undici'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createClient } from '../../src/connection/create-client.ts'
import { openDatabase } from '../../src/database/client.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createEncryption } from '../../src/settings/encryption.ts'
import { QuotaExceededError } from '../../src/zoho/errors.ts'
import { REAL_LIMITS } from '../../src/zoho-simulator/rate-limits.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { createFastClock } from '../helpers/clock.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest, shortened, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest("at Zoho's own limits no call is refused, and the sync takes as long as they say", async () => {
  const clock = createFastClock(4)
  const items = createSeed({ count: times(165, 2204) })
  const { zoho, sync } = await startZinc({
    items,
    imageOf: smallImage,
    limits: REAL_LIMITS,
    clock,
    now: () => clock.now().getTime(),
    environment: { ZOHO_REQUESTS_PER_MINUTE: '80' },
  })
  const began = clock.now().getTime()

  const response = await sync('?sync_images=true')

  expect(response.status).toBe('success')
  expect(zoho.meter.refused).toEqual([])
  expect(zoho.meter.maxInMinute).toBeLessThanOrEqual(100)
  expect(zoho.meter.maxInFlight).toBeLessThanOrEqual(REAL_LIMITS.inFlight!)
  const calls = zoho.meter.calls + 1 // the organisation's call is in zinc's own minute, though Zoho does not count it
  const predictedMs = Math.floor((calls - 1) / 80) * 60_000
  const tookMs = clock.now().getTime() - began
  expect(tookMs).toBeGreaterThan(predictedMs * 0.9)
  // The last part of a minute is not waited for; the calls in it take their own time, on a busy
  // machine four times as much by this clock.
  expect(tookMs).toBeLessThan(predictedMs * 1.1 + times(120_000, 60_000))
})

longTest('when the day is spent the run is parked without calls and resumes after the reset', async () => {
  let aheadMs = 0
  const clock: Clock = { now: () => new Date(Date.now() + aheadMs), sleep: systemClock.sleep }
  const { zoho, sync, services } = await startZinc({ limits: { perMinute: null, perDay: 12, inFlight: null, blockMs: 60_000 }, clock })

  const parked = (await sync('?sync_images=true')) as unknown as {
    status: string
    resumes_at: string
    run_id: string
    statistics: Record<string, number>
  }
  expect(parked.status).toBe('paused')
  expect(Date.parse(parked.resumes_at)).toBeGreaterThan(clock.now().getTime())
  expect(zoho.meter.calls).toBe(12)
  expect(parked.statistics.total).toBe(30)

  // 20 pictures at 12 calls a day: a second day ends it.
  zoho.advance(25 * 3_600_000)
  aheadMs += 25 * 3_600_000
  await waitFor(async () => (await services.runs.get(parked.run_id)).state === 'success')
  expect(await services.db.photo.count()).toBe(20)
})

test.each(
  shortened(1, [
    ['44, the minute', { status: 429, body: '{"code":44,"message":"blocked"}' }, 55_000],
    ['43, undocumented', { status: 429, body: '{"code":43,"message":"blocked"}' }, 55_000],
    ['429 without a code', { status: 429, body: '<html>slow down</html>', contentType: 'text/html' }, 55_000],
    ['429 with Retry-After', { status: 429, body: '<html></html>', contentType: 'text/html', headers: { 'retry-after': '120' } }, 115_000],
    [
      '429 with a Retry-After of words',
      { status: 429, body: '<html></html>', headers: { 'retry-after': 'Wed, 25 Nov 2099 00:00:00 GMT' } },
      55_000,
    ],
    ['1070, too many under way', { status: 429, body: '{"code":1070,"message":"in process"}' }, 500],
  ]),
)('after %s all calls wait, none is dropped, and the sync succeeds', async (_name, fault, leastMs) => {
  const clock = createFastClock(120)
  const { zoho, sync } = await startZinc({ clock, now: () => clock.now().getTime(), environment: { ZOHO_REQUESTS_PER_MINUTE: '80' } })
  zoho.fail({ path: /v1\/items\?/, times: 1, ...fault })
  const began = clock.now().getTime()
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 30 } })
  expect(clock.now().getTime() - began).toBeGreaterThan(leastMs)
  expect(zoho.meter.refused).toEqual([])
})

test.each(
  shortened(1, [
    { 'x-rate-limit-limit': '10', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '900000000' },
    { 'x-rate-limit-limit': '10', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1e300' },
    { 'x-rate-limit-limit': '1e12', 'x-rate-limit-remaining': '-5', 'x-rate-limit-reset': 'soon' },
  ]),
)('figures of the day that no reply can mean (%j) are not believed', async (headers) => {
  const { zoho, sync } = await startZinc()
  zoho.fail({ path: /v1\/items\?/, times: 1, status: 500, body: '<html></html>', headers })
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 30 } })
})

longTest('several instances on one database keep to one minute and one day, and sign in once', async () => {
  const clock = createFastClock(30)
  const now = () => clock.now().getTime()
  const calls = times(300, 1_200)
  const { zoho, services, environment } = await startZinc({ clock, now, limits: { ...REAL_LIMITS, perDay: calls - 50 } })
  await using stack = new AsyncDisposableStack()
  const dispatcher = stack.adopt(new Agent({ connections: 50 }), (it) => it.close())
  const encryption = createEncryption(() => [Buffer.alloc(32, 1)])
  const settings = { ...parseConfig(environment).zoho, requestsPerMinute: 80 }
  // Each with a pool of its own, as four processes have.
  const clients = Array.from({ length: 4 }, () =>
    createClient({
      db: stack.adopt(openDatabase(services.databaseUrl), (db) => db.$disconnect()),
      encryption,
      clock,
      log: pino({ level: 'silent' }),
      dispatcher,
      settings,
    }),
  )
  const limits = clients.map(() => pLimit(5))
  const responses = await Promise.allSettled(
    Array.from({ length: calls }, (_, n) =>
      limits[n % 4]!(() =>
        clients[n % 4]!.json({ path: '/inventory/v1/items', query: { per_page: '1' }, job: 'items' }, AbortSignal.timeout(600_000)),
      ),
    ),
  )
  const refused = responses.flatMap((it) => (it.status === 'rejected' ? [it.reason as Error] : []))
  expect(refused).toHaveLength(50)
  expect(refused.every((it) => it instanceof QuotaExceededError)).toBe(true)
  // Not one call too many was made: Zoho had to refuse nothing.
  expect(zoho.meter.refused).toEqual([])
  expect(zoho.meter.calls).toBe(calls - 50)
  expect(zoho.meter.maxInMinute).toBeLessThanOrEqual(100)
  expect(zoho.meter.maxInFlight).toBeLessThanOrEqual(REAL_LIMITS.inFlight!)
  expect(zoho.counters.token).toBe(1)
})

longTest('hundreds of calls that wait in one process leave the connections of its database to others', async () => {
  const { services, call } = await startZinc({ environment: { ZOHO_REQUESTS_PER_MINUTE: '100000', ZOHO_CONCURRENCY: '4' } })
  const client = await services.connect.open()
  const requestPage = () =>
    client.json({ path: '/inventory/v1/items', query: { per_page: '1' }, job: 'items' }, AbortSignal.timeout(100_000))
  let under = 200
  const all = Promise.all(Array.from({ length: under }, () => requestPage().finally(() => under--)))
  let crowd = 0
  while (under > 50) {
    const [row] = await services.db.$queryRaw<{ n: number }[]>`
      select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`
    crowd = Math.max(crowd, row!.n)
    expect((await call('/api/products?limit=1')).status).toBe(200)
  }
  expect((await all).length).toBe(200)
  expect(crowd).toBe(0)
})
