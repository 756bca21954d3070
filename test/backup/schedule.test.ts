import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { chooseKept } from '../../src/backup/retention.ts'
import type { BackupRow, Backups } from '../../src/schemas/backups.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let target: string
beforeAll(async () => {
  target = await mkdtemp(join(tmpdir(), 'zinc-backup-'))
  const opened = await openZinc({ synced: true })
  zinc = opened
  return async () => {
    await opened.end()
    await rm(target, { recursive: true, force: true })
  }
})

async function send<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
  const response = await zinc.call(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as T }
}
const list = async () => (await send<{ data: Backups }>('GET', '/api/backups')).body.data

/** Waits until the rows of a kind have ended, newest first. */
async function ended(kind: BackupRow['kind'], count: number): Promise<BackupRow[]> {
  let rows: BackupRow[] = []
  await waitFor(async () => {
    rows = (await list()).backups.filter((row) => row.kind === kind)
    return rows.length === count && rows.every(({ finished_at }) => finished_at !== null)
  })
  return rows
}

test('the schedule is kept as it was set, and a wrong one is refused', async () => {
  expect(await send('PUT', '/api/backups/schedule', { schedule: '30 3 * * *' })).toMatchObject({
    status: 400,
    body: { code: 'backup_target_missing' },
  })
  expect(await send('PUT', '/api/backups/schedule', { target: 'relative/folder' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_backup_target' },
  })
  for (const folder of ['imports', 'images/backups'])
    expect(await send('PUT', '/api/backups/schedule', { target: join(zinc.dataDir, folder) })).toMatchObject({
      status: 400,
      body: { code: 'invalid_backup_target', message: expect.stringContaining('a folder of zinc itself') },
    })
  expect(await send('PUT', '/api/backups/schedule', { target, schedule: 'nightly' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_schedule' },
  })
  const plan = {
    schedule: '30 3 * * *',
    target,
    keep: { daily: 1, weekly: 0, monthly: 0 },
    rehearsal: true,
    warn_after_hours: 30,
  }
  expect(await send('PUT', '/api/backups/schedule', plan)).toMatchObject({ status: 200, body: { data: plan } })
  expect(await list()).toMatchObject({ ...plan, next_at: expect.stringMatching(/T\d\d:30:00/), newest_good_at: null, too_old: false })
})

longTest('a due backup is made and rehearsed by the queue, and only the newest of a day is kept', async () => {
  const due = () => zinc.services.db.schedule.updateMany({ where: { module: 'backup' }, data: { next_at: new Date(Date.now() - 1_000) } })
  await due()
  const [first] = await ended('backup', 1)
  expect(first).toMatchObject({ state: 'success', started_by: 'schedule', counts: { images: 20 } })
  expect(await ended('rehearsal', 1)).toMatchObject([
    { state: 'success', backup_id: first?.backup_id, counts: { rows: first?.counts.rows } },
  ])
  const left = await zinc.services.db.$queryRaw`select datname from pg_database where datname like '%_rehearsal'`
  expect(left).toEqual([])

  await due()
  const [second] = await ended('backup', 2)
  await ended('rehearsal', 2)
  await waitFor(async () => (await list()).backups.some(({ pruned_at }) => pruned_at !== null))
  expect((await list()).backups.find(({ id }) => id === first?.id)?.pruned_at).not.toBeNull()
  expect(await readdir(join(target, 'backups'))).toEqual([`${second?.backup_id}.json`])
})

longTest('a rehearsal of a damaged backup fails with its code', async () => {
  for (const shard of await readdir(join(target, 'content')))
    for (const name of await readdir(join(target, 'content', shard))) {
      await rm(join(target, 'content', shard, name))
      await writeFile(join(target, 'content', shard, name), 'other bytes')
    }
  expect(await send('POST', '/api/backups/rehearse')).toMatchObject({ status: 202, body: { status: 'queued' } })
  expect(await ended('rehearsal', 3)).toMatchObject([{ state: 'failed', code: 'backup_damaged' }, {}, {}])
})

test('one notification says that the newest good backup is too old', async () => {
  const { db, notifier } = zinc.services
  const finished_at = new Date(Date.now() - 31 * 3_600_000)
  await db.backup.updateMany({ where: { kind: 'backup' }, data: { finished_at } })
  await db.backup.create({ data: { kind: 'backup', target, state: 'success', started_by: 'schedule', finished_at } })
  expect(await list()).toMatchObject({ too_old: true })
  await notifier.watch()
  await notifier.watch()
  expect(await db.notification.count({ where: { kind: 'backup_too_old' } })).toBe(1)
})

test('of each day, week and month that has any the newest backup is kept, and always the newest good one', () => {
  const days = ['2026-11-30', '2026-11-29', '2026-11-28', '2026-11-22', '2026-11-15', '2026-10-31', '2026-09-30', '2026-08-01']
  const backups = days.flatMap((day, n) => [
    { id: `${day} a`, created_at: `${day}T03:00:00.000Z`, state: 'success' as const },
    { id: `${day} b`, created_at: `${day}T15:00:00.000Z`, state: n === 0 ? ('partial' as const) : ('success' as const) },
  ])
  expect([...chooseKept(backups, { daily: 2, weekly: 3, monthly: 3 })].sort()).toEqual([
    '2026-09-30 b',
    '2026-10-31 b',
    '2026-11-22 b',
    '2026-11-29 b',
    '2026-11-30 a',
    '2026-11-30 b',
  ])
  expect([...chooseKept(backups, { daily: 0, weekly: 0, monthly: 0 })]).toEqual(['2026-11-30 a'])
})
