import fc from 'fast-check'
import { expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest, times } from '../helpers/long.ts'
import { itemCalls, startZinc } from '../helpers/zinc.ts'

/** What may happen between two syncs; `n` chooses the item. */
const change = fc.oneof(
  fc.record({
    op: fc.constant('edit' as const),
    n: fc.nat(),
    rate: fc.integer({ min: 0, max: 99_999 }),
    sku: fc.constantFrom('', 'SHARED', '0017'),
  }),
  fc.record({
    op: fc.constantFrom('add', 'remove', 'comeBack', 'strip', 'picture') as fc.Arbitrary<
      'add' | 'remove' | 'comeBack' | 'strip' | 'picture'
    >,
    n: fc.nat(),
  }),
  fc.record({
    op: fc.constantFrom('incremental', 'full', 'dry', 'failOnce') as fc.Arbitrary<'incremental' | 'full' | 'dry' | 'failOnce'>,
    n: fc.nat(),
  }),
)

longTest('after any edits and syncs, a full sync makes the catalogue equal to Zoho', async () => {
  const { zoho, sync, services } = await startZinc({ items: createSeed({ count: 12 }) })
  const { db } = services
  const removed: ReturnType<typeof zoho.items> = []
  let fresh = 0
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      for (const it of changes) {
        const item = zoho.items()[it.n % Math.max(1, zoho.items().length)]
        if (it.op === 'edit' && item) zoho.edit(item.item_id, { rate: it.rate / 100, sku: it.sku })
        else if (it.op === 'add' && item)
          zoho.add({
            ...item,
            item_id: String(460_000_099_990_000n + BigInt(++fresh)),
            modified: new Date(),
            image_document_id: fresh % 2 ? `7${fresh}` : '',
          })
        else if (it.op === 'remove' && item && zoho.items().length > 5) {
          removed.push(item)
          zoho.remove(item.item_id)
        } else if (it.op === 'comeBack') {
          const back = removed.pop()
          if (back) zoho.add({ ...back, modified: new Date() })
        } else if (it.op === 'strip' && item) zoho.edit(item.item_id, { image_document_id: '', image_name: '' })
        else if (it.op === 'picture' && item) zoho.replaceImage(item.item_id, 50_000 + ++fresh)
        else if (it.op === 'failOnce') zoho.fail({ path: /\/image\?/, times: 1, body: 'no image at all', contentType: 'image/jpeg' })
        else if (it.op === 'incremental') await sync('?sync_images=true')
        else if (it.op === 'full') await sync('?mode=full&sync_images=true&confirm_removals=true')
        else if (it.op === 'dry') await sync('?mode=full&dry_run=true&sync_images=true')
      }
      zoho.clearFaults()
      const last = await sync('?mode=full&sync_images=true&confirm_removals=true')

      const items = zoho.items()
      const {
        total,
        new: added,
        updated,
        unchanged,
        images_total,
        images_downloaded,
        images_unchanged,
        images_missing,
        images_failed,
      } = last.statistics
      expect(total).toBe(items.length)
      expect(added! + updated! + unchanged!).toBe(items.length)
      expect(images_total).toBe(items.length)
      expect(images_downloaded! + images_unchanged! + images_missing!).toBe(items.length)
      expect(images_failed).toBe(0)
      const products = await db.product.findMany({ where: { deleted_at: null }, include: { photos: { where: { deleted_at: null } } } })
      const rowKey = (id: string | null, sku: string | null, price: string | undefined, document: string | null) =>
        [id, sku, price, document].join(' ')
      expect(
        products.map((it) => rowKey(it.zoho_item_id, it.sku, it.selling_price?.toFixed(2), it.photos[0]?.document_id ?? null)).sort(),
      ).toEqual(
        items.map((it) => rowKey(it.item_id, it.sku === '' ? null : it.sku, it.rate.toFixed(2), it.image_document_id || null)).sort(),
      )
      for (const { photos } of products) expect(photos.filter((it) => it.is_primary).length).toBe(photos.length > 0 ? 1 : 0)
      // And then there is nothing left to do.
      const calls = itemCalls(zoho)
      expect((await sync('?sync_images=true')).statistics).toMatchObject({ new: 0, updated: 0, images_downloaded: 0 })
      expect(itemCalls(zoho)).toBe(calls + 1)
    }),
    { numRuns: times(8, 300), endOnFailure: true },
  )
})

longTest('an image replaced under its old id without an edit is noticed by full runs after 30 days', async () => {
  const { zoho, sync, services } = await startZinc({ toggles: { imageMakesNewDocument: false, imageTouchesModified: false } })
  await sync('?sync_images=true')
  const [item] = zoho.items().filter((it) => it.image_document_id !== '')
  const photo = () => services.db.photo.findFirstOrThrow({ where: { product: { zoho_item_id: item!.item_id } } })
  const before = await photo()
  zoho.replaceImage(item!.item_id, 88_001)
  const images = zoho.counters.images
  await sync('?sync_images=true')
  expect(zoho.counters.images).toBe(images)
  await services.db.$executeRaw`update product set image_tried_at = image_tried_at - interval '31 days'`
  await services.db.$executeRaw`update product set image_tried_at = image_tried_at - interval '1 day' where zoho_item_id = ${item!.item_id}`
  await sync('?sync_images=true')
  expect(zoho.counters.images).toBe(images)
  const response = await sync('?sync_images=true&mode=full')
  expect(response.status).toBe('success')
  expect(zoho.counters.images).toBe(images + 20)
  expect((await services.runs.get(response.run_id)).statistics).toMatchObject({ images_rechecked: 20, images_replaced: 1 })
  expect(await photo()).toMatchObject({ id: before.id, version: before.version + 1 })
})
