import { mkdir, writeFile } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import type { Product, ProductFacets, ProductsResponse } from '../../src/schemas/products.ts'
import { createSeed, type SimulatedItem } from '../../src/zoho-simulator/seed.ts'
import { itemRow } from '../../src/zoho-simulator/serialize.ts'
import { itemCalls, openZinc, type TestZinc } from '../helpers/zinc.ts'

const ITEMS = 60
const LIST = /\/inventory\/v1\/items\?/
let zinc: TestZinc

beforeAll(async () => {
  const opened = await openZinc({ items: createSeed({ count: ITEMS }) })
  zinc = opened
  const before = itemCalls(zinc.zoho)
  await zinc.sync()
  // The call floor: one page of the list, whatever fields are kept.
  expect(itemCalls(zinc.zoho) - before).toBe(1)
  return opened.end
})

const read = async <T>(path: string) => (await (await zinc.call(path)).json()) as T
const one = async (ref: string) => (await read<{ data: Product }>(`/api/products/${encodeURIComponent(ref)}`)).data
const ids = async (query: string) =>
  (await read<ProductsResponse>(`/api/products?limit=500&${query}`)).data.map(({ zoho_item_id }) => zoho_item_id)
const listBody = (rows: object[]) => JSON.stringify({ code: 0, items: rows, page_context: { has_more_page: false } })
const rowOf = (item: SimulatedItem) => itemRow(item, 'Asia/Baghdad')
/** The next sync lists just these rows. */
async function syncRows(rows: object[]): Promise<void> {
  zinc.zoho.fail({ path: LIST, times: 1, body: listBody(rows) })
  expect((await zinc.sync()).status).toBe('success')
}
const without = (row: object, keys: RegExp) => Object.fromEntries(Object.entries(row).filter(([key]) => !keys.test(key)))

test('a record has every field of the list row, and groups only where there are variants', async () => {
  const items = zinc.zoho.items()
  const variant = items.find((item) => item.group && item.measures && item.tax && item.stock !== null)!
  expect(await one(`zoho:${variant.item_id}`)).toMatchObject({
    ean: variant.ean || null,
    upc: variant.upc || null,
    isbn: null,
    part_number: variant.part_number || null,
    brand: variant.brand,
    unit: 'pcs',
    item_type: 'inventory',
    product_type: 'goods',
    category: { id: variant.category_id, name: variant.category },
    tax: { id: variant.tax!.id, name: variant.tax!.name, percentage: String(variant.tax!.percentage) },
    dimensions: { length: String(variant.measures!.length), width: String(variant.measures!.width), unit: 'cm' },
    weight: { value: String(variant.measures!.weight), unit: 'kg' },
    is_combo: false,
    group: variant.group,
    attributes: variant.attributes,
    stock: { on_hand: String(variant.stock), available: String(variant.stock), committed: null, by_location: [] },
    prices: [],
    origin: 'zoho',
    seq: expect.any(Number),
  })
  const untracked = items.find((item) => item.stock === null)!
  expect(await one(`zoho:${untracked.item_id}`)).toMatchObject({
    item_type: 'sales',
    stock_on_hand: null,
    reorder_level: null,
    stock: { on_hand: null, available: null, actual_available: null, by_location: [] },
    group: null,
    attributes: [],
  })
  const escaped = items.find((item) => item.manufacturer?.includes('&amp;'))!
  expect((await one(`zoho:${escaped.item_id}`)).manufacturer).toBe('Tigris & Sons')
})

test('raw is Zoho’s row to the byte, and only there when asked for', async () => {
  const row = `{"zzz":1,"item_id":"460000000000999001","name":"A &amp; B","rate":12.500000000000000000001,"2":"b","1":"a","weight":"1.50"}`
  zinc.zoho.fail({ path: LIST, times: 1, body: `{"code":0,"items":[ ${row} ],"page_context":{"has_more_page":false}}` })
  await zinc.sync()
  const text = await (await zinc.call('/api/products/zoho:460000000000999001?include=raw')).text()
  expect(text).toContain(`"raw":${row}`)
  expect(JSON.parse(text).data).toMatchObject({ name: 'A &amp; B', name_en: 'A & B', weight: { value: '1.5' } })
  const list = await (await zinc.call('/api/products?search=460000000000999001&include=raw&total=true')).text()
  expect(list).toContain(`"raw":${row}`)
  expect(JSON.parse(list)).toMatchObject({ next_cursor: null, total: 1 })
  expect(await one('zoho:460000000000999001')).not.toHaveProperty('raw')
})

test('absent stays, blank goes, and Zoho’s two exceptions mean none', async () => {
  const [item] = zinc.zoho.items().filter(({ group, stock, ean, tax, measures }) => group && stock !== null && ean && tax && measures)
  const ref = `zoho:${item!.item_id}`
  const before = await one(ref)
  const fields = /^(upc|ean|isbn|part_number|brand|manufacturer|unit|category_|tax_|length|width|height|weight|product_type|is_combo)/
  await syncRows([without(rowOf(item!), fields)])
  const { updated_at: _, seq: __, changed_at: ___, ...same } = before
  expect(await one(ref)).toMatchObject(same)
  // No row of the list has keys of groups: nothing is said. One has: then their absence says none.
  await syncRows([without(rowOf(item!), /^(group_|attribute_)/)])
  expect((await one(ref)).group).toEqual(before.group)
  const other = zinc.zoho.items().find((it) => it.group && it.item_id !== item!.item_id)!
  await syncRows([without(rowOf(item!), /^(group_|attribute_)/), rowOf(other)])
  expect(await one(ref)).toMatchObject({ group: null, attributes: [] })
  // Tracked, an absent stock stays; not tracked, it is none.
  await syncRows([without(rowOf(item!), /stock|reorder/)])
  expect((await one(ref)).stock.on_hand).toBe(before.stock.on_hand)
  await syncRows([{ ...without(rowOf(item!), /stock|reorder/), item_type: 'sales' }])
  expect(await one(ref)).toMatchObject({ stock: { on_hand: null, available: null }, stock_on_hand: null })
  const blank = {
    ean: '',
    brand: null,
    category_id: '',
    category_name: '',
    tax_id: '',
    tax_name: '',
    tax_percentage: 0,
    length: '',
    width: '',
    height: '',
    weight: '',
  }
  await syncRows([{ ...rowOf(item!), ...blank }])
  expect(await one(ref)).toMatchObject({ ean: null, brand: null, category: null, tax: null, dimensions: null, weight: null })
  await syncRows([rowOf(item!)])
  expect((await one(ref)).ean).toBe(before.ean)
})

test('a product is found by each of its codes, an ambiguous one is 409 with the ids', async () => {
  const { db } = zinc.services
  const made = await db.product.createManyAndReturn({
    data: [
      { name: 'Coded', ean: '0012345678905', upc: 'U-1', isbn: '9780306406157', part_number: 'P:1/2' },
      { name: 'Twin', isbn: '9780306406157' },
      { name: 'Gone', ean: '0012345678905', deleted_at: new Date() },
    ],
    select: { id: true },
  })
  for (const ref of ['ean:0012345678905', 'upc:U-1', 'part:P:1/2']) expect((await one(ref)).id, ref).toBe(made[0]!.id)
  const both = await zinc.call('/api/products/isbn:9780306406157')
  expect([both.status, await both.json()]).toMatchObject([
    409,
    { code: 'ambiguous_reference', detail: { ids: [made[0]!.id, made[1]!.id] } },
  ])
  expect((await zinc.call('/api/products/ean:12345678905')).status).toBe(404)
  for (const search of ['12345678905', '000012345678905', '0306406157'])
    expect(
      (await read<ProductsResponse>(`/api/products?search=${search}`)).data.map(({ id }) => id),
      search,
    ).toContain(made[0]!.id)
  const counts = (await read<{ data: Record<string, number> }>('/api/settings/integrations/zoho/coverage')).data
  await db.product.update({ where: { id: made[1]!.id }, data: { isbn: null, upc: '12345678905', ean: '6284200001234' } })
  const after = (await read<{ data: Record<string, number> }>('/api/settings/integrations/zoho/coverage')).data
  // The pair is one by another code now, leading zeros or not, and the new EAN's last digit is
  // wrong.
  expect(after).toEqual({ ...counts, bad_check_digit: counts.bad_check_digit! + 1 })
  await db.product.updateMany({ where: { id: { in: made.map(({ id }) => id) } }, data: { deleted_at: new Date() } })
  const gone = (await read<{ data: Record<string, number> }>('/api/settings/integrations/zoho/coverage')).data
  expect([gone.duplicate_barcode, gone.bad_check_digit]).toEqual([counts.duplicate_barcode! - 2, counts.bad_check_digit])
  expect(gone.no_barcode).toBe((await ids('coverage=no_barcode')).length)
})

test.each([
  'name',
  '-name',
  'sku',
  '-sku',
  'selling_price',
  '-selling_price',
  'stock_on_hand',
  '-stock_on_hand',
  '-updated_at',
  '-created_at',
])('a list by %s has each product once over all pages, those without a value last', async (sort) => {
  const column = sort.replace('-', '') as 'name'
  const seen: Product[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: ProductsResponse = await read(`/api/products?sort=${sort}&limit=13${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.data)
    cursor = page.next_cursor
  }
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
  expect(seen).toHaveLength((await ids('')).length)
  const values = seen.map((product) => product[column])
  const filled = values.filter((value) => value !== null)
  expect(values.slice(filled.length).every((value) => value === null)).toBe(true)
  const numeric = ['selling_price', 'stock_on_hand'].includes(column)
  const sorted = [...filled].sort((a, b) => (numeric ? Number(a) - Number(b) : Buffer.compare(Buffer.from(a), Buffer.from(b))))
  expect(filled).toEqual(sort.startsWith('-') ? sorted.reverse() : sorted)
})

test.each(['created_at', '-selling_price', 'sku'])(
  'by %s, each page of a list is reached by its cursor, and pages share no product',
  async (sort) => {
    const list = `coverage=without_picture&sort=${sort}`
    await zinc.services.db.product.createMany({
      data: Array.from({ length: 120 }, (_, index) => ({
        name: `Shelf ${index}`,
        selling_price: index % 7,
        brand: 'Cursor',
        group_id: 'g-1',
      })),
    })
    const whole: ProductsResponse = await read(`/api/products?${list}&limit=500`)
    const { data: cursors } = await read<{ data: string[] }>(`/api/products/cursors?${list}&limit=50`)
    expect(cursors).toHaveLength(Math.floor(whole.data.length / 50))
    const pages: string[][] = []
    // The last page first: no page needs those before it.
    for (const cursor of [...cursors.toReversed(), '']) {
      const page: ProductsResponse = await read(`/api/products?${list}&limit=50${cursor && `&cursor=${cursor}`}`)
      pages.unshift(page.data.map(({ id }) => id))
    }
    expect(pages.flat()).toEqual(whole.data.map(({ id }) => id))
    await zinc.services.db.product.updateMany({ where: { brand: 'Cursor' }, data: { deleted_at: new Date(), brand: null } })
  },
)

test('facets count the products of each category, brand and group as the filters find them', async () => {
  const { data } = await read<{ data: ProductFacets }>('/api/products/facets')
  for (const [parameter, values] of [
    ['category', data.categories.map(({ name, products }) => [name, products] as const)],
    ['brand', data.brands.map(({ name, products }) => [name, products] as const)],
    ['group_id', data.groups.map(({ id, products }) => [id, products] as const)],
  ] as const) {
    expect(values.length).toBeGreaterThan(1)
    for (const [value, products] of values)
      expect([value, (await ids(`${parameter}=${encodeURIComponent(value)}`)).length]).toEqual([value, products])
  }
})

test('filters find what they name, and wrong values and foreign cursors are 400 naming the field', async () => {
  const items = zinc.zoho.items()
  const all = await read<ProductsResponse>('/api/products?limit=500')
  const is = (test: (product: Product) => boolean) => all.data.filter(test).map(({ zoho_item_id }) => zoho_item_id)
  const { brand, category } = items[0]!
  const { id } = items.find((item) => item.group)!.group!
  expect(await ids(`brand=${brand}`)).toEqual(is((product) => product.brand === brand))
  expect(await ids(`category=${encodeURIComponent(category)}`)).toEqual(is((product) => product.category?.name === category))
  expect((await ids(`group_id=${id}`)).length).toBeGreaterThan(1)
  expect(await ids(`group_id=${id}`)).toEqual(is((product) => product.group?.id === id))
  expect(await ids('status=inactive')).toEqual(is((product) => product.status === 'inactive'))
  expect(await ids('in_stock=true')).toEqual(is((product) => Number(product.stock_on_hand ?? 0) > 0))
  expect(await ids('in_stock=false')).toEqual(is((product) => Number(product.stock_on_hand ?? 0) <= 0))
  const newest = all.data
    .map((product) => product.updated_at)
    .sort()
    .at(-1)!
  expect(await ids(`modified_since=${newest}`)).toEqual(is((product) => product.updated_at >= newest))
  expect((await ids('include_deleted=true')).length).toBe(
    all.data.length + (await zinc.services.db.product.count({ where: { NOT: { deleted_at: null } } })),
  )
  const { next_cursor } = await read<ProductsResponse>('/api/products?limit=1&sort=name')
  for (const [query, field] of [
    [`sort=sku&cursor=${next_cursor}`, 'cursor'],
    ['cursor=nonsense', 'cursor'],
    ['sort=brand', 'sort'],
    ['status=gone', 'status'],
    ['in_stock=perhaps', 'in_stock'],
    ['modified_since=yesterday', 'modified_since'],
    ['include=everything', 'include'],
  ]) {
    const response = await zinc.call(`/api/products?${query}`)
    expect([response.status, await response.json()], query).toMatchObject([400, { detail: { fields: [{ field }] } }])
  }
})

test('new fields can be mapped and owned, and a file takes back what the export gives', async () => {
  const send = (method: string, path: string, body: object) =>
    zinc.call(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const mapping = '/api/settings/integrations/zoho/mapping'
  const [item] = zinc.zoho.items()
  const ref = `zoho:${item!.item_id}`
  const fields = [
    { field: 'manufacturer', source: 'cf_maker' },
    { field: 'reorder_level', owner: 'erp' },
    { field: 'category', owner: 'erp' },
  ]
  expect((await send('PUT', mapping, { fields })).status).toBe(200)
  expect(await (await send('PATCH', `/api/products/${ref}`, { reorder_level: '7.5', category: 'Ours' })).json()).toMatchObject({
    data: { reorder_level: '7.5', category: { id: null, name: 'Ours' } },
  })
  zinc.zoho.edit(item!.item_id, { custom_fields: { cf_maker: 'A &amp; Co' }, reorder_level: 99 })
  await zinc.sync()
  const record = await one(ref)
  expect(record).toMatchObject({ manufacturer: 'A & Co', reorder_level: '7.5', category: { id: null, name: 'Ours' } })
  await send('PUT', mapping, { reset: true })

  const exported = (await (await zinc.call('/api/settings/integrations/zoho/export')).json()) as Product[]
  const csv = await (await zinc.call('/api/settings/integrations/zoho/export?format=csv')).text()
  expect(csv.split('\r\n')[0]).toContain('category_name')
  expect(csv.split('\r\n')[0]).toContain('tax_percentage')
  expect(csv.split('\r\n')[0]).toMatch(/,committed_stock,stock_by_location,prices,.*,seq,changed_at$/)
  const { seq, changed_at } = exported.find((it) => it.zoho_item_id === item!.item_id)!
  expect(record).toMatchObject({ seq, changed_at })
  await mkdir(`${zinc.dataDir}/imports`, { recursive: true })
  await writeFile(
    `${zinc.dataDir}/imports/all_zoho_inventory_items.json`,
    JSON.stringify(exported.filter((it) => it.zoho_item_id !== null)),
  )
  expect((await zinc.sync('?source=file')).statistics).toMatchObject({ updated: 0, new: 0, failed: 0 })
})

test('a sync in which nothing changed writes no row and needs one call', async () => {
  await zinc.sync('?mode=full')
  const { db } = zinc.services
  const before =
    await db.$queryRaw`select xmin::text, id from product union all select xmin::text, product_id from product_raw order by 2, 1`
  const calls = itemCalls(zinc.zoho)
  expect((await zinc.sync('?mode=full')).statistics).toMatchObject({ new: 0, updated: 0 })
  expect(itemCalls(zinc.zoho) - calls).toBe(1)
  expect(
    await db.$queryRaw`select xmin::text, id from product union all select xmin::text, product_id from product_raw order by 2, 1`,
  ).toEqual(before)
})
