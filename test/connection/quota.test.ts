import { expect, test } from 'vitest'
import { listCalls, pruneCalls } from '../../src/connection/call-log.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { createFastClock } from '../helpers/clock.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { skipPriceLists, startZinc } from '../helpers/zinc.ts'

test("the quota shows Zoho's figures, users and forecast, and a spent day limits the connection", async () => {
  const clock = createFastClock(1)
  const zinc = await startZinc({
    clock,
    limits: { perMinute: null, perDay: 40, inFlight: null, blockMs: 60_000 },
    environment: { ZOHO_REQUESTS_PER_MINUTE: '1000' },
  })
  expect((await request(zinc, 'GET', '/quota')).body.data).toMatchObject({
    minute: { limit: 1000, used: 0, left: 1000 },
    day: { limit: null, used: 0, left: null, resets_at: null },
    forecast: { calls: 0, days: null },
  })
  await skipPriceLists(zinc)
  await zinc.sync('?sync_images=true') // one list call, 20 pictures, the organization
  const { data } = (await request(zinc, 'GET', '/quota')).body
  expect(data).toMatchObject({
    minute: { limit: 1000, used: 22, left: 978 },
    day: { limit: 40, used: 21, left: 19, reserve: 2, resets_at: expect.any(String) },
    by_job: [
      { job: 'image', calls: 20 },
      { job: 'items', calls: 1 },
      { job: 'organization', calls: 1 },
    ],
  })
  const none = { forecast: 0, reserve: 0, reserve_percent: 0, share: null, share_percent: null }
  const unscheduled = { oldest_at: expect.any(String), limited_by: 'no_schedule' }
  expect(data.purposes.filter((it: { used: number }) => it.used > 0)).toEqual([
    { ...none, purpose: 'items', used: 1, ...unscheduled },
    { ...none, purpose: 'images', used: 20, reserve: 2, reserve_percent: 5, ...unscheduled },
    { ...none, purpose: 'tests', used: 1, oldest_at: null, limited_by: null },
  ])
  expect(data.by_minute.reduce((sum: number, it: { calls: number }) => sum + it.calls, 0)).toBe(22)
  expect(data.by_day).toMatchObject([{ calls: 22 }])

  // Each slot until the reset costs what the last full sync did.
  await request(zinc, 'PATCH', '/modules/inventory', { full_schedule: '0 */6 * * *' })
  const planned = (await request(zinc, 'GET', '/quota')).body.data.forecast
  expect(planned.scheduled_calls % 21).toBe(0)
  // What follows the sync may be queued still.
  expect(planned.calls).toBe(planned.scheduled_calls + planned.queued_calls)
  const { purposes } = (await request(zinc, 'GET', '/quota')).body.data
  expect(purposes.reduce((sum: number, it: { forecast: number }) => sum + it.forecast, 0)).toBe(planned.calls)

  const pages: string[] = []
  let cursor: string | null = null
  do {
    const page: { body: { data: { path: string; at: string; status: number; ms: number }[]; next_cursor: string | null } } = await request(
      zinc,
      'GET',
      `/calls?limit=7${cursor ? `&cursor=${cursor}` : ''}`,
    )
    pages.push(...page.body.data.map((it) => it.path))
    expect(page.body.data.every((it) => it.status === 200 && it.ms >= 0)).toBe(true)
    cursor = page.body.next_cursor
  } while (cursor)
  expect(pages).toHaveLength(22)
  expect(pages.at(-1)).toBe('/inventory/v1/organizations')
  expect(pages.some((path) => path.includes('?'))).toBe(false)
  expect(await request(zinc, 'GET', '/calls?cursor=junk')).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })

  zinc.zoho.fail({
    path: /items\?/,
    times: 1,
    status: 429,
    body: '{"code":45,"message":"The API call for this organization has exceeded the maximum call rate limit of 40."}',
  })
  const paused = await zinc.sync()
  expect(paused.status).toBe('paused')
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({
    state: 'limited',
    until: expect.any(String),
    code: 'daily_quota_exceeded',
  })
  expect((await request(zinc, 'GET', '/calls?failed=true')).body.data).toMatchObject([{ status: 429, code: '45' }])
  expect((await request(zinc, 'GET', '/quota')).body.data.day).toMatchObject({ left: 0 })

  // Who goes on earlier, because there is quota again, is not held by what the last reply told.
  expect((await request(zinc, 'POST', `/sync/runs/${paused.run_id}/resume`)).status).toBe(200)
  await waitFor(async () => (await zinc.services.runs.get(paused.run_id)).state === 'success')
  expect((await request(zinc, 'GET', '/quota')).body.data.day.left).toBeGreaterThan(0)
})

test('too many sign-ins park the run, and no process signs in until Zoho allows it again', async () => {
  const zinc = await startZinc()
  zinc.zoho.fail({ path: /oauth/, times: 1, body: '{"error":"access_denied"}' })
  const parked = (await zinc.sync()) as unknown as { status: string; resumes_at: string }
  expect(parked.status).toBe('paused')
  const { connection } = (await request(zinc, 'GET', '/')).body.data
  expect(connection).toMatchObject({
    state: 'limited',
    code: 'access_denied',
    until: parked.resumes_at,
    remedy: expect.stringContaining('Do not test the connection'),
  })
  const asked = zinc.zoho.counters.token
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'access_denied' } })
  expect(zinc.zoho.counters.token).toBe(asked)
})

test('old lines of the log go, by age and by number, and new ones stay', async () => {
  const { services } = await startZinc()
  const { db } = services
  const now = Date.now()
  const row = (days: number) => ({
    organization: FAKE_CREDENTIALS.organizationId,
    job: 'items',
    path: `/${days}`,
    started_at: new Date(now - days * 86_400_000),
  })
  await db.zohoCall.createMany({
    data: [...Array.from({ length: 50 }, (_, n) => row(40 - n * 0.1)), ...Array.from({ length: 30 }, () => row(1))],
  })
  expect(await pruneCalls(db, new Date(now))).toBe(50)
  expect(await pruneCalls(db, new Date(now), { days: 30, rows: 10 })).toBe(20)
  const left = await listCalls(db, { limit: 100 })
  expect(left).toHaveLength(10)
  expect(left.every((it) => it.path === '/1')).toBe(true)
})
