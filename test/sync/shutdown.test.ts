import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/database/client.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { smallImage } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { startRunAt, startServerProcess } from '../helpers/server-process.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('killed again and again in mid-sync, the run goes on by itself and ends as if undisturbed', async () => {
  const kills = times(4, 50)
  const items = createSeed({ count: times(120, 2204) })
  const { zoho, dataDir, environment, services } = await startZinc({ items, imageOf: smallImage })
  const images = items.filter((item) => item.image_document_id !== '').length
  const { db } = services
  // The helper's own instance must not work on the run that the killed processes own.
  await services.runs.close()

  const total = () => zoho.counters.list + zoho.counters.images
  let run_id = ''
  /** Items whose picture was stored at a kill, with how often it had been fetched by then. */
  const finished = new Map<string, number>()
  for (let kill = 0; kill < kills; kill++) {
    const before = total()
    const { child, url, ended } = await startServerProcess(environment)
    const listening = performance.now()
    if (kill === 0) run_id = await startRunAt(url)
    else {
      await waitFor(() => total() > before)
      expect(performance.now() - listening).toBeLessThan(10_000)
    }
    // By progress and not by time: the same spots on a slow machine and a fast one.
    const enough = total() + Math.ceil(((images + 3) / (kills + 1)) * (kill === 0 ? 0.5 : 1))
    await waitFor(async () => total() >= enough || (await db.run.findUniqueOrThrow({ where: { id: run_id } })).state === 'success')
    for (const { zoho_item_id: id } of await db.product.findMany({ where: { image_state: 'stored' }, select: { zoho_item_id: true } }))
      if (id !== null && !finished.has(id)) finished.set(id, zoho.counters.perImage.get(id) ?? 0)
    child.kill('SIGKILL')
    await ended
  }
  const last = await startServerProcess(environment)
  await waitFor(async () => (await db.run.findUniqueOrThrow({ where: { id: run_id } })).finished_at !== null)
  last.child.kill('SIGTERM')
  expect(await last.ended).toBe(0)

  const run = await db.run.findUniqueOrThrow({ where: { id: run_id } })
  expect(run.state).toBe('success')
  expect(run.statistics).toMatchObject({ total: items.length, new: items.length })
  expect(await db.product.count()).toBe(items.length)
  expect(await db.photo.count({ where: { deleted_at: null } })).toBe(images)
  expect(await db.product.count({ where: { image_state: 'stored' } })).toBe(images)
  for (const blob of await db.blob.findMany()) expect(await services.store.sizeOf('originals', blob.sha256)).toBe(Number(blob.size))
  expect(await readdir(join(dataDir, 'images', 'tmp'))).toEqual([])
  expect((await readdir(join(dataDir, 'images', 'item'))).length).toBe(images)
  for (const [id, fetched] of finished) expect(zoho.counters.perImage.get(id)).toBe(fetched)
  // What was under way at a kill may be fetched again; nothing else is.
  expect(total()).toBeLessThanOrEqual(Math.ceil(items.length / 199) + images + kills * (8 + 1))
})

longTest('SIGTERM parks the run within ten seconds with status 0, and the next start goes on', async () => {
  const { zoho, environment, services } = await startZinc({ items: createSeed({ count: 180 }), imageOf: smallImage })
  await services.runs.close()
  const first = await startServerProcess(environment)
  const run_id = await startRunAt(first.url)
  await waitFor(() => zoho.counters.images >= 20)
  const asked = performance.now()
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  expect(performance.now() - asked).toBeLessThan(10_000)
  expect((await services.db.run.findUniqueOrThrow({ where: { id: run_id } })).state).toBe('queued')

  const second = await startServerProcess(environment)
  await waitFor(async () => (await services.db.run.findUniqueOrThrow({ where: { id: run_id } })).finished_at !== null)
  second.child.kill('SIGTERM')
  await second.ended
  expect(await services.db.photo.count()).toBe(120)
  expect(zoho.counters.images).toBeLessThanOrEqual(120 + 8)
})

test('a run that another owner took over can write nothing more', async () => {
  const { zoho, services, call } = await startZinc({ items: createSeed({ count: 180 }), imageOf: smallImage })
  const { run_id } = (await (
    await call('/api/settings/integrations/zoho/sync/item/execute?sync_images=true&wait=false', { method: 'POST' })
  ).json()) as { run_id: string }
  await waitFor(() => zoho.counters.images >= 10)
  const other = openDatabase(services.databaseUrl)
  await other.run.update({ where: { id: run_id }, data: { fence: { increment: 1 } } })
  const stored = await other.photo.count()
  await services.runs.close()
  expect(await other.photo.count()).toBeLessThanOrEqual(stored)
  expect(await other.run.findUniqueOrThrow({ where: { id: run_id } })).toMatchObject({ state: 'running' })
  await other.$disconnect()
})
