import { beforeAll, expect, test } from 'vitest'
import { createPriceBooks } from '../../src/zoho-simulator/price-books.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { createFastClock } from '../helpers/clock.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const clock = createFastClock(60)
  const items = createSeed({ count: 30 })
  const options = { items, priceBooks: createPriceBooks(items), clock, now: () => clock.now().getTime() }
  const opened = await openZinc(options)
  zinc = opened
  await zinc.sync()
  return opened.end
})

longTest.each([
  ['price_lists', /pricebooks/],
  ['groups', /itemgroups/],
] as const)('a run of %s that begins while Zoho is away waits for it and ends in success', async (kind, path) => {
  const { runs, db } = zinc.services
  await waitFor(async () => (await db.run.count({ where: { state: { in: ['queued', 'running'] } } })) === 0)
  zinc.zoho.fail({ path, times: 10_000, status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' })
  const { run_id } = await runs.start(kind, { mode: 'full' }, { startedBy: 'test' })
  await waitFor(async () => (await runs.get(run_id)).state === 'paused')
  expect(await runs.get(run_id)).toMatchObject({ failure_code: 'zoho_unavailable', resumes_at: expect.any(Date) })
  zinc.zoho.clearFaults()
  await waitFor(async () => (await runs.get(run_id)).finished_at !== null)
  expect(await runs.get(run_id)).toMatchObject({ state: 'success' })
})

test('CRM that loses Zoho in the middle waits, and has each record once', async () => {
  const { runs, db } = zinc.services
  zinc.zoho.fail({ path: /crm\/v\d\/Deals/i, times: 10_000, status: 503, body: '{}' })
  const { run_id } = await runs.start('crm', {}, { startedBy: 'test' })
  await waitFor(async () => ['paused', 'failed', 'partial'].includes((await runs.get(run_id)).state))
  expect(await runs.get(run_id)).toMatchObject({ state: 'paused', failure_code: 'zoho_unavailable' })
  const before = await db.zohoRecord.count({ where: { app: 'crm' } })
  expect(before).toBeGreaterThan(0)
  zinc.zoho.clearFaults()
  await waitFor(async () => (await runs.get(run_id)).finished_at !== null)
  const { state, statistics } = await runs.get(run_id)
  expect([state, (statistics as Record<string, number>).new]).toEqual(['success', await db.zohoRecord.count({ where: { app: 'crm' } })])
})
