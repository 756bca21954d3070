import { expect } from 'vitest'
import { SYSTEM_ACTOR } from '../../src/settings/audit-log.ts'
import { THREE_LOCATIONS } from '../../src/zoho-simulator/locations.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const isIdle = async ({ services }: TestZinc) => (await services.db.run.count({ where: { state: { in: ['queued', 'running'] } } })) === 0

longTest('stock by location keeps to its share of the day, waits for the next, and asks once for each item', async () => {
  const zinc = await startZinc({
    items: createSeed({ count: 450 }),
    locations: THREE_LOCATIONS,
    limits: { perMinute: null, perDay: 40, inFlight: null, blockMs: 60_000 },
    environment: { ZOHO_REQUESTS_PER_MINUTE: '100000', STOCK_PERCENT: '10' },
  })
  const { db, runs } = zinc.services
  await zinc.sync()
  await waitFor(() => isIdle(zinc))
  const paused = await db.run.findFirstOrThrow({ where: { kind: 'stock' } })
  expect(paused).toMatchObject({ state: 'paused', failure_code: 'daily_quota_exceeded', statistics: { total: 300 } })
  const stock = async () =>
    (await request(zinc, 'GET', '/quota')).body.data.purposes.find((it: { purpose: string }) => it.purpose === 'stock')
  // One call for the list of locations, three for items; the others are still missing.
  expect(await stock()).toMatchObject({ used: 4, share: 4, share_percent: 10, oldest_at: null })
  expect(await zinc.sync()).toMatchObject({ status: 'success' })

  expect(await request(zinc, 'PUT', '/quota', { stock_percent: 91 })).toMatchObject({ status: 400 })
  expect(await request(zinc, 'PUT', '/quota', {})).toMatchObject({ status: 400 })
  expect((await request(zinc, 'PUT', '/quota', { stock_percent: 20 })).status).toBe(200)
  await runs.resume(paused.id)
  await waitFor(async () => (await runs.get(paused.id)).state === 'success')
  expect(await runs.get(paused.id)).toMatchObject({ statistics: { total: 450 } })
  expect(await stock()).toMatchObject({ used: 6, share: 8, oldest_at: expect.any(String), limited_by: 'no_schedule' })

  // Hourly readings do not fit into two more calls; the audit log has who changed the share.
  await request(zinc, 'PATCH', '/modules/inventory', { stock_schedule: '0 * * * *' })
  expect(await stock()).toMatchObject({ limited_by: 'share' })
  expect((await request(zinc, 'GET', '/modules/inventory')).body.data).toMatchObject({ stock_schedule: '0 * * * *' })
  expect(await db.auditEntry.findFirst({ where: { action: 'quota.change' } })).toMatchObject({ fields: ['stock_percent'] })
  expect((await request(zinc, 'PATCH', '/modules/crm', { stock_schedule: '0 * * * *' })).body.code).toBe('invalid_selection')
  expect((await request(zinc, 'POST', '/modules/crm/sync?only=stock')).body.code).toBe('invalid_sync_part')
})

longTest('a full sync of 2,221 items with their stock by location takes 36 calls and one for the organization', async () => {
  const zinc = await startZinc({
    items: createSeed({ count: 2_221 }),
    locations: THREE_LOCATIONS,
    environment: { STOCK_PERCENT: '10' },
  })
  await zinc.sync()
  await waitFor(() => isIdle(zinc))
  expect(
    await zinc.services.db.zohoCall.groupBy({
      by: ['path'],
      where: { job: { in: ['items', 'stock', 'organization'] } },
      _count: true,
      orderBy: { path: 'asc' },
    }),
  ).toEqual([
    { path: '/inventory/v1/itemdetails', _count: 23 },
    { path: '/inventory/v1/items', _count: 12 },
    { path: '/inventory/v1/locations', _count: 1 },
    { path: '/inventory/v1/organizations', _count: 1 },
  ])
})

longTest(
  'on a plan of 1,000 calls a day stock is read four times and no sync of items waits',
  async () => {
    const midnight = Date.parse('2026-11-30T21:00:00Z') // in Baghdad
    let time = midnight
    const clock = {
      now: () => new Date(time),
      async sleep(ms: number) {
        time += ms
      },
    }
    const zinc = await startZinc({
      clock,
      now: () => time,
      items: createSeed({ count: 2_221 }),
      locations: THREE_LOCATIONS,
      limits: { perMinute: 100, perDay: 1_000, inFlight: 10, blockMs: 60_000 },
      environment: { ZOHO_REQUESTS_PER_MINUTE: '80', STOCK_PERCENT: '10' },
    })
    const { db, modules, scheduler } = zinc.services
    await modules.change(
      'inventory',
      { selection: { sync_images: false }, schedule: '*/15 * * * *', full_schedule: '0 */6 * * *', stock_schedule: '30 * * * *' },
      SYSTEM_ACTOR,
    )
    let oldestHours = 0
    for (let slot = 1; slot < 24 * 4; slot++) {
      time = Math.max(time, midnight + slot * 15 * 60_000)
      await scheduler.look(modules.startDue)
      await waitFor(() => isIdle(zinc))
      const { _min } = await db.itemDetail.aggregate({ _min: { stock_as_of: true } })
      if (_min.stock_as_of) oldestHours = Math.max(oldestHours, (time - _min.stock_as_of.getTime()) / 3_600_000)
    }
    const calls = Object.fromEntries((await db.zohoCall.groupBy({ by: ['job'], _count: true })).map(({ job, _count }) => [job, _count]))
    // The first and three by schedule are full, twelve calls each; the share of stock is a hundred.
    expect(calls).toMatchObject({ items: 91 + 4 * 12, stock: 100 })
    expect(zinc.zoho.meter.refused).toEqual([])
    expect(
      await db.run.groupBy({
        by: ['kind', 'state'],
        where: { kind: { in: ['items', 'stock'] } },
        _count: true,
        orderBy: [{ kind: 'asc' }, { state: 'asc' }],
      }),
    ).toEqual([
      { kind: 'items', state: 'success', _count: 95 },
      { kind: 'stock', state: 'paused', _count: 1 },
      { kind: 'stock', state: 'success', _count: 4 },
    ])
    // Its share is spread over the day.
    expect(oldestHours).toBeLessThan(6.6)
  },
  600_000,
)
