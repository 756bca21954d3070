import { expect, test } from 'vitest'
import { startShop } from '../helpers/test-shop.ts'

const json = (value: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

test('a paused store is refused at every address with one code, and goes on where it was', async () => {
  const shop = await startShop()
  const [store, other] = [await shop.addStore(), await shop.addStore()]
  const { photos, next_cursor } = await store.list()
  const [photo] = photos
  const routes: [string, RequestInit?][] = [
    [`/?store_id=${store.id}`],
    [`/digest?store_id=${store.id}`],
    [`/${photo!.id}/download/?store_id=${store.id}`],
    [`/${photo!.id}/download/?store_id=${store.id}`, { headers: { 'if-none-match': `"${photo!.sha256}"` } }],
    ['/archive/', json({ store_id: store.id, photo_ids: [photo!.id] })],
    ['/status/', json({ store_id: store.id, sync_batch: [] })],
  ]
  const paused = (await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: true })).body.data
  expect(paused.paused_at).toEqual(expect.any(String))
  for (const [path, init] of routes) {
    const response = await store.fetch(path, init)
    expect([path, response.status, ((await response.json()) as { code: string }).code]).toEqual([path, 403, 'store_paused'])
  }
  // Of another store it still learns the one refusal only; the others and people notice nothing.
  expect(await (await store.fetch(`/digest?store_id=${other.id}`)).json()).toMatchObject({ code: 'store_mismatch' })
  expect((await other.list()).photos).toHaveLength(20)
  expect((await shop.send('GET', `/api/v1/sync/product-photos/?store_id=${store.id}`)).status).toBe(200)
  expect((await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data.paused_at).toBe(paused.paused_at)
  // Pausing twice keeps the first time.
  expect((await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: true, name: 'x' })).body.data.paused_at).toBe(paused.paused_at)

  await shop.send('DELETE', `/api/products/${photo!.product_id}/images/${photo!.id}`)
  expect((await shop.send('PATCH', `/api/v1/stores/${store.id}`, { paused: false })).body.data.paused_at).toBeNull()
  expect((await store.follow(next_cursor)).photos.map(({ id, deleted }) => [id, deleted])).toEqual([[photo!.id, true]])
})
