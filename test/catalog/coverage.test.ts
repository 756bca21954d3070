import { expect, test } from 'vitest'
import { recordCoverage } from '../../src/catalog/coverage.ts'
import { CoverageKey } from '../../src/schemas/coverage.ts'
import { startZinc } from '../helpers/zinc.ts'

const SETTINGS = '/api/settings/integrations/zoho'

test('each count of the coverage is what its filter lists, and the days before are kept', async () => {
  const { call, services } = await startZinc({ synced: true })
  const { db } = services
  const [one, two, three, four, five, six, gone] = await db.product.findMany({
    orderBy: { zoho_item_id: 'asc' },
    where: { image_state: 'stored' },
  })
  const change = (product: { id: string } | undefined, data: object) => db.product.update({ where: { id: product!.id }, data })
  await db.product.updateMany({ data: { name_ar: 'اسم', name_en: 'name', selling_price: '5', status: 'active', stock_on_hand: '1' } })
  await change(one, { selling_price: null, sku: ' ' })
  await change(two, { selling_price: '0.00', name_en: 'same', name_ar: 'same ' })
  await change(three, { name_ar: null, sku: four!.sku })
  await change(five, { status: 'inactive', image_state: 'failed' })
  await db.blob.updateMany({ where: { photos: { some: { product_id: six!.id } } }, data: { damaged: true } })
  await change(gone, { deleted_at: new Date(), selling_price: null, sku: four!.sku, name_ar: null })

  const get = async <T>(path: string) => (await (await call(path)).json()) as T
  const coverage = await get<{ data: Record<string, number>; total: number }>(`${SETTINGS}/coverage`)
  expect(Object.keys(coverage.data)).toEqual(CoverageKey.options)
  expect(coverage.total).toBe(29)
  expect(coverage.data).toEqual({
    without_picture: 10,
    failed: 1,
    damaged: 1,
    no_price: 1,
    price_zero: 1,
    no_arabic_name: 1,
    same_text: 1,
    no_sku: 1,
    duplicate_sku: 2,
    inactive_but_sold_here: 1,
    no_barcode: 2,
    bad_check_digit: 0,
    duplicate_barcode: 0,
    hidden_custom_fields: 0,
    not_in_price_list: 0,
  })
  for (const [key, count] of Object.entries(coverage.data)) {
    const list = await get<{ data: { id: string }[]; total: number }>(`/api/products?coverage=${key}&total=true&limit=500`)
    expect([list.total, list.data.length], key).toEqual([count, count])
  }
  const failed = await get<{ data: { id: string }[] }>('/api/products?coverage=failed')
  expect(failed.data[0]?.id).toBe(five!.id)
  expect((await call('/api/products?coverage=everything')).status).toBe(400)

  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000)
  await recordCoverage(db, { at: day(40) })
  await recordCoverage(db, { at: day(2) })
  await change(six, { selling_price: null })
  await recordCoverage(db, { at: day(2) })
  await change(six, { selling_price: '1' })
  const history = await get<{ data: { day: string; no_price: number; total: number }[] }>(`${SETTINGS}/coverage/history?days=7`)
  expect(history.data.map((entry) => [entry.day, entry.no_price])).toEqual([
    [day(2).toISOString().slice(0, 10), 2],
    [day(0).toISOString().slice(0, 10), 1],
  ])
  expect((await get<{ data: unknown[] }>(`${SETTINGS}/coverage/history?days=90`)).data).toHaveLength(3)
})

test('a search finds words in any order, in both languages, as people type them', async () => {
  const { call, services } = await startZinc()
  await services.db.product.createMany({
    data: [
      {
        name: 'Desk Lamp 100% | مِصْبَاح أحمر ٥٠',
        name_en: 'Desk Lamp 100%',
        name_ar: 'مِصْبَاح أحمر ٥٠',
        sku: 'A_1',
        zoho_item_id: '460000000001',
      },
      { name: 'Lamp\\desk', name_en: 'Lamp\\desk', sku: 'AB1' },
      { name: 'مدرسة كبرى', name_ar: 'مدرسة كبرى', sku: 'C-3' },
    ],
  })
  const found = async (search: string) => {
    const response = await call(`/api/products?search=${encodeURIComponent(search)}&total=true`)
    const { data, total } = (await response.json()) as { data: { sku: string }[]; total: number }
    expect(total).toBe(data.length)
    return data.map((product) => product.sku).sort()
  }
  expect(await found('lamp DESK')).toEqual(['AB1', 'A_1'])
  expect(await found('مصباح احمر')).toEqual(['A_1'])
  expect(await found('احمر 50')).toEqual(['A_1'])
  expect(await found('أحمر')).toEqual(['A_1'])
  expect(await found('مدرسه كبري')).toEqual(['C-3'])
  expect(await found('A_1')).toEqual(['A_1'])
  expect(await found('100%')).toEqual(['A_1'])
  expect(await found('p\\d')).toEqual(['AB1'])
  expect(await found('60000000001')).toEqual(['A_1'])
  expect(await found("'; drop table product; --")).toEqual([])
  expect(await found('  ')).toHaveLength(3)
})

test('a search finds a name in Persian, Kurdish, presentation and full-width letters, composed or not', async () => {
  const { call, services } = await startZinc()
  // Each pair is one name in two spellings that people and old systems use.
  const pairs: [string, string][] = [
    ['كي بورد', 'کی بورد'],
    ['شاحن سريع', 'ﺷﺎﺣﻦ ﺳﺮﻳﻊ'],
    ['Café', 'Cafe\u0301'],
    ['F-12', 'Ｆ-１２'],
    ['گۆشت', 'كوشت'],
    ['ڤيديو', 'فيديو'],
    ['كهربا', 'کھربا'],
    ['لمبە ۱۲', 'لمبه 12'],
    ['راوتر', 'ر\u200Fاو\u200Bتر'],
    ['Größe', 'GRÖSSE'.replace('SS', 'ß')],
    ['R&D kit', 'R&amp;D kit'],
    ['مسؤول', 'مسوول'],
  ]
  const rows = pairs.flatMap(([a, b], n) => [
    { name: a, sku: `${n}A` },
    { name: b, sku: `${n}B` },
  ])
  await services.db.product.createMany({ data: rows })
  const found = async (search: string) => {
    const { data } = (await (await call(`/api/products?search=${encodeURIComponent(search)}&limit=100`)).json()) as {
      data: { sku: string }[]
    }
    return data.map((product) => product.sku).sort()
  }
  for (const [n, [a, b]] of pairs.entries()) {
    const both = [`${n}A`, `${n}B`]
    expect([await found(a), await found(b)], `${a} ${b}`).toEqual([both, both])
  }
  // Accents are left out on both sides.
  expect(await found('cafe')).toEqual(['2A', '2B'])
})
