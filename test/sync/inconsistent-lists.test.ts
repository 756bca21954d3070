import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest, times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const LIST = /inventory\/v1\/items\?/
const page = (items: unknown[], more: boolean) => JSON.stringify({ code: 0, items, page_context: { page: 1, has_more_page: more } })

test('a list that is empty, ends early, repeats itself or never ends removes nothing and is named', async () => {
  const count = times(130, 450)
  const { zoho, sync, services } = await startZinc({ items: createSeed({ count }) })
  await sync()
  const all = () => services.db.product.count({ where: { deleted_at: null } })
  const [edited] = zoho.items()
  zoho.edit(edited!.item_id, { name: 'Edited' })

  zoho.fail({ path: LIST, times: 1, body: page([], false) })
  const empty = await sync('?mode=full')
  expect(empty).toMatchObject({ status: 'partial', statistics: { total: 0, removed: 0 } })
  expect(empty.errors.map((it) => it.code)).toEqual(['list_missing_items'])
  expect(await all()).toBe(count)
  // Each was asked for by its id, so that even then no change is missed.
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: edited!.item_id } })).name).toBe('Edited')

  const row = { item_id: '460000000000100001', name: 'Same', last_modified_time: '2025-01-06T11:00:00+0300' }
  const same = page(
    Array.from({ length: 200 }, (_, n) => ({ ...row, item_id: String(460000n + BigInt(n)) })),
    true,
  )
  // Without those of the runs that follow a full sync.
  const listCalls = () => services.db.zohoCall.count({ where: { job: 'items' } })
  for (const body of [page([], true), same]) {
    zoho.fail({ path: LIST, times: 1_000, body })
    const calls = await listCalls()
    const response = (await sync('?mode=full')) as unknown as { status: string; code?: string; cause?: string }
    expect(response.status === 'failed' || response.code === 'pagination_loop').toBe(true)
    expect((await listCalls()) - calls).toBeGreaterThan(0)
    expect((await listCalls()) - calls).toBeLessThan(5)
    zoho.clearFaults()
  }
  expect(await services.db.product.count({ where: { deleted_at: null, name: { not: 'Same' } } })).toBe(count)
  expect((await sync('?mode=full&confirm_removals=true')).statistics.total).toBe(count)
  expect(await all()).toBe(count)
})

test('unreadable items, long numbers, price texts and direction marks are kept as sent', async () => {
  const { zoho, sync, services } = await startZinc()
  const [template] = zoho.items()
  const marks = '\u202B‏كابل‏\u202C &amp; <b>"x"</b>  \u00A0'
  zoho.add({ ...template!, item_id: '', name: 'Without an id', sku: 'NO-ID' })
  zoho.edit(template!.item_id, { name: marks, sku: '  0017 ' })
  // What PostgreSQL cannot keep, twice in a row: it must not stop the page that it stands on.
  zoho.add({ ...template!, item_id: '8', name: 'a\0\0b', sku: 'half \ud83d', custom_fields: { cf_note: '\0' } })
  const listed = JSON.stringify({
    code: 0,
    items: [
      {
        item_id: 'BIG',
        name: 'Number id',
        rate: '1,234.50',
        purchase_rate: 'ARABIC',
        sku: '',
        last_modified_time: '2026-03-01T00:00:00+0300',
      },
      { item_id: '9', name: 'Odd price', rate: 'on request', purchase_rate: 0, last_modified_time: '2026-03-01T00:00:00+0300' },
      // More than a column, and more than an index can hold.
      {
        item_id: '10',
        name: 'Endless',
        rate: '9'.repeat(400),
        sku: randomBytes(5_000).toString('hex'),
        category_name: randomBytes(5_000).toString('hex'),
        last_modified_time: '2026-03-01T00:00:00+0300',
      },
    ],
    page_context: { has_more_page: false },
  })
    .replace('"BIG"', '9460000000000100001')
    .replace('ARABIC', '١٬٢٣٤٫٥')
  zoho.fail({ path: LIST, times: 1, after: 1, body: listed })

  const first = await sync()
  expect(first).toMatchObject({ status: 'partial', statistics: { total: 32, new: 31, failed: 1 } })
  expect(first.errors).toMatchObject([{ code: 'invalid_item', stage: 'item' }])
  const template_ = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: template!.item_id } })
  expect([template_.name, template_.sku]).toEqual([marks, '  0017 '])
  const unstorable = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: '8' } })
  expect([unstorable.name, unstorable.sku, unstorable.custom_fields]).toEqual([
    'a\ufffd\ufffdb',
    'half \ufffd',
    { cf_note: '\ufffd', cf_note_unformatted: '\ufffd' },
  ])

  const second = await sync()
  expect(second.statistics).toMatchObject({ total: 3, new: 3 })
  expect(second.errors.map(({ zoho_item_id, code }) => `${zoho_item_id} ${code}`).sort()).toEqual([
    '10 invalid_item',
    '10 invalid_item',
    '10 invalid_price',
    '9 invalid_price',
  ])
  const endless = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: '10' } })
  expect([endless.selling_price, endless.sku, endless.category]).toEqual([null, null, null])
  const big = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: '9460000000000100001' } })
  expect([big.selling_price?.toFixed(2), big.cost_price?.toFixed(1), big.sku]).toEqual(['1234.50', '1234.5', null])
  const odd = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: '9' } })
  expect([odd.selling_price, odd.cost_price?.toFixed()]).toEqual([null, '0'])
})

longTest('an edit that the list shows late is not missed, nor one in the hour that summer time repeats', async () => {
  const { zoho, sync, services } = await startZinc({ zone: 'America/New_York' })
  await sync()
  const [late, prompt] = zoho.items()
  zoho.toggles.listLagMs = 240_000
  zoho.edit(late!.item_id, { name: 'Shown late' })
  zoho.toggles.listLagMs = 0
  zoho.advance(100_000)
  zoho.edit(prompt!.item_id, { name: 'Shown at once' })
  await sync()
  const nameOf = async (id: string) => (await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: id } })).name
  expect([await nameOf(late!.item_id), await nameOf(prompt!.item_id)]).toEqual([expect.not.stringContaining('late'), 'Shown at once'])
  zoho.advance(200_000)
  await sync()
  expect(await nameOf(late!.item_id)).toBe('Shown late')

  // 01:30 comes twice on 2026-11-01 in New York: the same words, an hour apart.
  zoho.edit(late!.item_id, { name: 'Before the change', modified: new Date('2026-11-01T05:30:00Z') })
  zoho.edit(prompt!.item_id, { name: 'After the change', modified: new Date('2026-11-01T06:30:00Z') })
  await sync('?mode=full')
  expect(
    await services.db.product.findMany({
      where: { zoho_item_id: { in: [late!.item_id, prompt!.item_id] } },
      select: { zoho_modified_at: true },
      orderBy: { zoho_modified_at: 'asc' },
    }),
  ).toEqual([{ zoho_modified_at: new Date('2026-11-01T05:30:00Z') }, { zoho_modified_at: new Date('2026-11-01T06:30:00Z') }])
})

longTest('an item that is edited while the list is read counts once, and its last state is kept', async () => {
  const { zoho, sync, services } = await startZinc({ items: createSeed({ count: 450 }) })
  const [moved] = zoho.items()
  zoho.beforePages(
    () => {},
    () => zoho.edit(moved!.item_id, { name: 'Moved to the end' }),
  )
  expect((await sync()).statistics).toMatchObject({ total: 450, new: 450, updated: 0 })
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: moved!.item_id } })).name).toBe('Moved to the end')
})
