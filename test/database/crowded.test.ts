import { expect, onTestFinished, test } from 'vitest'
import { isDatabaseGone } from '../../src/database-gone.ts'
import { openDatabase } from '../../src/db.ts'
import { inHurry, withPatience } from '../../src/db-patience.ts'
import { connect } from '../helpers/connect.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startRunAt } from '../helpers/server-process.ts'
import { until } from '../helpers/until.ts'
import { startZinc } from '../helpers/zinc.ts'

const CONNECTIONS = 12
const WAITING = `select count(*)::int as n from pg_locks join pg_database on pg_database.oid = pg_locks.database
  where not granted and relation = 'product'::regclass and datname = current_database()`

test('while every connection is busy a request is refused after two seconds and a run goes on', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const admin = await connect(zinc.services.databaseUrl)
  onTestFinished(() => admin.end())
  const list = (n: number) => zinc.call(`/api/products?limit=${n + 1}`)
  const calls = zinc.zoho.counters.images

  await admin.query('begin')
  await admin.query('lock table product in access exclusive mode')
  const run = await startRunAt(zinc.url)
  const first = Array.from({ length: CONNECTIONS }, (_, n) => list(n))
  await until(async () => (await admin.query<{ n: number }>(WAITING)).rows[0]!.n >= CONNECTIONS)
  const began = performance.now()
  const crowd = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const { status, headers } = await (n % 2 ? list(n) : zinc.call('/api/v1/users'))
      return [status, Number(headers.get('retry-after')) > 0, Math.round((performance.now() - began) / 1_000) >= 2]
    }),
  )
  expect(crowd).toEqual(Array(100).fill([503, true, true]))
  expect((await fetch(`${zinc.url}/health/live`)).status).toBe(200)
  await admin.query('rollback')

  expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([200]))
  const again = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? list(n) : zinc.call('/api/v1/users'))))
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]))
  await until(async () => (await zinc.services.runs.get(run)).finished_at !== null)
  expect(await zinc.services.runs.get(run)).toMatchObject({ state: 'success' })
  expect(zinc.zoho.counters.images - calls).toBe(await zinc.services.db.photo.count())
})

test('only requests leave the queue for a connection after two seconds, not what they started', async () => {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  const occupy = (seconds: number) =>
    Array.from({ length: CONNECTIONS }, () => db.$queryRaw`select pg_sleep(${seconds})::text`.then(() => {}))
  await Promise.all(occupy(0.2))
  const busy = Promise.all(occupy(3))
  const ask = () => db.product.count().catch(isDatabaseGone)
  const [refused, begun, underWay] = await Promise.all([
    inHurry(() => true, ask),
    inHurry(
      () => true,
      () => withPatience(ask),
    ),
    inHurry(() => false, ask),
  ])
  expect([refused, begun, underWay]).toEqual([true, 0, 0])
  await busy
})
