import { expect, test } from 'vitest'
import { estimateCompletion } from '../../src/connection/estimate.ts'
import { request } from '../helpers/request.ts'
import { skipPriceLists, startZinc } from '../helpers/zinc.ts'

test("a plan states a sync's changes field by field and its cost, and the sync does just that", async () => {
  const zinc = await startZinc({ limits: { perMinute: null, perDay: 1_000, inFlight: null, blockMs: 60_000 } })
  const { zoho, sync, services } = zinc
  await skipPriceLists(zinc)
  await sync('?sync_images=true')
  const [edited, replaced, gone] = zoho.items().filter((item) => item.image_document_id !== '')
  zoho.edit(edited!.item_id, { rate: 12.5, name: 'Edited | معدل', custom_fields: { cf_colour: 'red' } })
  zoho.replaceImage(replaced!.item_id, 77_001)
  zoho.remove(gone!.item_id)
  zoho.add({ ...edited!, item_id: '460000009990000001', sku: edited!.sku, modified: new Date(), image_document_id: '999000000000000002' })
  const before = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: edited!.item_id } })

  const { status, body } = await request(zinc, 'POST', '/sync/item/plan?sync_images=true&mode=full')

  expect(status).toBe(200)
  expect(body.data).toMatchObject({
    mode: 'full',
    source: 'api',
    items: { total: 30, new: 1, updated: 2, unchanged: 27, removed: 1, restored: 0, conflicts: 1, failed: 0 },
    images: { to_fetch: 2 },
    // Two new images, and the edited item's own, which may be another one under the same id.
    calls: { list: 1, details: 1, images: 3, price_lists: 0, total: 5 },
    days: 1,
    mass_delete: null,
  })
  const records = async (query = '') => (await request(zinc, 'GET', `/sync/runs/${body.data.run_id}/records${query}`)).body
  expect((await records()).data).toHaveLength(4)
  expect((await records('?outcome=updated')).data.find((it: { record_id: string }) => it.record_id === edited!.item_id)).toMatchObject({
    sku: edited!.sku,
    name: 'Edited | معدل',
    product_id: before.id,
    changes: {
      selling_price: [before.selling_price!.toFixed(), '12.5'],
      name_en: [before.name_en, 'Edited'],
      custom_fields: [before.custom_fields, { cf_colour: 'red', cf_colour_unformatted: 'red' }],
    },
  })
  expect((await records('?outcome=removed')).data).toMatchObject([{ record_id: gone!.item_id, product_id: expect.any(String) }])
  const first = await records('?limit=3')
  expect([...first.data, ...(await records(`?limit=3&cursor=${first.next_cursor}`)).data].map((it) => it.record_id)).toEqual(
    (await records()).data.map((it: { record_id: string }) => it.record_id),
  )

  // Nothing was done.
  expect(await services.db.product.count({ where: { deleted_at: null } })).toBe(30)
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: edited!.item_id } })).name).toBe(before.name)
  expect(await services.db.runPage.count()).toBe(0)

  const done = await sync('?sync_images=true&mode=full')
  expect(done.statistics).toMatchObject({ new: 1, updated: 2, unchanged: 27, removed: 1, conflicts: 1, images_downloaded: 2 })
  expect((await request(zinc, 'GET', `/sync/runs/${done.run_id}/records`)).body.data).toEqual((await records()).data.map(withProduct))
  function withProduct(it: { record_id: string }) {
    return it.record_id === '460000009990000001' ? { ...it, product_id: expect.any(String) } : it
  }
})

test('a plan that would remove more than a fifth says so, and so does a dry run', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  for (const item of zinc.zoho.items().slice(0, 12)) zinc.zoho.remove(item.item_id)
  const { body } = await request(zinc, 'POST', '/sync/item/plan?mode=full')
  expect(body.data).toMatchObject({ items: { removed: 0 }, mass_delete: { removed: 12, of: 30 } })
  expect(await zinc.sync('?mode=full&dry_run=true&confirm_removals=true')).toMatchObject({ status: 'success', statistics: { removed: 12 } })
  expect(await zinc.services.db.product.count({ where: { deleted_at: null } })).toBe(30)
})

test.each([
  // The real shop on a plan of 2,000 calls a day: 12 list calls and 2,204 pictures.
  [2_216, { perMinute: 80, day: { limit: 2_000, left: 2_000 } }, { minutes: 27.7, days: 2 }],
  [1_483, { perMinute: 80, day: { limit: 10_000, left: 10_000 } }, { minutes: 18.5, days: 1 }],
  [1, { perMinute: 80, day: null }, { minutes: 0, days: null }],
  [5_000, { perMinute: 80, day: { limit: 1_000, left: 0 } }, { minutes: 62.5, days: 7 }],
])('%s calls at %j take %j', (calls, { perMinute, day }, expected) => {
  const now = new Date('2026-11-25T10:00:00Z')
  const resetsAt = new Date('2026-11-25T21:00:00Z')
  const { minutes, days, endsAt } = estimateCompletion(calls, { perMinute, day: day && { ...day, reserve: day.limit / 20, resetsAt } }, now)
  expect({ minutes, days }).toEqual(expected)
  if (days === 1 || days === null) expect(endsAt.getTime() - now.getTime()).toBeLessThan((minutes + 0.1) * 60_000)
  else expect(Math.ceil((endsAt.getTime() - resetsAt.getTime()) / 86_400_000)).toBe(days! - 1)
})
