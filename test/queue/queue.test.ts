import { PgBoss } from 'pg-boss'
import { beforeAll, expect, test } from 'vitest'
import { queryText } from '../../src/database/client.ts'
import { MEDIA_REGENERATE } from '../../src/images/processing/regenerate-run.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  return opened.end
})

const left = () =>
  zinc.services.db.$queryRaw<
    { count: number }[]
  >`select count(*)::int as count from pgboss.job where name = 'variants' and state <= 'active'`

test('the migration makes the tables that the installed pg-boss expects', async () => {
  const boss = new PgBoss({ db: { executeSql: (text, values) => queryText(zinc.services.db, text, values) }, migrate: false })
  const drift = await boss.detectSchemaDrift()
  const differences = Object.entries(drift).filter(([, value]) => Array.isArray(value) && value.length > 0)
  expect(differences).toEqual([])
})

test('a job is added with the transaction or not at all, and once while one of its key waits', async () => {
  const { db, queue } = zinc.services
  const job = { data: { id: '0', attempt: 0 }, key: 'test', startAfterSeconds: 3_600 }
  const waiting = () => db.$queryRaw`select data from pgboss.job where singleton_key = 'test'`
  const failing = db.$transaction(async (tx) => {
    await queue.add(tx, 'notification', [job])
    throw new Error('the change failed')
  })
  await expect(failing).rejects.toThrow('the change failed')
  expect(await waiting()).toEqual([])
  await queue.add(db, 'notification', [job])
  await queue.add(db, 'notification', [job])
  expect(await waiting()).toEqual([{ data: { id: '0', attempt: 0 } }])
})

test('a notification whose job is gone is sent all the same', async () => {
  const { db, notifier } = zinc.services
  const created_at = new Date(Date.now() - 120_000)
  const { id } = await db.notification.create({ data: { kind: 'test', subject: 'A test', text: 'Text', created_at, try_at: created_at } })
  await notifier.addMissingJobs()
  await waitFor(async () => (await db.notification.findUniqueOrThrow({ where: { id } })).sent_at !== null)
})

test('a cancelled run leaves no job behind, and another makes every variant once', async () => {
  const { db, runs } = zinc.services
  const { run_id } = await runs.start(MEDIA_REGENERATE, { which: 'all' }, { startedBy: 'test' })
  await runs.cancel(run_id)
  await waitFor(async () => (await left())[0]?.count === 0)
  expect(await runs.get(run_id)).toMatchObject({ state: 'cancelled' })

  await db.variant.deleteMany()
  const again = await runs.start(MEDIA_REGENERATE, { which: 'missing' }, { startedBy: 'test' })
  await waitFor(async () => (await runs.get(again.run_id)).finished_at !== null)
  const originals = await db.blob.count({ where: { photos: { some: { deleted_at: null } } } })
  expect(await runs.get(again.run_id)).toMatchObject({
    state: 'success',
    statistics: { checked: originals, made: originals * 2, failed: 0 },
    checkpoint: { open: [] },
  })
  expect(await db.variant.count()).toBe(originals * 2)
})

longTest('a job of a worker that vanished is done by another one', async () => {
  const { db, queue } = zinc.services
  const { id } = await db.notification.create({ data: { kind: 'test', subject: 'A test', text: 'Text' } })
  await queue.add(db, 'notification', [{ data: { id: String(id), attempt: 0 }, key: 'vanished', startAfterSeconds: 3_600 }])
  await db.$executeRaw`update pgboss.job set state = 'active', started_on = now() - interval '1 minute',
    heartbeat_on = now() - interval '1 minute', start_after = now() where singleton_key = 'vanished'`
  await waitFor(async () => (await db.notification.findUniqueOrThrow({ where: { id } })).sent_at !== null)
})
