import { expect, test } from 'vitest'
import { pruneTombstones } from '../../src/photo-sync/prune-tombstones.ts'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

const seen = (photos: { product_sku: string | null; deleted: boolean }[]) =>
  photos.map((photo) => `${photo.deleted ? '-' : '+'}${photo.product_sku}`).sort()

async function startWithPhotos(count: number) {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, count)
  await addProducts(client, count, { blobs: count })
  const photosOf = (...skus: string[]) =>
    `(select p.id from photo p join product pr on pr.id = p.product_id where pr.sku in ('${skus.join("','")}'))`
  const setDeleted = (at: string, ...skus: string[]) => client.query(`update photo set deleted_at = ${at} where id in ${photosOf(...skus)}`)
  return { ...shop, client, setDeleted }
}

test('a widened assortment tells a store of no deletions of photos that it never had', async () => {
  const shop = await startWithPhotos(30)
  const all = Array.from({ length: 30 }, (_, n) => `P${n + 1}`)
  const store = await shop.addStore({ assortment: { skus: all.slice(0, 2) } })
  const change = (assortment: object | null) => shop.send('PATCH', `/api/v1/stores/${store.id}`, { assortment })
  const early = await store.list('&include_deleted=true')
  await shop.setDeleted('now()', ...all.slice(4))
  expect((await store.follow(early.next_cursor)).photos).toEqual([])

  await change({ skus: all })
  const wide = ['+P3', '+P4']
  expect(seen((await store.follow(early.next_cursor)).photos)).toEqual(wide)
  const since = await store.list(`&include_deleted=true&since=${early.server_time}&limit=1000`)
  expect([seen(since.photos), since.total]).toEqual([wide, 2])
  expect(seen((await store.list('&include_deleted=true&limit=1000')).photos)).toEqual(['+P1', '+P2', ...wide])

  // Neither does it hear of them when they leave again, or when everything is sold.
  const cursor = (await store.follow(early.next_cursor)).cursor
  await change({ skus: ['P1', 'P3', 'P9'] })
  expect(seen((await store.follow(cursor)).photos)).toEqual(['-P2', '-P4'])
  await change(null)
  expect(seen((await store.follow(cursor)).photos)).toEqual(['+P2', '+P4'])
  // A photo that it had is told of, also when it left and was deleted, or was deleted and left.
  const before = (await store.follow(cursor)).cursor
  await shop.setDeleted('now()', 'P1')
  await change({ skus: ['P2', 'P4'] })
  await shop.setDeleted('now()', 'P3')
  await change({ skus: ['P1', 'P2', 'P3', 'P4'] })
  expect(seen((await store.follow(before)).photos)).toEqual(['-P1', '-P3'])
  // What comes back to life comes to the store.
  await shop.setDeleted('null', 'P1', 'P20')
  expect(seen((await store.follow(before)).photos)).toEqual(['+P1', '-P3'])
})

longTest('a deleted product whose category moves into an assortment is no deletion for that store', async () => {
  const shop = await startWithPhotos(10)
  const store = await shop.addStore({ assortment: { categories: ['none yet'] } })
  const { next_cursor } = await store.list()
  await shop.client.query(`update product set deleted_at = now() where sku = 'P3'`)
  await store.list()
  await shop.client.query(`update product set category = 'none yet' where sku in ('P3', 'P4')`)
  expect(seen((await store.follow(next_cursor)).photos)).toEqual(['+P4'])
  // The one that it had, and whose product is deleted and then moved, is told of.
  const cursor = (await store.follow(next_cursor)).cursor
  await shop.client.query(`update product set deleted_at = now() where sku = 'P4'`)
  await store.list()
  await shop.client.query(`update product set category = 'elsewhere' where sku = 'P4'`)
  expect(seen((await store.follow(cursor)).photos)).toEqual(['-P4'])
})

longTest('pruned deletions are in no list any more, and a photo that is restored after it comes back', async () => {
  const shop = await startWithPhotos(6)
  const store = await shop.addStore()
  const some = await shop.addStore({ assortment: { skus: ['P1', 'P2', 'P3'] } })
  const start = await store.list()
  await shop.setDeleted('now()', 'P1', 'P2')
  await shop.send('PATCH', `/api/v1/stores/${some.id}`, { assortment: { skus: ['P1', 'P2'] } })
  expect((await store.follow(start.next_cursor)).photos).toHaveLength(2)
  expect(await pruneTombstones(shop.services.db, { olderThanDays: 0 })).toEqual({ photos: 2, events: 1 })
  for (const one of [store, some])
    for (const query of ['&include_deleted=true', `&include_deleted=true&since=${start.server_time}`]) {
      const { photos, total } = await one.list(query)
      expect([query, photos.filter(({ deleted }) => deleted), total]).toEqual([query, [], photos.length])
    }
  const lost = await store.fetch(`/?store_id=${store.id}&include_deleted=true&cursor=${start.next_cursor}`)
  expect([lost.status, ((await lost.json()) as { code: string }).code]).toEqual([410, 'cursor_expired'])
  expect(await pruneTombstones(shop.services.db, { olderThanDays: 0 })).toEqual({ photos: 0, events: 0 })

  const now = await store.list('&include_deleted=true')
  await shop.setDeleted('null', 'P2')
  expect(seen((await store.follow(now.next_cursor)).photos)).toEqual(['+P2'])
  expect((await store.list()).total).toBe(5)
  // In the end its row goes, and cursors that never saw it live on.
  await shop.client.query(`update photo set deleted_at = now() - interval '8 days' where deleted_at is not null`)
  await store.list()
  await pruneTombstones(shop.services.db, { olderThanDays: 0 })
  expect((await store.list('&include_deleted=true')).photos.map(({ deleted }) => deleted)).toEqual(Array(5).fill(false))
})

longTest('a change of a store or of a picture to what it is already tells nobody anything', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ assortment: { in_stock: false, skus: ['X'] }, variant: 'thumb' })
  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { assortment: null })
  const { photos, next_cursor, server_time } = await store.list('&include_deleted=true&limit=1000')
  const [photo] = photos
  const before = (await shop.send('GET', `/api/v1/stores/${store.id}`)).body.data
  const { code, name, variant, assortment } = before
  for (const patch of [{}, { code, name, variant, assortment, paused: false }, { assortment: {} }, { assortment: { in_stock: false } }])
    expect((await shop.send('PATCH', `/api/v1/stores/${store.id}`, patch)).body.data).toEqual(before)
  const path = `/api/products/${photo!.product_id}/images/${photo!.id}`
  for (const patch of [{}, { is_primary: true, sort_order: photo!.sort_order }, { alt_en: 'a text that no store gets' }])
    expect((await shop.send('PATCH', path, patch)).status).toBe(200)
  expect((await store.follow(next_cursor)).photos).toEqual([])
  expect((await store.list(`&include_deleted=true&since=${server_time}`)).photos).toEqual([])
  // And one that changes something still does.
  await shop.send('PATCH', path, { sort_order: 7 })
  expect((await store.follow(next_cursor)).photos).toMatchObject([{ id: photo!.id, sort_order: 7 }])
})
