import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('an id that Zoho refuses is named and skipped; the full pass succeeds and removes what is gone', async () => {
  const { zoho, sync, services } = await startZinc({ synced: true })
  const { db } = services
  const [excel, refused, gone] = ['2.60815E+17', '460000000099999991', '460000000099999992'] as const
  const at = new Date()
  for (const zoho_item_id of [excel, refused, gone])
    await db.product.create({ data: { zoho_item_id, name: zoho_item_id, image_state: 'none', created_at: at, updated_at: at } })
  zoho.toggles.malformedItemIds = 'refuse'
  zoho.toggles.refusedItemIds = [refused]
  const before = zoho.counters.details
  for (const round of [1, 2]) {
    const run = await sync('?mode=full')
    expect([run.status, run.statistics.removed]).toEqual(['success', round === 1 ? 1 : 0])
    expect(run.errors.map(({ code, zoho_item_id }) => `${code} ${zoho_item_id}`).sort()).toEqual([
      `item_id_refused ${excel}`,
      `item_id_refused ${refused}`,
    ])
  }
  expect(zoho.counters.details - before).toBeLessThanOrEqual(5)
  const states = await db.product.findMany({
    where: { zoho_item_id: { in: [excel, refused, gone] } },
    select: { zoho_item_id: true, deleted_at: true },
  })
  expect(states.filter((it) => it.deleted_at !== null).map((it) => it.zoho_item_id)).toEqual([gone])

  // Neighbour: a detail without an id that can be read says nothing about the items that are
  // missing beside it.
  zoho.fail({ path: /itemdetails/, times: 1, body: JSON.stringify({ code: 0, items: [{ item_id: {}, name: 'x' }] }) })
  const late = '460000000099999993'
  await db.product.create({ data: { zoho_item_id: late, name: late, image_state: 'none', created_at: at, updated_at: at } })
  expect((await sync('?mode=full')).statistics.removed).toBe(0)
  expect((await sync('?mode=full')).statistics.removed).toBe(1)
})

longTest('a product that Zoho does not know can be deleted, one that it has cannot, and stores are told', async () => {
  const shop = await startShop()
  const { zoho, send, services } = shop
  const item = zoho.items().find((it) => it.image_document_id !== '')!
  expect(await send('DELETE', `/api/products/zoho:${item.item_id}`)).toMatchObject({ status: 409, body: { code: 'product_in_zoho' } })
  const store = await shop.addStore()
  const { next_cursor } = await store.list('&limit=1000')
  zoho.remove(item.item_id)
  const { id } = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: item.item_id } })
  expect(await send('DELETE', `/api/products/${id}`)).toMatchObject({ status: 200, body: { data: { id } } })
  expect((await store.follow(next_cursor)).photos).toMatchObject([{ deleted: true }])
  expect(await send('DELETE', `/api/products/${id}`)).toMatchObject({ status: 404, body: { code: 'product_not_found' } })
  // Neighbours: an id that Zoho cannot have costs no call, and Zoho's outage deletes nothing.
  const at = new Date()
  const local = await services.db.product.create({
    data: { zoho_item_id: '2.60815E+17', name: 'X', image_state: 'none', created_at: at, updated_at: at },
  })
  const calls = zoho.meter.calls
  expect((await send('DELETE', `/api/products/${local.id}`)).status).toBe(200)
  expect(zoho.meter.calls).toBe(calls)
  zoho.fail({ path: /itemdetails/, times: 20, status: 401, body: '{"code":57,"message":"no"}' })
  const other = zoho.items()[3]!
  expect((await send('DELETE', `/api/products/zoho:${other.item_id}`)).status).toBe(502)
  expect(await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: other.item_id } })).toMatchObject({ deleted_at: null })
})
