import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Database, openDatabase, pgTransaction, queryPrepared, type RawDb } from '../../src/database/client.ts'
import { isConnectionError } from '../../src/database/errors.ts'
import { Prisma } from '../../src/generated/client.ts'
import { connect } from '../helpers/connection.ts'
import { createTestDatabase } from '../helpers/database.ts'

type Transaction = (db: Database, work: (tx: RawDb) => Promise<void>) => Promise<void>
const KINDS: [string, Transaction][] = [
  ["Prisma's", (db, work) => db.$transaction(work)],
  ['a raw one', pgTransaction],
]

test.each(KINDS)('a connection cut in a transaction (%s) counts as database away; the next one works', async (_, transaction) => {
  const database = await createTestDatabase()
  const admin = await connect(database.url)
  const db = openDatabase(database.url)
  const cut = (pid: number) => admin.query('select pg_terminate_backend($1)', [pid])
  const within = (work: (cutNow: () => Promise<unknown>, tx: RawDb) => Promise<unknown>) =>
    transaction(db, async (tx) => {
      const [row] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`
      await work(() => cut(row!.pid), tx)
    }).catch((error: unknown) => error)

  const failures = [
    // Between two statements, noticed before the next one and not; and while one is under way.
    await within(async (cutNow, tx) => {
      await cutNow()
      await pause(100)
      await tx.$queryRaw`select 1`
    }),
    await within(async (cutNow, tx) => {
      await Promise.all([cutNow(), tx.$queryRaw`select 1`])
      await tx.$queryRaw`select count(*)::int from product`
    }),
    await within(async (cutNow, tx) => {
      const slow = Promise.resolve(tx.$queryRaw`select pg_sleep(20)::text`)
      slow.catch(() => {})
      await cutNow()
      await slow
    }),
    await within(async (cutNow) => void (await cutNow())),
  ]
  for (const failure of failures) expect([isConnectionError(failure), failure]).toEqual([true, expect.any(Error)])
  expect(await db.product.count()).toBe(0)
  await db.$disconnect()
  await database.drop()
})

test('a server that is not there counts as the database being away, whatever way it is asked', async () => {
  const db = openDatabase('postgresql://nobody:nothing@127.0.0.1:1/nowhere')
  const asked = [db.product.count(), db.$queryRaw`select 1`, db.$executeRaw`select 1`, queryPrepared(db, Prisma.sql`select 1`)]
  const failures = [
    ...(await Promise.all(asked.map((it) => it.catch((error: unknown) => error)))),
    await db.$transaction(async () => {}).catch((error: unknown) => error),
    await pgTransaction(db, async () => {}).catch((error: unknown) => error),
  ]
  for (const failure of failures) expect([isConnectionError(failure), failure]).toEqual([true, expect.any(Error)])
  await db.$disconnect()
})

test('a raw transaction that throws leaves nothing behind, and its connection serves the next one', async () => {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  const write = async (tx: RawDb) => tx.$executeRaw`insert into watermark (name) values (${'x'})`
  const broken = pgTransaction(db, async (tx) => {
    await write(tx)
    throw new Error('thought better of it')
  })
  await expect(broken).rejects.toThrow('thought better of it')
  const wrong = pgTransaction(db, async (tx) => {
    await write(tx)
    await tx.$queryRaw`select no_such_column from watermark`
  })
  await expect(wrong).rejects.toThrow('no_such_column')
  expect(await db.watermark.count()).toBe(0)
  expect(await pgTransaction(db, write)).toBe(1)
  expect(await db.watermark.count()).toBe(1)
  await db.$disconnect()
  await database.drop()
})
