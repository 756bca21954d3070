import { expect, test } from 'vitest'
import { createCatalogue } from '../../src/simulator/catalogue.ts'
import { REAL_LIMITS } from '../../src/simulator/limits.ts'
import { createFastClock } from '../helpers/clock.ts'
import { times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

test("at Zoho's own limits no call is refused, no minute has more than 100, and the sync takes as long as the limit says", async () => {
  const clock = createFastClock(8)
  const items = createCatalogue({ count: times(300, 2204) })
  const { zoho, sync } = await startZinc({
    items,
    limits: REAL_LIMITS,
    clock,
    now: () => clock.now().getTime(),
    environment: { ZOHO_REQUESTS_PER_MINUTE: '80' },
  })
  const began = clock.now().getTime()

  const answer = await sync('?sync_images=true')

  expect(answer.status).toBe('success')
  expect(zoho.meter.refused).toEqual([])
  expect(zoho.meter.maxInMinute).toBeLessThanOrEqual(100)
  expect(zoho.meter.maxInFlight).toBeLessThanOrEqual(REAL_LIMITS.inFlight!)
  const calls = zoho.meter.calls + 1 // the organisation's call is in zinc's own minute, though Zoho does not count it
  const predictedMs = Math.floor((calls - 1) / 80) * 60_000
  const tookMs = clock.now().getTime() - began
  expect(tookMs).toBeGreaterThan(predictedMs * 0.9)
  // The last part of a minute is not waited for; the calls in it take their own time.
  expect(tookMs).toBeLessThan(predictedMs * 1.1 + 60_000)
})

test('when the day is spent the run is parked until the reset, no further call is made, and it goes on by itself', async () => {
  const clock = createFastClock(3_600)
  const { zoho, sync, services } = await startZinc({
    limits: { perMinute: null, perDay: 12, inFlight: null, blockMs: 60_000 },
    clock,
    now: () => clock.now().getTime(),
  })

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
  for await (const run of services.runs.events(parked.run_id, AbortSignal.timeout(100_000))) expect(run.state).not.toBe('failed')
  const { until } = await import('../helpers/until.ts')
  await until(async () => (await services.runs.get(parked.run_id)).state === 'success')
  expect(await services.db.photo.count()).toBe(20)
})
