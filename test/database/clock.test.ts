import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createLoginRateLimiter } from '../../src/auth/login-rate-limit.ts'
import { openDatabase, type RawDb } from '../../src/database/client.ts'
import { openDatabaseClock } from '../../src/database/clock.ts'
import { createCircuitBreaker } from '../../src/zoho/circuit-breaker.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const SHIFTED = pathToFileURL(fileURLToPath(new URL('../helpers/shifted-clock.ts', import.meta.url))).href
const MINUTE_MS = 60_000

longTest('processes with clocks ten minutes off share one minute and date by the database', async () => {
  const { environment, services } = await startZinc({ environment: { ZOHO_REQUESTS_PER_MINUTE: '80' } })
  const wrongBy = (aheadMs: number) =>
    startServerProcess({ ...environment, NODE_OPTIONS: `--import ${SHIFTED}`, CLOCK_AHEAD_MS: `${aheadMs}` })
  const [ahead, behind] = [await wrongBy(10 * MINUTE_MS), await wrongBy(-10 * MINUTE_MS)]
  const settings = '/api/settings/integrations/zoho'
  for (const { url } of [behind, ahead, behind]) {
    // A token that the one gave counts at the other.
    const authorization = `Bearer ${await login(url === ahead.url ? behind.url : ahead.url)}`
    const response = await fetch(`${url}${settings}/sync/item/execute`, { method: 'POST', headers: { authorization } })
    expect(await response.json()).toMatchObject({ status: 'success' })
    for (const at of [ahead, behind]) {
      const quota = await fetch(`${at.url}${settings}/quota`, { headers: { authorization } })
      expect(await quota.json()).toMatchObject({ data: { minute: { used: await services.db.zohoCall.count() } } })
    }
  }
  for (const { started_at, finished_at } of await services.db.run.findMany())
    for (const at of [started_at, finished_at]) expect(Math.abs(at!.getTime() - Date.now())).toBeLessThan(MINUTE_MS)
})

test('the clock follows a database whose clock is set, and runs on while it is away', async () => {
  let aheadMs = 0
  let isAway = false
  let looks = 0
  const response = async () => {
    looks++
    if (isAway) throw new Error('away')
    return [{ ms: Date.now() + aheadMs }]
  }
  const clock = await openDatabaseClock({ $queryRaw: response, $executeRaw: async () => 0 } as unknown as RawDb, { everyMs: 5 })
  onTestFinished(() => clock[Symbol.dispose]())
  const differs = () => clock.now().getTime() - Date.now()
  const isAhead = (ms: number) => Math.abs(differs() - ms) < 1_000
  expect(isAhead(0)).toBe(true)
  for (const set of [60 * MINUTE_MS, -60 * MINUTE_MS]) {
    aheadMs = set
    await waitFor(() => isAhead(set))
  }
  isAway = true
  aheadMs = 0
  const before = looks
  await waitFor(() => looks > before + 3)
  expect(isAhead(-60 * MINUTE_MS)).toBe(true)
})

test("a clock set back by an hour delays neither logins nor the check of Zoho's health", async () => {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  let time = Date.parse('2026-11-01T08:00:00Z')
  const clock = { now: () => new Date(time), sleep: async () => {} }
  const rateLimiter = createLoginRateLimiter({ db, clock })
  const who = { username: 'admin', address: '192.0.2.1' }
  for (let n = 0; n < 10; n++) await (await rateLimiter.admit(who)).failed()
  await expect(rateLimiter.admit(who)).rejects.toMatchObject({ code: 'login_rate_limited' })
  const breaker = createCircuitBreaker({ clock })
  const call = (response: () => Promise<string>) =>
    breaker.execute(response, {
      path: '/inventory/v1/items',
      useBreaker: true,
      signal: AbortSignal.timeout(20_000),
      classifyResponse: () => 'fails',
    })
  for (let n = 0; n < 10; n++) await expect(call(() => Promise.reject(new Error('ill')))).rejects.toThrow('ill')
  await expect(call(async () => 'well')).rejects.toMatchObject({ code: 'zoho_circuit_open' })

  time -= 60 * MINUTE_MS
  await (await rateLimiter.admit(who)).succeeded()
  expect(await call(async () => 'well')).toBe('well')
})
