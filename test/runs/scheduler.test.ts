import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/database/client.ts'
import { BadRequestError } from '../../src/lib/errors.ts'
import { nextTimes } from '../../src/runs/cron.ts'
import { createScheduler, type ScheduleMode, type StartDue } from '../../src/runs/scheduler.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { times } from '../helpers/long.ts'

const at = (text: string) => new Date(text)
const next = (cron: string, zone: string, from: string, count: number) =>
  nextTimes(cron, { zone, from: at(from), count }).map((it) => it.toISOString().slice(0, 16))

test('cron lines follow the wall clock of the zone over both changes of summer time, in both hemispheres', () => {
  // New York: 2:30 does not exist on 8 March; it runs right after the gap, once a day.
  expect(next('30 2 * * *', 'America/New_York', '2026-03-07T00:00Z', 3)).toEqual([
    '2026-03-07T07:30',
    '2026-03-08T07:00',
    '2026-03-09T06:30',
  ])
  // 1:30 comes twice on 1 November; it runs once.
  expect(next('30 1 * * *', 'America/New_York', '2026-10-31T00:00Z', 3)).toEqual([
    '2026-10-31T05:30',
    '2026-11-01T05:30',
    '2026-11-02T06:30',
  ])
  // Every half hour goes through both hours, and through the gap without a double.
  expect(next('*/30 * * * *', 'America/New_York', '2026-11-01T05:00Z', 4)).toEqual([
    '2026-11-01T05:30',
    '2026-11-01T06:00',
    '2026-11-01T06:30',
    '2026-11-01T07:00',
  ])
  expect(next('*/30 * * * *', 'America/New_York', '2026-03-08T06:00Z', 3)).toEqual([
    '2026-03-08T06:30',
    '2026-03-08T07:00',
    '2026-03-08T07:30',
  ])
  expect(next('0 9 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', 2)).toEqual(['2026-03-28T08:00', '2026-03-29T07:00'])
  expect(next('0 9 * * *', 'Australia/Sydney', '2026-10-03T00:00Z', 2)).toEqual(['2026-10-03T22:00', '2026-10-04T22:00'])
  // No summer time at all.
  expect(next('0 0 * * *', 'Asia/Baghdad', '2026-03-28T00:00Z', 2)).toEqual(['2026-03-28T21:00', '2026-03-29T21:00'])
  // The slot itself is not its own next.
  expect(next('15 9 * * *', 'UTC', '2026-01-01T09:15Z', 1)).toEqual(['2026-01-02T09:15'])
})

test.each(['', 'x', '* * * *', '* * * * * *', '60 * * * *', '0 25 * * *', '@hourly', '0 0 30 2 *'])('%j is no schedule', (cron) => {
  expect(() => nextTimes(cron, { zone: 'UTC', from: at('2026-01-01T00:00Z') })).toThrow(BadRequestError)
})

async function open(start: string) {
  const database = await createTestDatabase()
  const db = openDatabase(database.url)
  onTestFinished(async () => {
    await db.$disconnect()
    await database.drop()
  })
  const time = { now: at(start) }
  const fired: string[] = []
  /** One instance of zinc, as far as schedules go; several share the database. */
  const instance = (work: (due: { module: string; mode: ScheduleMode; since: Date | null }) => Promise<unknown> = async () => {}) => {
    const scheduler = createScheduler({
      db,
      clock: { now: () => time.now, sleep: async () => {} },
      log: pino({ level: 'silent' }),
      works: true,
    })
    const start: StartDue = async (due) => {
      if ((await work(due)) === false) return false
      fired.push(`${due.module} ${due.mode} ${time.now.toISOString().slice(0, 16)}`)
      return true
    }
    return { ...scheduler, look: () => scheduler.look(start), open: () => scheduler.open(start) }
  }
  return { db, time, fired, instance }
}

test('exactly one of four instances starts each slot, and a missed slot is started once', async () => {
  const { db, time, fired, instance } = await open('2026-03-06T00:00:00Z')
  const four = Array.from({ length: 4 }, () => instance())
  await four[0]!.set(db, { module: 'inventory', mode: 'full', cron: '30 2 * * *', zone: 'America/New_York' })
  await four[0]!.set(db, { module: 'crm', mode: 'incremental', cron: '0 */6 * * *', zone: 'America/New_York' })
  const expected = {
    full: next('30 2 * * *', 'America/New_York', '2026-03-06T00:00Z', 10),
    crm: next('0 */6 * * *', 'America/New_York', '2026-03-06T00:00Z', 40),
  }
  const end = time.now.getTime() + times(3, 9) * 86_400_000
  while (time.now.getTime() < end) {
    time.now = new Date(time.now.getTime() + 30 * 60_000)
    await Promise.all(four.map((it) => it.look()))
  }
  const due = (slots: string[]) => slots.filter((slot) => at(`${slot}:00Z`).getTime() <= end)
  expect(fired.filter((it) => it.startsWith('inventory')).map((it) => it.split(' ')[2])).toEqual(due(expected.full))
  expect(fired.filter((it) => it.startsWith('crm')).map((it) => it.split(' ')[2])).toEqual(due(expected.crm))

  // A week without any instance: one start each, then the usual slots again.
  fired.splice(0)
  time.now = new Date(time.now.getTime() + 7 * 86_400_000 + 60_000)
  const later = [instance(), instance()]
  await Promise.all(later.map((it) => it.look()))
  await Promise.all(later.map((it) => it.look()))
  expect(fired.map((it) => it.split(' ')[0]).sort()).toEqual(['crm', 'inventory'])
})

test('a process that is killed between taking a slot and starting its run leaves the slot to another', async () => {
  const { db, time, fired, instance } = await open('2026-03-06T00:00:00Z')
  const dying = instance(async () => {
    throw new Error('killed')
  })
  await dying.set(db, { module: 'inventory', mode: 'full', cron: '0 1 * * *', zone: 'UTC' })
  time.now = at('2026-03-06T01:00:00Z')
  await dying.look()
  const [left] = await dying.list()
  expect(left).toMatchObject({ due_at: at('2026-03-06T01:00:00Z'), next_at: at('2026-03-07T01:00:00Z') })
  const seen: (Date | null)[] = []
  const others = Array.from({ length: 3 }, () => instance(async ({ since }) => void seen.push(since)))
  await Promise.all(others.map((it) => it.look()))
  expect(fired).toEqual([]) // it may still be on its way
  await db.$executeRaw`update schedule set taken_at = taken_at - interval '31 seconds'`
  await Promise.all(others.map((it) => it.look()))
  await Promise.all(others.map((it) => it.look()))
  expect(fired).toEqual(['inventory full 2026-03-06T01:00'])
  expect(seen).toEqual([expect.any(Date)])
  expect((await dying.list())[0]).toMatchObject({ due_at: null })
})

test('a changed zone keeps the wall clock; the same line again changes nothing; an ended one fires no more', async () => {
  const { db, time, fired, instance } = await open('2026-03-06T00:00:00Z')
  const it = instance()
  const set = (cron: string | null, zone = 'UTC') => it.set(db, { module: 'books', mode: 'incremental', cron, zone })
  expect(await set('0 9 * * *')).toBe(true)
  expect(await set('0 9 * * *')).toBe(false)
  await it.rezone(db, 'Asia/Baghdad')
  expect((await it.list())[0]).toMatchObject({ zone: 'Asia/Baghdad', next_at: at('2026-03-06T06:00:00Z') })
  expect(await set(null)).toBe(true)
  expect(await set(null)).toBe(false)
  time.now = at('2026-03-09T00:00:00Z')
  await it.look()
  expect(fired).toEqual([])
})

test('a blocked slot stays due and starts when it can; full comes before incremental', async () => {
  const { db, time, fired, instance } = await open('2026-03-06T00:00:00Z')
  let busy = true
  const asked: string[] = []
  const it = instance(async ({ mode }) => {
    asked.push(mode)
    return !(busy && mode === 'full')
  })
  for (const mode of ['incremental', 'full'] as const) await it.set(db, { module: 'inventory', mode, cron: '0 1 * * *', zone: 'UTC' })
  time.now = at('2026-03-06T01:00:00Z')
  await it.look()
  expect(asked).toEqual(['full', 'incremental'])
  expect(fired).toEqual(['inventory incremental 2026-03-06T01:00'])
  busy = false
  await it.look()
  expect(fired).toHaveLength(1) // not at once: whoever is in the way takes a while
  await db.$executeRaw`update schedule set taken_at = taken_at - interval '31 seconds' where due_at is not null`
  await it.look()
  await it.look()
  expect(fired).toEqual(['inventory incremental 2026-03-06T01:00', 'inventory full 2026-03-06T01:00'])
})
