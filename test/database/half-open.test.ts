import { expect, onTestFinished, test } from 'vitest'
import { isDatabaseGone } from '../../src/database-gone.ts'
import { openDatabase } from '../../src/db.ts'
import { openBadLine } from '../helpers/bad-line.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startZinc } from '../helpers/zinc.ts'

const WITHIN_MS = 10_000
/** The look comes once a second, and this machine may be busy. */
const SLACK_MS = 2_500

async function databaseBehindALine() {
  const database = await createTestDatabase()
  const line = await openBadLine(database.url)
  const url = new URL(database.url)
  url.port = new URL(line.url).port
  onTestFinished(async () => {
    await line.close()
    await database.drop()
  })
  return { url: url.href, line }
}

test('a silent database fails queries within ten seconds, leaves slow ones alone, and recovers', async () => {
  const { url, line } = await databaseBehindALine()
  const db = openDatabase(url)
  onTestFinished(() => db.$disconnect())
  // Longer than the silence after which it is asked after.
  const [slow] = await db.$queryRaw<{ done: number }[]>`select 1 as done from pg_sleep(6.5)`
  expect(slow).toEqual({ done: 1 })

  // All connections of the pool are open, some of them in a transaction.
  await Promise.all(Array.from({ length: 12 }, () => db.$queryRaw`select 1 as one from pg_sleep(0.2)`))
  let began = 0
  let late: Promise<unknown> | undefined
  const failures = Promise.all([
    ...Array.from({ length: 14 }, () => db.product.count().catch((error: unknown) => error)),
    db
      .$transaction(async (tx) => {
        await tx.product.count()
        line.swallow(true)
        began = performance.now()
        late = db.product.count().catch((error: unknown) => error)
        await tx.product.count()
      })
      .catch((error: unknown) => error),
  ])
  const transaction = (await failures).at(-1)
  const afterwards = await late
  expect(performance.now() - began).toBeLessThan(WITHIN_MS + SLACK_MS)
  for (const failure of [transaction, afterwards]) expect([isDatabaseGone(failure), failure]).toEqual([true, expect.any(Error)])
  line.swallow(false)
  expect(await Promise.all(Array.from({ length: 20 }, () => db.product.count().catch((error: unknown) => error)))).toEqual(
    Array(20).fill(0),
  )
})

test('while the database is silent zinc is alive, not ready, and answers 503 until it is back', async () => {
  const { url, line } = await databaseBehindALine()
  const zinc = await startZinc({ environment: { DATABASE_URL: url } })
  expect((await zinc.call('/api/products')).status).toBe(200)
  line.swallow(true)
  const began = performance.now()
  const [live, ready, products] = await Promise.all([
    fetch(`${zinc.url}/health/live`),
    fetch(`${zinc.url}/health/ready`),
    zinc.call('/api/products'),
  ])
  expect([live.status, ready.status, products.status]).toEqual([200, 503, 503])
  expect(products.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(performance.now() - began).toBeLessThan(WITHIN_MS + SLACK_MS)
  line.swallow(false)
  // The connections that were open then are dead for good, but nobody has to know.
  const back = performance.now()
  while ((await fetch(`${zinc.url}/health/ready`)).status !== 200) expect(performance.now() - back).toBeLessThan(WITHIN_MS + SLACK_MS)
  expect((await zinc.call('/api/products')).status).toBe(200)
})
