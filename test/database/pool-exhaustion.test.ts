import { expect, onTestFinished } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { longTest } from '../helpers/long.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

const CONNECTIONS = 12
/** How long a request waits for a connection; this machine may be busy. */
const WITHIN_MS = 5_000 + 4_000
const WAITING = `select count(*)::int as n from pg_locks join pg_database on pg_database.oid = pg_locks.database
  where not granted and relation = 'product'::regclass and datname = current_database()`

longTest('while every connection is busy requests get 503 within seconds, and all is served when they are free', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const admin = await connect(zinc.services.databaseUrl)
  onTestFinished(() => admin.end())
  const list = (n: number) => zinc.call(`/api/products?limit=${n + 1}`)

  await admin.query('begin')
  await admin.query('lock table product in access exclusive mode')
  const run = await startRunAt(zinc.url)
  const first = Array.from({ length: CONNECTIONS }, (_, n) => list(n))
  await waitFor(async () => (await admin.query<{ n: number }>(WAITING)).rows[0]!.n >= CONNECTIONS)
  const began = performance.now()
  const crowd = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const { status, headers } = await (n % 2 ? list(n) : zinc.call('/api/v1/users'))
      return [status, Number(headers.get('retry-after')) > 0]
    }),
  )
  expect(performance.now() - began).toBeLessThan(WITHIN_MS)
  expect(crowd).toEqual(Array(100).fill([503, true]))
  expect((await fetch(`${zinc.url}/health/live`)).status).toBe(200)
  await admin.query('rollback')

  expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([200]))
  const again = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? list(n) : zinc.call('/api/v1/users'))))
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]))
  await waitFor(async () => (await zinc.services.runs.get(run)).finished_at !== null)
  expect(await zinc.services.runs.get(run)).toMatchObject({ state: 'success' })
})
