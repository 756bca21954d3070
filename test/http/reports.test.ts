import { expect, test } from 'vitest'
import { startShop } from '../helpers/test-shop.ts'

test('reports in any order keep the newest, count once, and survive a wrong clock', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const [photo] = (await store.list()).photos
  const start = Date.now()
  const at = (minutes: number) => new Date(start + minutes * 60_000).toISOString()
  const send = (...batch: object[]) =>
    store.fetch('/status/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ store_id: store.id, sync_batch: batch.map((one) => ({ photo_id: photo!.id, ...one })) }),
    })
  const report = async (...batch: object[]) => ((await (await send(...batch)).json()) as { data: { updated: number } }).data.updated
  const fleet = async () => {
    const { photos_synced, photos_failed, failing } = (await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data as {
      photos_synced: number
      photos_failed: number
      failing: { attempts: number }[]
    }
    return [photos_synced, photos_failed, failing[0]?.attempts ?? 0]
  }
  const failed = { status: 'failed', error: 'disk full' }
  expect(await report({ ...failed, synced_at: at(-50) })).toBe(1)
  expect(await report({ ...failed, synced_at: at(-50) })).toBe(1)
  expect(await fleet()).toEqual([0, 1, 1])
  expect(await report({ ...failed, synced_at: at(-40) })).toBe(1)
  expect(await fleet()).toEqual([0, 1, 2])
  expect(await report({ status: 'synced', synced_at: at(-30) })).toBe(1)
  expect(await fleet()).toEqual([1, 0, 0])
  // An older one that comes late.
  expect(await report({ ...failed, synced_at: at(-45) })).toBe(0)
  expect(await fleet()).toEqual([1, 0, 0])
  // Two in one batch are the same case; a day ahead is now, so a later one still counts.
  expect(await report({ ...failed, synced_at: at(24 * 60) }, { status: 'synced', synced_at: at(-20) })).toBe(1)
  expect(await fleet()).toEqual([0, 1, 1])
  expect(await report({ status: 'synced', synced_at: null })).toBe(1)
  expect(await fleet()).toEqual([1, 0, 0])
  // Reported of older bytes: the store is behind.
  expect(await report({ status: 'synced', synced_at: null, version: 0 })).toBe(1)
  expect(await fleet()).toEqual([0, 0, 0])
  // A version that no photo can have is refused by name; an id that none can have is unknown.
  const absurd = await send({ status: 'synced', version: 3_000_000_000 })
  expect([absurd.status, ((await absurd.json()) as { message: string }).message]).toEqual([
    400,
    expect.stringContaining('sync_batch.0.version'),
  ])
  const none = ['', 'x'.repeat(300)]
  const response = await send(...none.map((photo_id) => ({ photo_id, status: 'deleted' })))
  expect(((await response.json()) as { data: object }).data).toEqual({ updated: 0, unknown: none })
})
