import { expect, test } from 'vitest'
import type { Product } from '../../src/schemas/products.ts'
import { THREE_LOCATIONS } from '../../src/zoho-simulator/locations.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { connect } from '../helpers/connection.ts'
import { longTest, times } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc, type TestOptions, type TestZinc } from '../helpers/zinc.ts'

const [MAIN, SHOP, DEPOT] = THREE_LOCATIONS.map(({ id }) => id) as [string, string, string]

const start = (options: TestOptions = {}) =>
  startZinc({ locations: THREE_LOCATIONS, ...options, environment: { STOCK_PERCENT: '10', ...options.environment } })

interface Result {
  status: string
  run_id: string
  statistics: Record<string, number>
}
const readStock = async (zinc: TestZinc) =>
  (await request(zinc, 'POST', '/modules/inventory/sync?only=stock')) as { status: number; body: Result }

/** Waits for the run that follows a full sync. */
async function stockRun(zinc: TestZinc, after = 0) {
  const { db } = zinc.services
  await waitFor(async () => {
    const runs = await db.run.findMany({ where: { kind: 'stock' } })
    return runs.length > after && runs.every(({ state }) => !['queued', 'running'].includes(state))
  })
  return db.run.findFirstOrThrow({ where: { kind: 'stock' }, orderBy: { created_at: 'desc' } })
}

const paths = async (zinc: TestZinc, runId: string) =>
  (await zinc.services.db.zohoCall.findMany({ where: { run_id: runId }, orderBy: { id: 'asc' } })).map(({ path, job }) => `${job} ${path}`)

const product = async (zinc: TestZinc, zohoId: string): Promise<Product> =>
  ((await (await zinc.call(`/api/products/zoho:${zohoId}`)).json()) as { data: Product }).data

test('a full sync is followed by a run that reads stock by location, a hundred items per call', async () => {
  const count = times(110, 230)
  const details = Array(Math.ceil(count / 100)).fill('stock /inventory/v1/itemdetails')
  const zinc = await start({ items: createSeed({ count }) })
  const item = zinc.zoho.items()[4]! // three of it are committed in each place that has as many
  zinc.zoho.edit(item.item_id, { stock: 7, stock_at: { [MAIN]: 9, [SHOP]: -2 } })
  const plan = (await request(zinc, 'POST', '/sync/item/plan?mode=full')).body.data.calls
  await zinc.sync()
  const run = await stockRun(zinc)
  expect(run).toMatchObject({
    state: 'success',
    started_by: 'admin',
    statistics: { locations: 3, total: count, updated: zinc.zoho.items().filter(({ stock }) => stock !== null).length },
  })
  expect(await paths(zinc, run.id)).toEqual(['stock /inventory/v1/locations', ...details])
  // Before anything was read it is not known that there are locations.
  expect(plan).toMatchObject({ stock: 2 })

  expect(await (await zinc.call('/api/locations')).json()).toEqual({
    status: 'success',
    data: [
      { id: MAIN, name: 'Main warehouse', status: 'active', is_primary: true, address: expect.objectContaining({ city: 'Baghdad' }) },
      { id: DEPOT, name: 'Basra depot', status: 'inactive', is_primary: false, address: expect.objectContaining({ city: 'Basra' }) },
      { id: SHOP, name: 'Karrada shop', status: 'active', is_primary: false, address: expect.objectContaining({ city: 'Baghdad' }) },
    ],
    next_cursor: null,
  })
  const { stock } = await product(zinc, item.item_id)
  const asOf = stock.by_location[0]!.as_of
  expect(stock).toEqual({
    on_hand: '7',
    available: '7',
    actual_available: '7',
    committed: '3',
    by_location: [
      { location_id: MAIN, name: 'Main warehouse', on_hand: '9', available: '9', actual_available: '9', committed: '3', as_of: asOf },
      { location_id: SHOP, name: 'Karrada shop', on_hand: '-2', available: '-2', actual_available: '-2', committed: '0', as_of: asOf },
    ],
  })
  const service = zinc.zoho.items().find((it) => it.stock === null)!
  expect((await product(zinc, service.item_id)).stock).toEqual({
    on_hand: null,
    available: null,
    actual_available: null,
    committed: null,
    by_location: [],
  })
  // The next full sync: the list of locations was read today.
  expect((await request(zinc, 'POST', '/sync/item/plan?mode=full')).body.data.calls).toMatchObject({
    list: Math.ceil(count / 199),
    details: 0,
    images: 0,
    stock: details.length,
  })
  await zinc.sync('?mode=full')
  expect(await paths(zinc, (await stockRun(zinc, 1)).id)).toEqual(details)
})

test('equal stock is no change; what moved is one change of stock, whatever the time of the item', async () => {
  const zinc = await start({ environment: { STOCK_PERCENT: '0' } })
  const { db } = zinc.services
  await zinc.sync()
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  expect((await readStock(zinc)).body).toMatchObject({ status: 'success', statistics: { total: 30, updated: 30 } })
  const [moved, total] = zinc.zoho.items()
  const before = await product(zinc, moved!.item_id)
  const cursor = ((await (await zinc.call('/api/products/changes?cursor=latest')).json()) as { next_cursor: string }).next_cursor
  const changes = async () =>
    ((await (await zinc.call(`/api/products/changes?cursor=${encodeURIComponent(cursor)}`)).json()) as { data: Record<string, unknown>[] })
      .data

  expect((await readStock(zinc)).body.statistics).toMatchObject({ total: 30, updated: 0, unchanged: 30 })
  expect(await changes()).toEqual([])
  const again = await product(zinc, moved!.item_id)
  expect(again.stock.by_location[0]!.as_of > before.stock.by_location[0]!.as_of).toBe(true)
  expect(again.seq).toBe(before.seq)

  // From one place to another: the total stays.
  const at = Object.fromEntries(before.stock.by_location.map((it) => [it.location_id, Number(it.on_hand)]))
  zinc.zoho.edit(moved!.item_id, { stock_at: { ...at, [MAIN]: at[MAIN]! - 1, [SHOP]: at[SHOP]! + 1 } }, { touches: false })
  zinc.zoho.moveStock(total!.item_id, 5_000)
  expect((await readStock(zinc)).body.statistics).toMatchObject({ total: 30, updated: 2, unchanged: 28 })
  expect(Object.fromEntries((await changes()).map(({ zoho_item_id, changed_fields }) => [zoho_item_id, changed_fields]))).toEqual({
    [moved!.item_id]: ['stock'],
    [total!.item_id]: ['stock', 'stock_on_hand'],
  })
  expect((await product(zinc, total!.item_id)).stock.on_hand).toBe('5000')

  // A location that an item no longer names, and one with another name.
  zinc.zoho.edit(moved!.item_id, { stock_at: { [MAIN]: at[MAIN]! } }, { touches: false })
  zinc.zoho.locations[1]!.name = 'Mansour shop'
  await readStock(zinc)
  expect((await product(zinc, moved!.item_id)).stock.by_location.map((it) => it.name)).toEqual(['Main warehouse'])
  expect((await changes()).length).toBe(await db.product.count({ where: { stock: { some: {} } } }))
})

longTest('warehouses of older organizations are read as locations, and an organization may change over', async () => {
  const zinc = await start({ toggles: { places: 'warehouses', stockFigures: 'string' }, environment: { STOCK_PERCENT: '0' } })
  await zinc.sync()
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  const first = (await readStock(zinc)).body
  expect(await paths(zinc, first.run_id)).toEqual([
    'stock /inventory/v1/locations',
    'stock /inventory/v1/settings/warehouses',
    'stock /inventory/v1/itemdetails',
  ])
  const [item] = zinc.zoho.items()
  const before = (await product(zinc, item!.item_id)).stock
  expect(before.by_location).toHaveLength(3)
  Object.assign(zinc.zoho.toggles, { places: 'locations', stockFigures: 'number', locationTree: true })
  const second = (await readStock(zinc)).body
  expect(second.statistics).toMatchObject({ locations: 3, total: 30, updated: 0 })
  expect((await product(zinc, item!.item_id)).stock.by_location.map(({ as_of: _, ...it }) => it)).toEqual(
    before.by_location.map(({ as_of: _, ...it }) => it),
  )
})

longTest('an organization without locations costs two calls a day, and one for custom fields', async () => {
  const zinc = await start({ locations: [], toggles: { otherPlaces: 'empty' } })
  await zinc.sync()
  const first = await stockRun(zinc)
  expect(first).toMatchObject({ state: 'success' })
  expect(await paths(zinc, first.id)).toEqual([
    'stock /inventory/v1/locations',
    'stock /inventory/v1/settings/warehouses',
    'items /inventory/v1/itemdetails',
  ])
  await zinc.sync('?mode=full')
  expect(await paths(zinc, (await stockRun(zinc, 1)).id)).toEqual([])
  expect((await product(zinc, zinc.zoho.items()[0]!.item_id)).stock.by_location).toEqual([])
  await zinc.services.db.watermark.update({ where: { name: 'locations' }, data: { succeeded_at: new Date(Date.now() - 86_400_000) } })
  await zinc.sync('?mode=full')
  expect(await paths(zinc, (await stockRun(zinc, 2)).id)).toEqual([
    'stock /inventory/v1/locations',
    'stock /inventory/v1/settings/warehouses',
  ])
})

longTest("items in a store's assortment come first, then those whose stock is oldest", async () => {
  const zinc = await start({ items: createSeed({ count: 230 }), environment: { STOCK_PERCENT: '0' } })
  await zinc.sync()
  const client = await connect(zinc.environment.DATABASE_URL!)
  await client.query(
    `insert into store (code, name, assortment) values ('S1', 'One', '{"skus": ["${zinc.zoho.items()[229]!.sku}"], "in_stock": true}')`,
  )
  // All were read once, the first ones most recently.
  await client.query(
    `insert into item_detail (product_id, stock_as_of) select id, now() - row_number() over (order by zoho_item_id) * interval '1 minute' from product`,
  )
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  await readStock(zinc)
  const { rows } = await client.query(
    `select array_agg(p.zoho_item_id order by p.zoho_item_id) as ids from item_detail d join product p on p.id = d.product_id
     group by d.stock_as_of order by d.stock_as_of`,
  )
  const ids = zinc.zoho.items().map((it) => it.item_id)
  expect(rows.map((row) => row.ids)).toEqual([ids.slice(130), ids.slice(30, 130), ids.slice(0, 30)])
})

longTest('an entry that cannot be read leaves the stock of its item, and is reported', async () => {
  const zinc = await start({ environment: { STOCK_PERCENT: '0' } })
  await zinc.sync()
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  await readStock(zinc)
  const [item] = zinc.zoho.items()
  const before = (await product(zinc, item!.item_id)).stock
  const row = {
    item_id: item!.item_id,
    name: item!.name,
    locations: [{ location_id: MAIN, location_name: 'Main', location_stock_on_hand: 'many' }],
  }
  zinc.zoho.fail({ path: /itemdetails/, times: 1, body: JSON.stringify({ code: 0, message: 'success', items: [row] }) })
  const { body } = await readStock(zinc)
  expect(body).toMatchObject({
    status: 'partial',
    statistics: { failed: 1 },
    errors: [{ code: 'invalid_item', zoho_item_id: item!.item_id }],
  })
  expect((await product(zinc, item!.item_id)).stock).toEqual(before)
})

longTest('an item that is no longer tracked has no stock anywhere at once, also for SQL and filters', async () => {
  const zinc = await start({ environment: { STOCK_PERCENT: '0' } })
  await zinc.sync()
  await request(zinc, 'PUT', '/quota', { stock_percent: 10 })
  await readStock(zinc)
  const item = zinc.zoho.items().find((it) => it.stock !== null)!
  const { id } = await product(zinc, item.item_id)
  zinc.zoho.edit(item.item_id, { stock: null })
  await zinc.sync('?mode=incremental')
  expect((await product(zinc, item.item_id)).stock).toEqual({
    on_hand: null,
    available: null,
    actual_available: null,
    committed: null,
    by_location: [],
  })
  const client = await connect(zinc.environment.DATABASE_URL!)
  expect((await client.query('select 1 from erp.product_stock where product_id = $1', [id])).rows).toEqual([])
  // Tracked again, its places are unknown, and not empty, until they are read.
  expect((await client.query('select stock_as_of from item_detail where product_id = $1', [id])).rows).toEqual([{ stock_as_of: null }])
})
