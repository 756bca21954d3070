import { expect } from 'vitest'
import { ITEM_SYNC } from '../../src/sync/items/item-sync-run.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { checkImages, checkLinks, temporaryFiles } from '../helpers/check-images.ts'
import type { Fault, StepEvent } from '../helpers/fault-preload.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { runUntilKilled, startFaultyServer, startRunAt, startServerProcess } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc } from '../helpers/zinc.ts'

/** Every step of writing one picture, in its order. */
const STEPS: Record<string, Omit<Fault, 'nth'>> = {
  'after its temporary file is open': { step: 'open tmp' },
  'in the middle of a write': { step: 'write tmp', when: 'middle' },
  'after the fsync of the file': { step: 'fsync tmp' },
  'after the rename': { step: 'rename originals' },
  'after the fsync of the folder': { step: 'fsync originals' },
  'after the row of its bytes': { step: 'insert blob' },
  'after the row of the photo': { step: 'write photo' },
  'before its item is marked complete': { step: 'complete', when: 'before' },
  'before COMMIT': { step: 'commit', when: 'before' },
  'after COMMIT': { step: 'commit' },
  'before its link is shown': { step: 'rename item', when: 'before' },
}

longTest('killed at each step of writing a picture, rows have whole files and none is fetched twice', async () => {
  const rounds = times(1, 20)
  const items = createSeed({ count: times(180, 3200) })
  const images = items.filter((item) => item.image_document_id !== '').length
  const zinc = await startZinc({ items, imageOf: smallImage })
  const { zoho, environment, services } = zinc
  const { db, runs } = services
  // The helper's own instance queues the run and must not work on it.
  await runs.close()
  const { run_id } = await runs.start(ITEM_SYNC, { sync_images: true }, { startedBy: 'test' })
  const isOver = async () => (await db.run.findUniqueOrThrow({ where: { id: run_id } })).finished_at !== null

  const finished = new Map<string, number>()
  let kills = 0
  for (let round = 0; round < rounds; round++) {
    for (const fault of Object.values(STEPS)) {
      const pid = await runUntilKilled(environment, { ...fault, nth: 1 + (kills++ % 3) }, isOver)
      await checkImages(zinc)
      // What is left is the dead process's own: those of earlier ones went at its start.
      for (const name of await temporaryFiles(zinc)) expect(name).toMatch(new RegExp(`^${pid}-`))
      const stored = await db.product.findMany({ where: { image_state: 'stored' }, select: { zoho_item_id: true } })
      expect(stored.length).toBeGreaterThanOrEqual(finished.size)
      for (const { zoho_item_id: id } of stored) if (!finished.has(id!)) finished.set(id!, zoho.counters.perImage.get(id!) ?? 0)
    }
  }
  const last = await startServerProcess(environment)
  await waitFor(isOver)
  last.child.kill('SIGTERM')
  expect(await last.ended).toBe(0)

  expect(await db.run.findUniqueOrThrow({ where: { id: run_id } })).toMatchObject({ state: 'success' })
  await checkImages(zinc)
  expect(await db.product.count({ where: { image_state: 'stored' } })).toBe(images)
  expect(await db.photo.count()).toBe(images)
  expect(await temporaryFiles(zinc)).toEqual([])
  await checkLinks(zinc)
  for (const [id, fetched] of finished) expect(zoho.counters.perImage.get(id)).toBe(fetched)
  expect(zoho.counters.images).toBeLessThanOrEqual(images + kills * 8)
})

const CALLS = ['open', 'write', 'fsync', 'rename']
const ERRORS = ['EIO', 'ENOSPC', 'EMFILE', 'EROFS']

longTest('whichever disk call fails, no row lacks its file, and the picture comes when retried', async () => {
  const items = createSeed({ count: times(12, 30) })
  const zinc = await startZinc({ items, imageOf: smallImage })
  const { zoho, environment, services } = zinc
  const { db } = services
  await services.runs.close()
  const { url, child, arm, tell } = await startFaultyServer(environment)
  const token = await login(url)
  const authorization = { authorization: `Bearer ${token}` }
  const withImage = zoho.items().filter((item) => item.image_document_id !== '')
  /** Until the run stands still. */
  const standing = async (id: string) => {
    await waitFor(async () => !['queued', 'running'].includes((await db.run.findUniqueOrThrow({ where: { id } })).state))
    return db.run.findUniqueOrThrow({ where: { id } })
  }

  let seed = 500_000
  let hits = 0
  const upTo = times(7, 60)
  for (const [at, call] of CALLS.entries()) {
    for (let nth = 1; nth <= upTo; nth += times(3, 1)) {
      for (const { item_id } of withImage) zoho.replaceImage(item_id, ++seed)
      const error = ERRORS[(nth + at) % ERRORS.length]!
      await arm({ step: call, nth, error })
      const id = await startRunAt(url, token)
      let run = await standing(id)
      const { events, hit } = await tell()
      if (hit) hits++
      if (run.state === 'paused') {
        expect(run.cause).toContain('storage_full')
        expect(run.resumes_at).not.toBeNull()
        expect(await db.product.count({ where: { image_state: 'failed' } })).toBe(0)
        await checkImages(zinc)
        await fetch(`${url}/api/settings/integrations/zoho/sync/runs/${id}/resume`, { method: 'POST', headers: authorization })
        run = await standing(id)
      }
      expect([call, nth, error, run.state, child.exitCode]).toEqual([call, nth, error, 'success', null])
      expectNothingTrusted(events)
      await checkImages(zinc)
      expect(await temporaryFiles(zinc)).toEqual([])
      await checkLinks(zinc)
    }
  }
  expect(hits).toBeGreaterThan(CALLS.length)
})

/**
 * A file whose fsync failed may have lost what was written: it is thrown away, and neither synced
 * again nor given its name.
 */
function expectNothingTrusted(events: StepEvent[]): void {
  const ended = new Set(events.filter((it) => it.ended).map((it) => `${it.step} ${it.id}`))
  for (const [at, { step, id, path }] of events.entries()) {
    if (step !== 'fsync tmp' || ended.has(`${step} ${id}`)) continue
    expect(events.slice(at + 1).filter((it) => it.from === path || (it.step === 'fsync tmp' && it.path === path))).toEqual([])
  }
}

longTest('of each picture: written, synced, renamed, the folder synced, and only then its rows', async () => {
  const items = createSeed({ count: times(30, 150) })
  const { environment, services } = await startZinc({ items, imageOf: smallImage })
  await services.runs.close()
  const { url, tell } = await startFaultyServer(environment)
  const id = await startRunAt(url)
  await waitFor(async () => (await services.db.run.findUniqueOrThrow({ where: { id } })).finished_at !== null)
  const { events } = await tell()
  const named = events.filter((it) => it.step === 'rename originals' && !it.ended)
  expect(named.length).toBe(items.filter((item) => item.image_document_id !== '').length)
  for (const { path, from, id: rename } of named) {
    const hash = path!.slice(-64)
    const folder = path!.slice(0, -65)
    const first = (step: string, ended: boolean, of: (it: StepEvent) => unknown, after = 0) => {
      const at = events.findIndex((it, n) => n >= after && it.step === step && it.ended === ended && of(it))
      expect(`${step}: ${at >= 0}`).toBe(`${step}: true`)
      return at
    }
    const lastWrite = events.findLastIndex((it) => it.step === 'write tmp' && it.path === from)
    const synced = first('fsync tmp', true, (it) => it.path === from)
    const renaming = first('rename originals', false, (it) => it.id === rename)
    const renamed = first('rename originals', true, (it) => it.id === rename)
    const folderSyncing = first('fsync originals', false, (it) => it.path === folder, renamed)
    const folderSynced = first('fsync originals', true, (it) => it.id === events[folderSyncing]!.id)
    const bytesRow = first('insert blob', false, (it) => it.hashes?.includes(hash))
    const committing = first('commit', false, (it) => it.hashes?.includes(hash))
    const order = [lastWrite, synced, renaming, folderSyncing, folderSynced, bytesRow, committing]
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  }
})
