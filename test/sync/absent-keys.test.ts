import { expect, test } from 'vitest'
import { WEBHOOK_SYNC } from '../../src/sync/webhook/queue.ts'
import type { SimulatedItem } from '../../src/zoho-simulator/seed.ts'
import { itemDetail, itemRow } from '../../src/zoho-simulator/serialize.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { itemCalls, startZinc, type TestZinc } from '../helpers/zinc.ts'

const LIST = /\/inventory\/v1\/items\?/
const DETAILS = /itemdetails/

const productOf = ({ services }: TestZinc, id: string) =>
  services.db.product.findUniqueOrThrow({ where: { zoho_item_id: id }, include: { photos: { where: { deleted_at: null } } } })

const listBody = (rows: object[]) => JSON.stringify({ code: 0, message: 'success', items: rows, page_context: { has_more_page: false } })
const without = (row: object, ...keys: string[]) => Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)))
const rowOf = (item: SimulatedItem) => itemRow(item, 'Asia/Baghdad')
/** The next sync lists just these rows. */
const listNext = ({ zoho }: TestZinc, rows: object[]) => zoho.fail({ path: LIST, times: 1, body: listBody(rows) })

/** The signed notice's way to a read of the details, without the wait of a delivery. */
async function notice({ services: { db, webhookQueue } }: TestZinc, ids: string[]): Promise<void> {
  await webhookQueue.take(ids)
  await waitFor(
    async () =>
      (await db.webhookEvent.count({ where: { due_at: { not: null } } })) === 0 &&
      (await db.run.count({ where: { kind: WEBHOOK_SYNC, finished_at: null } })) === 0,
  )
}

longTest('a webhook keeps custom fields and the names mapped from them, in each shape that details have', async () => {
  const zinc = await startZinc({ synced: true })
  const { zoho, call, sync } = zinc
  const item = zoho.items()[0]!
  zoho.edit(item.item_id, { custom_fields: { cf_origin: 'العراق', cf_shelf: 'A1' } })
  const mapping = JSON.stringify({ fields: [{ field: 'name_ar', source: 'cf_origin' }] })
  await call('/api/settings/integrations/zoho/mapping', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: mapping })
  await sync()
  const before = await productOf(zinc, item.item_id)
  expect(before).toMatchObject({ name_ar: 'العراق', custom_fields: { cf_origin: 'العراق', cf_shelf: 'A1' } })
  for (const [rate, shape] of [
    [11, 'both'],
    [12, 'list'],
    [13, 'hash'],
    [14, 'absent'],
  ] as const) {
    zoho.toggles.detailCustomFields = shape
    zoho.edit(item.item_id, { rate })
    await zinc.services.db.webhookEvent.deleteMany({})
    await notice(zinc, [item.item_id])
    const after = await productOf(zinc, item.item_id)
    expect([shape, after.selling_price?.toFixed(), after.name_ar, after.custom_fields]).toEqual([
      shape,
      `${rate}`,
      'العراق',
      before.custom_fields,
    ])
  }
  // Neighbours: a field that is blank is cleared, and one that a list row does not show stays.
  zoho.toggles.detailCustomFields = 'both'
  zoho.edit(item.item_id, { custom_fields: { cf_shelf: '' } })
  await sync()
  expect((await productOf(zinc, item.item_id)).custom_fields).toMatchObject({ cf_origin: 'العراق', cf_shelf: '' })
  expect((await productOf(zinc, item.item_id)).name_ar).toBe('العراق')
})

test('absent and unreadable keys leave each field as it is, and unreadable ones are reported', async () => {
  const zinc = await startZinc({ synced: true })
  const { zoho, sync } = zinc
  const [absent, wrong, blank] = zoho.items()
  const before = await Promise.all([absent, wrong].map((item) => productOf(zinc, item!.item_id)))
  const fields = ['item_name', 'sku', 'status', 'description', 'rate', 'purchase_rate', 'stock_on_hand', 'unit', 'category_name', 'brand']
  const junk = Object.fromEntries(['name', ...fields].map((key) => [key, { key }]))
  listNext(zinc, [
    without(rowOf(absent!), 'name', ...fields),
    { ...rowOf(wrong!), ...junk },
    { ...rowOf(blank!), brand: '', category_name: '', rate: '' },
  ])
  const run = await sync()
  expect(run.status).toBe('partial')
  const after = await Promise.all([absent, wrong].map((item) => productOf(zinc, item!.item_id)))
  expect(after).toEqual(before)
  expect(run.errors.filter((it) => it.zoho_item_id === absent!.item_id)).toHaveLength(1)
  expect(run.errors.filter((it) => it.zoho_item_id === wrong!.item_id)).toHaveLength(fields.length + 1)
  expect(await productOf(zinc, blank!.item_id)).toMatchObject({ brand: null, category: null, selling_price: null, sku: blank!.sku || null })
  // Zoho's other name for the name, and then all is well again.
  listNext(zinc, [{ ...without(rowOf(absent!), 'name'), item_name: 'Desk Lamp 7' }, rowOf(wrong!)])
  expect((await sync()).status).toBe('success')
  expect((await productOf(zinc, absent!.item_id)).name).toBe('Desk Lamp 7')
  expect(await zinc.services.db.failure.count({ where: { resolved_at: null, stage: 'item' } })).toBe(0)
})

test('an image stays when the key of its id is absent, and goes only when Zoho confirms it', async () => {
  const zinc = await startZinc({ synced: true })
  const { zoho, sync } = zinc
  const [named, gone, kept, removed, none] = zoho.items().filter((item) => item.image_document_id !== '')
  const images = async () =>
    Promise.all([named, gone, kept, removed].map(async (item) => (await productOf(zinc, item!.item_id)).photos.map((photo) => photo.id)))
  const before = await images()
  const blanks = { image_name: '', image_type: '' }
  // Blank in the list and named by the detail; blank in both, and Zoho still sends the image; blank
  // in both, and it sends none.
  zoho.fail({
    path: DETAILS,
    times: 1,
    body: JSON.stringify({
      code: 0,
      items: [
        itemDetail(gone!, 'Asia/Baghdad'),
        { ...without(itemDetail(kept!, 'Asia/Baghdad'), 'image_document_id', 'documents'), ...blanks },
        { ...without(itemDetail(removed!, 'Asia/Baghdad'), 'image_document_id', 'documents'), ...blanks },
      ],
    }),
  })
  listNext(zinc, [
    without(rowOf(named!), 'image_document_id'),
    { ...without(rowOf(gone!), 'image_document_id'), ...blanks },
    { ...without(rowOf(kept!), 'image_document_id'), ...blanks },
    { ...without(rowOf(removed!), 'image_document_id'), ...blanks },
    without(rowOf(none!), 'image_document_id', 'image_name', 'image_type', 'has_attachment'),
  ])
  zoho.edit(removed!.item_id, { image_document_id: '' }, { touches: false })
  const run = await sync()
  expect(run).toMatchObject({ status: 'success' })
  expect(await images()).toEqual([before[0], before[1], before[2], []])
  expect((await productOf(zinc, none!.item_id)).photos).toHaveLength(1)

  // A detail that names the image by image_id or by its name alone, as after a webhook.
  for (const shape of ['image_id', 'name_only'] as const) {
    zoho.toggles.detailImage = shape
    zoho.toggles.detailDocuments = shape === 'name_only' ? 'absent' : 'list'
    await zinc.services.db.webhookEvent.deleteMany({})
    await notice(zinc, [named!.item_id])
    expect((await productOf(zinc, named!.item_id)).photos.map((photo) => photo.id)).toEqual(before[0])
  }
  // Said plainly, it goes without another call.
  zoho.edit(named!.item_id, { image_document_id: '' })
  const calls = itemCalls(zoho)
  await sync()
  expect(itemCalls(zoho) - calls).toBe(1)
  expect((await productOf(zinc, named!.item_id)).photos).toEqual([])
})
