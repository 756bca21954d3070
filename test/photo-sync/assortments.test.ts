import { expect, test } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts, fakeSha } from '../helpers/feed-rows.ts'
import { startShop } from '../helpers/test-shop.ts'

const seen = (photos: { product_sku: string | null; deleted: boolean }[]) =>
  photos.map((photo) => `${photo.deleted ? '-' : '+'}${photo.product_sku}`).sort()

test('leaving an assortment is a tombstone, entering it an addition, for that store only', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 30)
  await addProducts(client, 30, { blobs: 30 })
  const everything = await shop.addStore()
  const few = await shop.addStore({ assortment: { skus: ['P1', 'P2'], categories: ['C5'] } })
  const inStock = await shop.addStore({ assortment: { in_stock: true } })
  const start = await few.list('&include_deleted=true')
  expect(seen(start.photos)).toEqual(['+P1', '+P15', '+P2', '+P25', '+P5'])
  expect(start.total).toBe(5)
  // Sold out is a stock of 0, and every third has that.
  expect((await inStock.list()).total).toBe(20)

  let cursor = start.next_cursor
  let since = start.server_time
  const all = (await everything.list('&limit=1000')).next_cursor
  const others = [await everything.digest(), await inStock.digest()]
  const before = await few.digest()

  const expectNews = async (news: string[]) => {
    const byTime = await few.list(`&include_deleted=true&since=${since}`)
    const byCursor = await few.follow(cursor)
    expect(seen(byCursor.photos)).toEqual(news)
    expect(seen(byTime.photos)).toEqual(news)
    expect(byTime.total).toBe(news.length)
    cursor = byCursor.cursor
    since = byTime.server_time
  }
  await expectNews([])

  // An edited assortment.
  await shop.send('PATCH', `/api/v1/stores/${few.id}`, { assortment: { skus: ['P2', 'P3'], categories: ['C5'] } })
  await expectNews(['+P3', '-P1'])
  expect((await few.digest()).digest).not.toBe(before.digest)
  expect([await everything.digest(), await inStock.digest()].map((it) => it.digest)).toEqual(others.map((it) => it.digest))
  expect((await everything.follow(all)).photos).toEqual([])

  // A product that changes its category, and comes back.
  await client.query(`update product set category = 'C9' where sku = 'P5'`)
  await expectNews(['-P5'])
  await client.query(`update product set category = 'C5' where sku in ('P5', 'P8')`)
  await expectNews(['+P5', '+P8'])
  expect((await everything.follow(all)).photos).toEqual([])

  // A product that changes its SKU changes its entry for everybody, and leaves this store.
  await client.query(`update product set sku = 'Q2' where sku = 'P2'`)
  await expectNews(['-Q2'])
  expect(seen((await everything.follow(all)).photos)).toEqual(['+Q2'])

  // Stock that reaches 0, for stores that ask for it.
  const stocked = await inStock.list('&limit=1000')
  await client.query(`update product set stock_on_hand = 0 where sku in ('P1', 'P3')`)
  expect(seen((await inStock.follow(stocked.next_cursor)).photos)).toEqual(['-P1'])
  await client.query(`update product set stock_on_hand = 7 where sku = 'P3'`)
  expect(seen((await inStock.follow(stocked.next_cursor)).photos)).toEqual(['+P3', '-P1'])
  // More of the same is no news.
  const stockedAgain = await inStock.follow(stocked.next_cursor)
  await client.query(`update product set stock_on_hand = 9 where sku = 'P3'`)
  expect((await inStock.follow(stockedAgain.cursor)).photos).toEqual([])

  // Outside of its assortment a store is told that it is gone.
  const [left] = start.photos.filter((photo) => photo.product_sku === 'P1')
  expect((await few.download(left!.id)).status).toBe(410)
  // A fresh list with deletions names what was there once, and nothing that never was.
  expect(seen((await few.list('&include_deleted=true')).photos)).toEqual(['+P15', '+P25', '+P3', '+P5', '+P8', '-P1', '-Q2'])

  // Back to everything.
  await shop.send('PATCH', `/api/v1/stores/${few.id}`, { assortment: null })
  expect((await few.list('&limit=1000')).total).toBe(30)
  expect((await few.follow(cursor)).photos.filter((photo) => !photo.deleted)).toHaveLength(25)
})

test('a digest changes exactly when the store would receive something else, and after a resync', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 10)
  await addProducts(client, 6, { blobs: 6 })
  const store = await shop.addStore()
  const some = await shop.addStore({ assortment: { skus: ['P1', 'P2'] }, variant: 'thumb' })
  let digests = [(await store.digest()).digest, (await some.digest()).digest]
  const changes = async (what: string, sql: string, [first, second]: [boolean, boolean]) => {
    await client.query(sql)
    const now = [(await store.digest()).digest, (await some.digest()).digest]
    expect([what, now[0] !== digests[0], now[1] !== digests[1]]).toEqual([what, first, second])
    digests = now
  }
  const photo = (n: number) => `(select p.id from photo p join product pr on pr.id = p.product_id where pr.sku = 'P${n}')`
  await changes('nothing', 'select 1', [false, false])
  await changes('price', `update product set selling_price = 12 where sku = 'P1'`, [false, false])
  await changes('touched', `update photo set updated_at = now(), alt_en = 'x' where id = ${photo(1)}`, [false, false])
  await changes('written again', `update photo set sha256 = sha256, filename = filename where id = ${photo(1)}`, [false, false])
  await changes('name', `update product set name = 'other' where sku = 'P1'`, [true, true])
  await changes('name of another', `update product set name = 'other' where sku = 'P5'`, [true, false])
  await changes('bytes', `update photo set sha256 = '${fakeSha(9)}', version = 2 where id = ${photo(2)}`, [true, true])
  await changes(
    'variant made anew',
    `update variant set sha256 = repeat('a', 64), size = 5 where source_sha256 = '${fakeSha(9)}' and name = 'thumb'`,
    [true, true],
  )
  await changes('deleted', `update photo set deleted_at = now() where id = ${photo(2)}`, [true, true])
  await changes('and restored', `update photo set deleted_at = null where id = ${photo(2)}`, [true, true])
  await changes('product gone', `update product set deleted_at = now() where sku = 'P6'`, [true, false])
  expect(await store.digest()).toMatchObject({ count: 5 })
  expect(await some.digest()).toMatchObject({ count: 2 })
  const { rows } = await client.query(
    `select sum(b.size)::int as bytes from photo p join blob b on b.sha256 = p.sha256 join product pr on pr.id = p.product_id where pr.deleted_at is null`,
  )
  expect((await store.digest()).bytes).toBe(rows[0].bytes)
  await shop.send('POST', `/api/v1/sync/stores/${some.id}/resync`)
  expect((await some.digest()).digest).not.toBe(digests[1])
  expect((await store.digest()).digest).toBe(digests[0])

  // The answer itself is not sent twice.
  const first = await store.fetch(`/digest?store_id=${store.id}`)
  const again = await store.fetch(`/digest?store_id=${store.id}`, { headers: { 'if-none-match': first.headers.get('etag')! } })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('a resync or another variant shows everything again; a resend only what was named', async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 5)
  await addProducts(client, 5, { blobs: 5 })
  const store = await shop.addStore()
  const { photos, next_cursor, server_time } = await store.list()
  expect((await store.follow(next_cursor)).photos).toEqual([])
  expect((await store.list(`&since=${server_time}`)).photos).toEqual([])

  const resend = await shop.send('POST', `/api/v1/sync/stores/${store.id}/resync`, { photo_ids: [photos[2]!.id] })
  expect(resend).toMatchObject({ status: 200, body: { data: { photos: 1 } } })
  const resent = await store.follow(next_cursor)
  expect(resent.photos.map((photo) => photo.id)).toEqual([photos[2]!.id])
  const later = (await store.list()).server_time

  await shop.send('POST', `/api/v1/sync/stores/${store.id}/resync`)
  expect((await store.list(`&since=${later}`)).photos).toHaveLength(5)
  const again = await store.follow(resent.cursor, '&limit=2')
  expect(again.photos.map((photo) => photo.id).sort()).toEqual(photos.map((photo) => photo.id).sort())
  expect((await store.follow(again.cursor)).photos).toEqual([])

  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { variant: 'thumb' })
  const thumbs = await store.follow(again.cursor)
  expect(thumbs.photos.map((photo) => photo.checksum)).toEqual(thumbs.photos.map((photo) => photo.variants.thumb?.checksum))
  expect(thumbs.photos).toHaveLength(5)

  // The total is of what is listed, deletions included when they are asked for.
  await client.query('update photo set deleted_at = now() where id = $1', [photos[0]!.id])
  const everything = await store.list(`&since=${later}&include_deleted=true`)
  expect([everything.photos.length, everything.total, (await store.list(`&since=${later}`)).total]).toEqual([5, 5, 4])
})
