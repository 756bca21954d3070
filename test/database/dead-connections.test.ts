import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { openDatabase, pgTransaction, queryPrepared } from '../../src/database/client.ts'
import { createClient } from '../../src/database/connection.ts'
import { isConnectionError } from '../../src/database/errors.ts'
import { tryAdvisoryLock } from '../../src/database/locks.ts'
import { Prisma } from '../../src/generated/client.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const log = pino({ level: 'silent' })
const STATEMENT_TIMEOUT_MS = 2_000
/** The statement's own time, five seconds for the response, and this machine may be busy. */
const WITHIN_MS = STATEMENT_TIMEOUT_MS + 5_000 + 3_000

async function databaseBehindALine() {
  const database = await createTestDatabase()
  const line = await openFaultProxy(database.url)
  const url = new URL(database.url)
  url.port = new URL(line.url).port
  onTestFinished(async () => {
    await line.close()
    await database.drop()
  })
  return { url: url.href, line }
}

const failure = (work: PromiseLike<unknown>) => Promise.resolve(work).catch((error: unknown) => error)

longTest('when the line goes silent every query under way fails in time, and no dead connection serves again', async () => {
  const { url, line } = await databaseBehindALine()
  const db = openDatabase(url, { statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  onTestFinished(() => db.$disconnect())
  // All connections of the pool are open.
  await Promise.all(Array.from({ length: 12 }, () => db.$queryRaw`select 1 as one from pg_sleep(0.2)`))
  let began = 0
  let afterwards: Promise<unknown> | undefined
  const silence = () => {
    line.swallow(true)
    began = performance.now()
    afterwards = failure(db.product.count())
  }
  const underWay = await Promise.all([
    failure(
      db.$transaction(async (tx) => {
        await tx.product.count()
        silence()
        await tx.product.count()
      }),
    ),
    failure(
      pgTransaction(db, async (tx) => {
        while (began === 0) await tx.$queryRaw`select 1`
        await tx.$queryRaw`select 1`
      }),
    ),
    failure(
      (async () => {
        for (;;) await queryPrepared(db, Prisma.sql`select 1`)
      })(),
    ),
  ])
  const failures = [...underWay, await afterwards]
  expect(performance.now() - began).toBeLessThan(WITHIN_MS)
  expect(failures.map(isConnectionError)).toEqual(Array(4).fill(true))
  line.swallow(false)
  expect(await Promise.all(Array.from({ length: 20 }, () => failure(db.product.count())))).toEqual(Array(20).fill(0))
})

longTest('a connection that is used is not taken for a silent one, however long ago it was made', async () => {
  const { url } = await databaseBehindALine()
  const db = openDatabase(url, { statementTimeoutMs: 200 })
  onTestFinished(() => db.$disconnect())
  const pid = () => db.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid from pg_sleep(0.1)`
  const [first] = await pid()
  const began = performance.now()
  let last = first
  while (performance.now() - began < 6_000) [last] = await pid()
  expect(last).toEqual(first)
})

longTest('a lock that is asked for on a silent line is given up within seconds', async () => {
  const { url, line } = await databaseBehindALine()
  const client = createClient(url)
  await client.connect()
  line.swallow(true)
  const began = performance.now()
  const [lock, late] = await Promise.all([failure(tryAdvisoryLock(url, 'a run', { log })), failure(createClient(url).connect())])
  expect([lock, late].map(isConnectionError)).toEqual([true, true])
  expect(performance.now() - began).toBeLessThan(WITHIN_MS)
  await client.end()
})

longTest('while the database is silent zinc lives and is not ready, and serves by itself when it is back', async () => {
  const { url, line } = await databaseBehindALine()
  const zinc = await startZinc({ environment: { DATABASE_URL: url } })
  expect((await zinc.call('/api/products')).status).toBe(200)
  line.swallow(true)
  const began = performance.now()
  const [live, ready] = await Promise.all([fetch(`${zinc.url}/health/live`), fetch(`${zinc.url}/health/ready`)])
  expect([live.status, ready.status]).toEqual([200, 503])
  expect(ready.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(performance.now() - began).toBeLessThan(WITHIN_MS)
  line.swallow(false)
  // The connections that were open then are dead for good, but new ones are made beside them. Where
  // work in
  // the background has taken the whole pool meanwhile, their queries have to fail first, after 65
  // s.
  const back = performance.now()
  while ((await fetch(`${zinc.url}/health/ready`)).status !== 200) expect(performance.now() - back).toBeLessThan(90_000)
  expect((await zinc.call('/api/products')).status).toBe(200)
  // Only so that the test ends soon: what hangs on the silent connections would fail after 65 s.
  line.cut()
})
