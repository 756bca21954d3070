import { cp, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importSessions } from '../../src/pulls/import/import-sessions.ts'
import { longTest } from '../helpers/long.ts'
import { oldWorld, writePullerData } from '../helpers/predecessors.ts'
import { SMALL, startPulls } from './helpers.ts'

const signal = new AbortController().signal
const NOT_DRY = { app: 'books', dryRun: false } as const

/** Names, times and contents of everything below a folder. */
async function stateOf(folder: string) {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const { mtimeMs, mode } = await stat(join(folder, name))
      return [name, mtimeMs, mode, await readFile(join(folder, name), 'utf8').catch(() => null)]
    }),
  )
}

longTest('a predecessor’s raw_json is taken over: the next fetch is incremental, and the copy verifies', async () => {
  const { zinc, pull, check } = await startPulls()
  const { db, clock, pulls } = zinc.services
  const deps = { db, clock, paths: pulls.paths }
  const old = await oldWorld()
  const rawJson = await writePullerData(old, zinc)
  await writeFile(join(rawJson, '2025-11-02_03-00-00', 'notes.json'), '[]')
  const before = await stateOf(old)

  const plan = await importSessions(deps, rawJson, { app: 'books', dryRun: true }, signal)
  expect([await db.zohoRecord.count(), await db.pullModule.count(), (await readdir(zinc.dataDir)).includes('raw_json')]).toEqual([
    0,
    0,
    false,
  ])
  const report = await importSessions(deps, rawJson, NOT_DRY, signal)

  expect(plan.modules).toEqual(report.modules)
  expect(report.modules.find((it) => it.module === 'invoices')).toMatchObject({ records: SMALL.invoices, new: SMALL.invoices })
  expect(report.left.map((it) => it.file)).toEqual([join(rawJson, '2025-11-02_03-00-00', 'notes.json')])
  expect(await stateOf(old)).toEqual(before)

  // Nothing changed since: one call for each list that has a filter or an order, and no document.
  const first = zinc.zoho.meter.calls
  const run = await pull()
  expect([run.state, (run.statistics as Record<string, number>).new, (run.statistics as Record<string, number>).updated]).toEqual([
    'success',
    0,
    0,
  ])
  expect(zinc.zoho.meter.calls - first).toBeLessThanOrEqual(report.modules.length + 1)
  const checked = await check()
  expect(checked.modules.flatMap((it) => it.problems)).toEqual([])
  expect(checked.ok).toBe(true)

  // Twice: nothing is written, and the copy stays.
  const again = await importSessions(deps, rawJson, NOT_DRY, signal)
  expect(again.sessions.map((it) => it.copied)).toEqual([false])
  expect(again.modules.map((it) => [it.new, it.updated])).toEqual(again.modules.map(() => [0, 0]))
})

test('session folders are laid over each other by time, and never over what zinc knows better', async () => {
  const { zinc } = await startPulls({ books: { contacts: 3 } })
  const { db, clock, pulls } = zinc.services
  const deps = { db, clock, paths: pulls.paths }
  const old = await oldWorld()
  const write = async (stamp: string, contacts: { id: string; name: string; at: string }[]) => {
    const folder = join(old, 'sync_sessions', `sync_session_${stamp}`)
    await mkdir(join(folder, 'raw_json', stamp), { recursive: true })
    await writeFile(join(folder, 'session_info.json'), '{"tool":"the old one"}')
    await writeFile(
      join(folder, 'raw_json', stamp, 'contacts.json'),
      JSON.stringify(contacts.map(({ id, name, at }) => ({ contact_id: id, contact_name: name, last_modified_time: at }))),
    )
  }
  await write('2025-10-01_01-00-00', [
    { id: '1', name: 'First', at: '2025-09-01T10:00:00+0300' },
    { id: '2', name: 'Second', at: '2025-09-02T10:00:00+0300' },
    { id: '3', name: 'Third', at: '2025-09-03T10:00:00+0300' },
  ])
  await write('2025-10-02_01-00-00', [{ id: '2', name: 'Second, edited', at: '2025-10-01T23:30:00+0300' }])
  await write('2025-10-03_01-00-00', [{ id: '9', name: 'From the future', at: '2999-01-01T00:00:00+0300' }])
  await db.zohoRecord.create({
    data: {
      app: 'books',
      module: 'contacts',
      record_id: '3',
      data: { contact_name: 'Newer' },
      modified_at: new Date('2025-11-01T00:00:00Z'),
    },
  })

  const report = await importSessions(deps, join(old, 'sync_sessions'), NOT_DRY, signal)

  const names = (await db.zohoRecord.findMany({ orderBy: { record_id: 'asc' } })).map(
    (it) => (it.data as { contact_name: string }).contact_name,
  )
  expect(names).toEqual(['First', 'Second, edited', 'Newer', 'From the future'])
  const { up_to } = await db.pullModule.findFirstOrThrow({ where: { module: 'contacts' } })
  expect(up_to!.getTime()).toBeLessThanOrEqual(clock.now().getTime())
  expect(report.modules[0]!.up_to).toBe(up_to!.toISOString())
  const sessions = await pulls.sessions.list()
  expect(sessions.map((it) => [it.session, it.records, it.badge])).toEqual([
    ['sync_session_2025-10-03_01-00-00', 1, 'unverified'],
    ['sync_session_2025-10-02_01-00-00', 1, 'unverified'],
    ['sync_session_2025-10-01_01-00-00', 3, 'unverified'],
  ])
  const kept = join(zinc.dataDir, 'sync_sessions', 'sync_session_2025-10-01_01-00-00', 'session_info.old.json')
  expect(await readFile(kept, 'utf8')).toBe('{"tool":"the old one"}')

  // A folder that was copied there by hand gets its manifest in place.
  await mkdir(join(zinc.dataDir, 'raw_json'), { recursive: true })
  const byHand = join(zinc.dataDir, 'raw_json', '2025-10-05_01-00-00')
  await cp(join(old, 'sync_sessions', 'sync_session_2025-10-01_01-00-00', 'raw_json', '2025-10-01_01-00-00'), byHand, { recursive: true })
  await importSessions(deps, byHand, NOT_DRY, signal)
  expect((await readdir(byHand)).sort()).toEqual(['.manifest.json', '.session_info.json', 'contacts.json'])
  await rename(byHand, `${byHand}-away`)
  await expect(importSessions(deps, byHand, NOT_DRY, signal)).rejects.toMatchObject({ code: 'no_such_folder' })
  await expect(importSessions(deps, join(zinc.dataDir, 'settings'), NOT_DRY, signal)).rejects.toMatchObject({ code: 'no_old_pulls' })
})

test('a module with an unreadable file gets no watermark, so the next fetch lists it whole', async () => {
  const { zinc } = await startPulls({ books: { contacts: 3 } })
  const { db, clock, pulls } = zinc.services
  const old = await oldWorld()
  const write = async (stamp: string, module: string, text: string) => {
    await mkdir(join(old, 'raw_json', stamp), { recursive: true })
    await writeFile(join(old, 'raw_json', stamp, `${module}.json`), text)
  }
  const record = (key: string) => JSON.stringify([{ [key]: '7', last_modified_time: '2025-10-01T10:00:00+0300' }])
  await write('2025-10-01_01-00-00', 'contacts', '[{"contact_id":"1"},')
  await write('2025-10-02_01-00-00', 'contacts', record('contact_id'))
  await write('2025-10-02_01-00-00', 'bills', record('bill_id'))

  const report = await importSessions({ db, clock, paths: pulls.paths }, old, NOT_DRY, signal)

  expect(report.unreadable).toEqual(['contacts'])
  expect((await db.pullModule.findMany()).map((it) => [it.module, it.up_to?.toISOString()])).toEqual([
    ['bills', '2025-10-01T07:00:00.000Z'],
  ])
  expect(report.modules.find((it) => it.module === 'contacts')).toMatchObject({ new: 1, up_to: null })
})
