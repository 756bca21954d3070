import pLimit from 'p-limit'
import { expect, test } from 'vitest'
import type { Product } from '../../src/schemas/products.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const MAPPING = '/api/settings/integrations/zoho/mapping'

interface Preview {
  data: {
    zoho_item_id: string
    fields: { field: string; zoho_value: string | null; current_value: string | null; result: string | null; changes: boolean }[]
    item: { source: string; value: string }[]
  }
}

function calls({ call }: TestZinc) {
  const send = (method: string, path: string, body: object) =>
    call(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return {
    put: (body: object) => send('PUT', MAPPING, body),
    preview: async (body: object) => (await (await send('POST', `${MAPPING}/preview`, body)).json()) as Preview,
    patch: (id: string, body: object) => send('PATCH', `/api/products/${id}`, body),
    product: async (id: string) => ((await (await call(`/api/products/${id}`)).json()) as { data: Product }).data,
    code: async (response: Response) => [response.status, ((await response.json()) as { code?: string }).code],
  }
}

test('what the ERP owns is never overwritten, what comes first is filled once, and the rest follows Zoho', async () => {
  const zinc = await startZinc()
  const { put, patch, product, code } = calls(zinc)
  await zinc.sync()
  const [one, two] = zinc.zoho.items()
  const [id, other] = [`zoho:${one!.item_id}`, `zoho:${two!.item_id}`]
  expect(await code(await patch(id, { selling_price: '99.50' }))).toEqual([409, 'owned_by_zoho'])

  expect(
    (
      await put({
        fields: [
          { field: 'selling_price', owner: 'erp' },
          { field: 'description', owner: 'first' },
          { field: 'name', owner: 'erp' },
        ],
      })
    ).status,
  ).toBe(200)
  expect((await patch(id, { selling_price: '99.50', description: 'From the ERP' })).status).toBe(200)
  await zinc.services.db.product.update({ where: { zoho_item_id: two!.item_id }, data: { description: ' ' } })
  zinc.zoho.edit(one!.item_id, { rate: 1, purchase_rate: 77, description: 'From Zoho', name: 'Renamed in Zoho' })
  zinc.zoho.edit(two!.item_id, { rate: 2, description: 'First of all' })
  const added = { ...one!, item_id: '460000000000099999', sku: 'NEW-1', name: 'New | جديد', rate: 5, description: 'New' }
  zinc.zoho.add(added)
  const before = await product(other)
  const run = await zinc.sync()
  expect(run).toMatchObject({ status: 'success', statistics: { new: 1, updated: 2 } })
  expect(await product(id)).toMatchObject({
    selling_price: '99.5',
    description: 'From the ERP',
    cost_price: '77',
  })
  expect((await product(id)).name).not.toBe('Renamed in Zoho')
  expect(await product(other)).toMatchObject({ selling_price: before.selling_price, description: 'First of all' })
  // A new product has no price until the ERP gives it one, but it has a name.
  expect(await product(`zoho:${added.item_id}`)).toMatchObject({ selling_price: null, description: 'New', name: 'New | جديد' })

  // Nothing changed: nothing is written, also with owners that differ.
  expect((await zinc.sync('?mode=full')).statistics).toMatchObject({ total: 31, unchanged: 31, updated: 0 })
  zinc.zoho.edit(two!.item_id, { description: 'Second thoughts' })
  await zinc.sync()
  expect((await product(other)).description).toBe('First of all')
  // What the ERP empties, Zoho may fill again; what only Zoho owns stays refused.
  expect((await patch(other, { description: null })).status).toBe(200)
  await zinc.sync('?mode=full')
  expect((await product(other)).description).toBe('Second thoughts')
  expect(await code(await patch(id, { sku: 'X', selling_price: '1' }))).toEqual([409, 'owned_by_zoho'])
  for (const wrong of [
    { selling_price: 12.5 },
    { selling_price: '1,5' },
    { selling_price: 'NaN' },
    { currency: 'dinar' },
    { nonsense: 1 },
    { name: null },
  ])
    expect((await patch(id, wrong)).status, JSON.stringify(wrong)).toBe(400)

  // Back to the default: Zoho's values return with a full sync.
  expect(await (await put({ reset: true })).json()).toMatchObject({ data: { is_default: true } })
  await zinc.sync('?mode=full')
  expect(await product(id)).toMatchObject({ selling_price: '1', description: 'From Zoho', name: 'Renamed in Zoho' })
  const audit = await zinc.services.db.auditEntry.findMany({ where: { target: 'mapping' }, orderBy: { id: 'asc' } })
  expect(audit.map(({ action, fields }) => [action, [...fields].sort()])).toEqual([
    ['mapping.change', ['description', 'name', 'selling_price']],
    ['mapping.reset', ['description', 'name', 'selling_price']],
  ])
})

longTest('a price that the ERP writes while a page is written is not lost', async () => {
  const zinc = await startZinc()
  const { put, patch, product } = calls(zinc)
  await zinc.sync()
  await put({
    fields: [
      { field: 'brand', owner: 'first' },
      { field: 'selling_price', owner: 'erp' },
    ],
  })
  await zinc.services.db.product.updateMany({ data: { brand: null } })
  const items = zinc.zoho.items()
  for (const [n, item] of items.entries()) zinc.zoho.edit(item.item_id, { rate: n })
  const run = zinc.sync('?mode=full')
  // A few at a time: who waits for a connection for two seconds is refused, and thirty do on a slow
  // machine.
  const atOnce = pLimit(4)
  await Promise.all(items.map((item, n) => atOnce(() => patch(`zoho:${item.item_id}`, { selling_price: `${1000 + n}`, brand: 'ERP' }))))
  await run
  for (const [n, item] of items.entries()) {
    const now = await product(`zoho:${item.item_id}`)
    expect(now.selling_price).toBe(`${1000 + n}`)
    expect(now.brand).toBe('ERP')
  }
})

test('fields are read from the chosen sources, and a real item shows it first', async () => {
  const zinc = await startZinc()
  const { put, preview, product, code } = calls(zinc)
  const [one, two] = zinc.zoho.items()
  zinc.zoho.edit(two!.item_id, { name: 'Lamp | مصباح', custom_fields: {}, modified: new Date(Date.now() - 60_000) })
  zinc.zoho.edit(one!.item_id, {
    name: 'Only this',
    custom_fields: { cf_arabic_name: 'الاسم العربي', cf_shop_price: '1,234.50', cf_junk: 'no number' },
  })
  const fields = [
    { field: 'name_ar', source: 'cf_arabic_name' },
    { field: 'selling_price', source: 'cf_shop_price' },
  ]

  // Before anything is in the catalogue: Zoho's newest item.
  const first = await preview({ fields })
  expect(first.data.zoho_item_id).toBe(one!.item_id)
  await zinc.sync()
  const shown = await preview({ fields, sku: one!.sku })
  const of = (response: Preview, name: string) => response.data.fields.find((field) => field.field === name)
  expect(of(shown, 'name_ar')).toMatchObject({ zoho_value: 'الاسم العربي', current_value: null, result: 'الاسم العربي', changes: true })
  expect(of(shown, 'selling_price')).toMatchObject({ result: '1234.5', changes: true })
  expect(of(shown, 'cost_price')?.changes).toBe(false)
  expect(shown.data.item).toContainEqual({ source: 'cf_arabic_name', value: 'الاسم العربي' })
  expect((await product(`zoho:${one!.item_id}`)).name_ar).toBeNull()

  expect(await (await zinc.call(MAPPING)).json()).toMatchObject({
    data: { is_default: true, sources: expect.arrayContaining(['rate', 'cf_arabic_name', 'cf_shop_price']) },
  })
  expect((await put({ fields })).status).toBe(200)
  expect(await code(await put({ fields: [{ field: 'brand', source: 'no_such' }] }))).toEqual([400, 'unknown_source'])
  expect(await code(await put({ fields: [{ field: 'name', source: 'sku' }] }))).toEqual([400, 'fixed_source'])
  expect((await put({ fields: [{ field: 'zoho_item_id', owner: 'erp' }] })).status).toBe(400)
  expect((await put({ fields: [{ field: 'brand', owner: 'nobody' }] })).status).toBe(400)
  await zinc.sync('?mode=full')
  expect(await product(`zoho:${one!.item_id}`)).toMatchObject({
    name: 'Only this',
    name_en: 'Only this',
    name_ar: 'الاسم العربي',
    selling_price: '1234.5',
  })
  expect(await product(`zoho:${two!.item_id}`)).toMatchObject({ name_en: 'Lamp', name_ar: 'مصباح', selling_price: null })
  expect(
    await code(
      await zinc.call(`${MAPPING}/preview`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"zoho_item_id":"1"}',
      }),
    ),
  ).toEqual([404, 'item_not_found'])
})
