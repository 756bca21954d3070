import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { childEnvironment } from '../helpers/child-environment.ts'
import { longTest } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { createTestStore, type Shop, startShop, type TestStore } from '../helpers/test-shop.ts'

const SHIFTED = pathToFileURL(fileURLToPath(new URL('../helpers/shifted-clock.ts', import.meta.url))).href
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** A program's environment, with its clock wrong. */
const wrongBy = (aheadMs: number) => ({ NODE_OPTIONS: `--import ${SHIFTED}`, CLOCK_AHEAD_MS: String(aheadMs) })

const listStoreStatus = async (shop: Shop, store: TestStore) => (await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data

longTest("lists and reports of three machines with wrong clocks follow the database's time", async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const at = async (aheadMs: number) =>
    createTestStore((await startServerProcess({ ...shop.environment, PUBLIC_URL: shop.url, ...wrongBy(aheadMs) })).url, store)
  const [ahead, behind] = await Promise.all([at(10 * MINUTE_MS), at(-10 * MINUTE_MS)])

  let last = (await store.list()).server_time
  const [reported, ...changed] = (await store.list()).photos
  /**
   * In turn, so that each step is one of a clock that jumps: forwards, back by twenty minutes,
   * forwards again.
   */
  for (const [n, where] of [ahead, behind, store, ahead, store, behind].entries()) {
    const { id, product_id } = changed[n]!
    await shop.send('DELETE', `/api/products/${product_id}/images/${id}`)
    const page = await where.list(`&include_deleted=true&since=${last}`)
    expect(page.photos.find((photo) => photo.id === id)).toMatchObject({ deleted: true })
    // In the right time, never backwards; ten seconds is what it may lag.
    expect(page.server_time >= last).toBe(true)
    expect(Math.abs(Date.parse(page.server_time) - Date.now())).toBeLessThan(MINUTE_MS)
    last = page.server_time

    // The report that comes last was made last: with the server's time as our own edge client sends
    // it, or without a time.
    const status = n % 2 ? 'synced' : 'failed'
    for (const synced_at of [null, last, null]) {
      const response = await where.fetch('/status/', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ store_id: store.id, sync_batch: [{ photo_id: reported!.id, status, error: 'disk full', synced_at }] }),
      })
      expect(response.status).toBe(200)
    }
    expect(await listStoreStatus(shop, store)).toMatchObject(
      status === 'failed' ? { photos_synced: 0, photos_failed: 1 } : { photos_synced: 1, photos_failed: 0 },
    )
  }
})

longTest('an edge server whose clock is a day ahead, then a day behind, pulls and reports as any other', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'thumb' })
  const dir = await mkdtemp(join(tmpdir(), 'zinc-edge-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const pullWrongBy = async (aheadMs: number): Promise<Record<string, unknown>> => {
    const args = ['src/cli/main.ts', '--json', 'edge', 'pull', '--server', shop.url, '--store', store.id, '--dir', dir]
    const env = { ...childEnvironment, ZINC_EDGE_TOKEN: store.token, ...wrongBy(aheadMs) }
    return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout)
  }
  expect(await pullWrongBy(DAY_MS)).toMatchObject({ fetched: 20 })
  expect(await listStoreStatus(shop, store)).toMatchObject({ photos_synced: 20, photos_behind: 0 })

  // Reports of a day ago would be older than those that are kept.
  await shop.send('POST', `/api/v1/sync/stores/${store.id}/resync`)
  expect(await listStoreStatus(shop, store)).toMatchObject({ photos_behind: 20 })
  expect(await pullWrongBy(-DAY_MS)).toMatchObject({ fetched: 0, unchanged: 20 })
  expect(await listStoreStatus(shop, store)).toMatchObject({ photos_synced: 20, photos_behind: 0 })

  // And what changes meanwhile is pulled, whichever way the clock went.
  const [photo] = (await store.list()).photos
  await shop.send('DELETE', `/api/products/${photo!.product_id}/images/${photo!.id}`)
  expect(await pullWrongBy(DAY_MS)).toMatchObject({ fetched: 0, removed: 1, requests: 2 })
})
