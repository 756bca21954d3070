import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readItem } from '../../src/zoho/read-item.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { itemDetail, itemRow } from '../../src/zoho-simulator/serialize.ts'
import { longTest, times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const ZONE = 'Asia/Baghdad'
/** Zoho's keys, and what of a product each one decides. */
const FIELDS = {
  sku: 'sku',
  name: 'name',
  status: 'status',
  description: 'description',
  purchase_rate: 'cost_price',
  rate: 'selling_price',
  stock_on_hand: 'stock_on_hand',
  unit: 'unit',
  category_name: 'category',
  brand: 'brand',
} as const
type Key = keyof typeof FIELDS
const KEYS = Object.keys(FIELDS) as Key[]
const IMAGE_KEYS = ['image_document_id', 'image_name', 'image_type', 'image_id', 'has_attachment', 'documents']
const OTHERS = ['item_name', 'custom_fields', 'custom_field_hash', 'cf_warranty', 'cf_warranty_unformatted', ...IMAGE_KEYS]

type Change = 'keep' | 'remove' | 'blank' | 'unreadable'
const change: fc.Arbitrary<Change> = fc.constantFrom('keep', 'remove', 'blank', 'unreadable')
const changes = fc.record(Object.fromEntries([...KEYS, ...OTHERS].map((key) => [key, change])))
const junk = fc.constantFrom<unknown>({}, { a: 1 }, [{}], [['x']])

function changed(row: object, to: Record<string, Change>, bad: unknown): Record<string, unknown> {
  const result: Record<string, unknown> = { ...row }
  for (const [key, what] of Object.entries(to)) {
    if (what === 'remove') delete result[key]
    else if (what === 'blank' && key in result) result[key] = ''
    else if (what === 'unreadable' && key in result) result[key] = bad
  }
  return result
}

test('whatever keys of a row or a detail are absent, blank or unreadable, the reader tells the three apart', () => {
  const items = createSeed({ count: 40 })
  fc.assert(
    fc.property(fc.nat(39), fc.boolean(), changes, junk, (n, isDetail, to, bad) => {
      const whole = isDetail ? itemDetail(items[n]!, ZONE) : itemRow(items[n]!, ZONE)
      const full = readItem(whole)
      const read = readItem(changed(whole, to, bad))
      for (const key of KEYS) {
        if (!(key in whole) || key === 'name') continue
        const what = to[key]!
        if (what === 'keep') expect(read[key], key).toEqual(full[key])
        if (what === 'remove' || what === 'unreadable') expect(read[key], key).toBeUndefined()
        if (what === 'blank') expect(read[key], key).toBe(key === 'status' ? undefined : null)
        expect(read.unreadable.includes(key), key).toBe(what === 'unreadable')
      }
      if (to.name === 'blank') expect(read.name).toBe('')
      else expect([full.name, '', undefined]).toContain(read.name)
      for (const value of Object.values(read)) if (typeof value === 'string') expect(value).not.toContain('[object')
      // A blank id says so; a detail without the key may say it by two blanks of other keys that
      // agree.
      const agreed = to.image_name === 'blank' && to.documents === 'blank'
      if (full.image_document_id && to.image_document_id !== 'blank' && !agreed) expect(read.image_document_id).not.toBeNull()
      for (const [key, value] of Object.entries(read.custom_fields)) expect([full.custom_fields[key], '']).toContain(value)
    }),
    { numRuns: times(300, 20_000) },
  )
})

longTest(
  'nothing that zinc holds vanishes by a key that is absent or unreadable',
  async () => {
    const { zoho, sync, services } = await startZinc({ synced: true })
    const items = zoho.items()
    const readAll = async () =>
      new Map(
        (await services.db.product.findMany({ include: { photos: { where: { deleted_at: null }, select: { id: true } } } })).map((it) => [
          it.zoho_item_id,
          it,
        ]),
      )
    await fc.assert(
      fc
        .asyncProperty(fc.array(fc.tuple(changes, junk), { minLength: items.length, maxLength: items.length }), async (all) => {
          const held = await readAll()
          // An explicitly blank id removes the image; that is another test's guarantee.
          const kept = all.map(
            ([to, bad]) => [{ ...to, image_document_id: to.image_document_id === 'blank' ? 'remove' : to.image_document_id }, bad] as const,
          )
          const rows = items.map((item, n) => changed(itemRow(item, ZONE), kept[n]![0] as Record<string, Change>, kept[n]![1]))
          zoho.fail({
            path: /\/inventory\/v1\/items\?/,
            times: 1,
            body: JSON.stringify({ code: 0, message: 'success', items: rows, page_context: { has_more_page: false } }),
          })
          expect((await sync()).status).not.toBe('failed')
          const after = await readAll()
          for (const [n, item] of items.entries()) {
            const [before, now, to] = [held.get(item.item_id)!, after.get(item.item_id)!, kept[n]![0] as Record<string, Change>]
            expect(now.photos, item.item_id).toEqual(before.photos)
            for (const key of KEYS) {
              const column = FIELDS[key]
              if (key === 'name' && to.name !== 'blank' && ['keep', 'blank'].includes(to.item_name!)) continue
              if (to[key] === 'remove' || to[key] === 'unreadable') expect([key, now[column]]).toEqual([key, before[column]])
            }
            for (const [key, value] of Object.entries(before.custom_fields as Record<string, unknown>)) {
              if (to[key] !== 'blank' && to[key] !== 'keep') expect((now.custom_fields as Record<string, unknown>)[key], key).toEqual(value)
            }
          }
        })
        // Zoho's whole rows again, so that each round begins with everything held.
        .beforeEach(async (previous) => {
          await previous()
          zoho.clearFaults()
          await sync('?mode=full')
        }),
      { numRuns: times(4, 150), endOnFailure: true },
    )
  },
  600_000,
)
