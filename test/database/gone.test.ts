import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isDatabaseGone } from '../../src/database-gone.ts'
import { openDatabase } from '../../src/db.ts'
import { connect } from '../helpers/connect.ts'
import { createTestDatabase } from '../helpers/database.ts'

test('a connection that is cut at any moment of a transaction counts as the database being away, and the next transaction works', async () => {
  const database = await createTestDatabase()
  const admin = await connect(database.url)
  const db = openDatabase(database.url)
  const cut = (pid: number) => admin.query('select pg_terminate_backend($1)', [pid])
  const within = (work: (cutNow: () => Promise<unknown>, tx: Parameters<Parameters<typeof db.$transaction>[0]>[0]) => Promise<unknown>) =>
    db
      .$transaction(async (tx) => {
        const [row] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`
        await work(() => cut(row!.pid), tx)
      })
      .catch((error: unknown) => error)

  const failures = [
    // Between two statements, noticed before the next one and not; and while one is under way.
    await within(async (cutNow, tx) => {
      await cutNow()
      await pause(100)
      await tx.$queryRaw`select 1`
    }),
    await within(async (cutNow, tx) => {
      await Promise.all([cutNow(), tx.$queryRaw`select 1`])
      await tx.product.count()
    }),
    await within(async (cutNow, tx) => {
      const slow = tx.$queryRaw`select pg_sleep(20)::text`
      slow.catch(() => {})
      await cutNow()
      await slow
    }),
    await within(async (cutNow) => void (await cutNow())),
  ]
  for (const failure of failures) expect([isDatabaseGone(failure), failure]).toEqual([true, expect.any(Error)])
  expect(await db.product.count()).toBe(0)
  await db.$disconnect()
  await database.drop()
})
