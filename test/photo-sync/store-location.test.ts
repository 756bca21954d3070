import { expect } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

longTest("a store's digest moves when its own location crosses zero, not when another's does", async () => {
  const shop = await startShop({ empty: true })
  const client = await connect(shop.environment.DATABASE_URL!)
  await addBlobs(client, 6)
  await addProducts(client, 6, { blobs: 6 }) // P3 and P6 are sold out
  await client.query(`insert into location (id, name) values ('1', 'Main'), ('2', 'Shop'), ('3', 'Depot')`)
  const unknown = await shop.send('POST', '/api/v1/stores', { code: 'X', name: 'X', location_id: '9' })
  expect(unknown).toMatchObject({ status: 400, body: { code: 'unknown_location' } })

  const inStock = { in_stock: true }
  const here = await shop.addStore({ assortment: inStock, location_id: '2' })
  const there = await shop.addStore({ assortment: inStock, location_id: '1' })
  const total = await shop.addStore({ assortment: inStock })
  const all = await shop.addStore({ location_id: '2' })
  const stores = [here, there, total, all]
  expect((await shop.send('GET', `/api/v1/stores/${here.id}`)).body.data).toMatchObject({ location_id: '2', assortment: inStock })
  const skus = async (store: (typeof stores)[number]) => (await store.list('&limit=1000')).photos.map((it) => it.product_sku).sort()
  // Nothing was read by location yet, so the total decides.
  expect(await skus(here)).toEqual(['P1', 'P2', 'P4', 'P5'])

  await client.query(`insert into item_detail (product_id, stock_as_of) select id, now() from product`)
  await client.query(`insert into product_stock (product_id, location_id, on_hand)
    select id, location, case location when '1' then 5 when '2' then case sku when 'P1' then 2 when 'P2' then -1 else 0 end end from product, unnest(array['1', '2']) location`)
  expect([await skus(here), await skus(there), await skus(total), await skus(all)]).toEqual([
    ['P1'],
    ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'],
    ['P1', 'P2', 'P4', 'P5'],
    ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'],
  ])

  let digests = await Promise.all(stores.map(async (store) => (await store.digest()).digest))
  const start = await here.list('&limit=1000')
  const changes = async (what: string, sql: string, expected: boolean[]) => {
    await client.query(sql)
    const now = await Promise.all(stores.map(async (store) => (await store.digest()).digest))
    expect([what, now.map((digest, n) => digest !== digests[n])]).toEqual([what, expected])
    digests = now
  }
  const stock = (sku: string, location: string, onHand: number) =>
    `update product_stock set on_hand = ${onHand} where location_id = '${location}' and product_id = (select id from product where sku = '${sku}')`
  await changes('as many', stock('P1', '2', 2), [false, false, false, false])
  await changes('fewer', stock('P1', '2', 1), [false, false, false, false])
  await changes('sold out here', stock('P1', '2', 0), [true, false, false, false])
  await changes('came in here', stock('P4', '2', 3), [true, false, false, false])
  await changes('sold out there', stock('P5', '1', -1), [false, true, false, false])
  await changes('in total', `update product set stock_on_hand = 0 where sku = 'P2'`, [false, false, true, false])
  await changes('no longer kept here', `delete from product_stock where location_id = '2'`, [true, false, false, false])
  await changes('not tracked', `update product set stock_on_hand = null where sku = 'P5'`, [true, true, false, false])
  // A location that Zoho no longer lists does not empty its store.
  await changes('gone', `update location set gone_at = now() where id = '2'`, [true, false, false, false])
  expect(await skus(here)).toEqual(await skus(total))
  await changes('and back', `update location set gone_at = null where id = '2'`, [true, false, false, false])
  const seen = (await here.follow(start.next_cursor)).photos.map((it) => `${it.deleted ? '-' : '+'}${it.product_sku}`).sort()
  expect(seen).toEqual(['+P5', '-P1', '-P4'])

  // Another location shows what enters and leaves, as another assortment does.
  const cursor = (await here.list('&limit=1000')).next_cursor
  await shop.send('PATCH', `/api/v1/stores/${here.id}`, { location_id: '1' })
  expect((await here.follow(cursor)).photos.map((it) => it.product_sku).sort()).toEqual(['P1', 'P2', 'P3', 'P4', 'P6'])
  await shop.send('PATCH', `/api/v1/stores/${here.id}`, { location_id: null })
  expect(await skus(here)).toEqual(await skus(total))
})
