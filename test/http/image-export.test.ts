import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { drawImage } from '../../src/zoho-simulator/draw-image.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'
import { zipOf } from '../helpers/zip.ts'

interface ProductRow {
  id: string
  zoho_item_id: string
  images: { id: string; is_primary: boolean; filename: string; damaged: boolean }[]
}
interface Imported {
  status: string
  matched: { name: string }[]
  unmatched: { name: string }[]
  unreadable: { name: string }[]
}

/** Two items have SKUs that are words of the export's own paths. */
const items = () => {
  const all = createSeed({ count: 30 })
  return all.map((it, n) => (n === 2 ? { ...it, sku: 'item' } : n === 5 ? { ...it, sku: 'items' } : n === 8 ? { ...it, sku: 'more' } : it))
}
const productsOf = async ({ call }: TestZinc) => ((await (await call('/api/products?limit=500')).json()) as { data: ProductRow[] }).data

/** The pictures of each product as they are served, the primary first. */
async function served(zinc: TestZinc): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const { zoho_item_id, images } of await productsOf(zinc)) {
    const hashes = images.map(async ({ id, filename }) => {
      const response = await zinc.call(`/api/data/images/item/${id}.${filename.split('.').at(-1)}`)
      expect([filename, response.status]).toEqual([filename, 200])
      return createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer()))
        .digest('hex')
    })
    found[zoho_item_id] = await Promise.all(hashes)
  }
  return found
}

/** Another zinc's pictures of the same items. */
const exported = async ({ call }: TestZinc) =>
  Buffer.from(await (await call('/api/settings/integrations/zoho/export?format=zip')).arrayBuffer())
const importInto = async ({ call }: TestZinc, archive: Buffer) =>
  (await (
    await call('/api/products/images/import', { method: 'POST', body: imageForm([archive], {}, 'zinc-items.zip') })
  ).json()) as Imported

longTest('an exported ZIP imports elsewhere byte for byte, in order, with damaged ones marked', async () => {
  const damaged = items().find(({ image_document_id }) => image_document_id !== '')!.item_id
  const first = await startZinc({
    items: items(),
    async imageOf(item) {
      const bytes = await drawImage({ seed: item.image_seed, category: item.category })
      return item.item_id === damaged ? bytes.subarray(0, Math.floor(bytes.length * 0.9)) : bytes
    },
  })
  await first.sync('?sync_images=true')
  const products = await productsOf(first)
  const upload = async (product: ProductRow, images: Buffer[], name: string, fields = {}) => {
    const body = imageForm(images, fields, name)
    expect((await first.call(`/api/products/${product.id}/images/upload`, { method: 'POST', body })).status).toBe(201)
  }
  const [a, b] = products.filter((it) => it.images.length > 0) as [ProductRow, ProductRow]
  const [c] = products.filter((it) => it.images.length === 0) as [ProductRow]
  await upload(a, await Promise.all(Array.from({ length: 10 }, () => drawnImage('png'))), 'a.png')
  await upload(b, [await drawnImage('webp')], 'b.webp', { is_primary: 'true' })
  await upload(c, [await drawnImage('gif')], 'c.gif')
  const wanted = await served(first)
  const archive = await exported(first)

  const second = await startZinc({ items: items() })
  await second.sync()
  const response = await importInto(second, archive)
  const count = Object.values(wanted).flat().length
  expect(count).toBeGreaterThan(30)
  expect([response.status, response.matched.length, response.unmatched, response.unreadable]).toEqual(['success', count, [], []])
  expect(await served(second)).toEqual(wanted)
  const marked = async (zinc: TestZinc) =>
    (await productsOf(zinc)).filter((it) => it.images.some((image) => image.damaged)).map((it) => it.zoho_item_id)
  expect([await marked(first), await marked(second)]).toEqual([[damaged], [damaged]])
  // Once more changes nothing.
  expect((await importInto(second, archive)).status).toBe('success')
  expect(await served(second)).toEqual(wanted)

  // Elsewhere a cut picture is refused, as in an upload; and a SKU that reads like Zoho's id of
  // another item, or like a number, gets none of its pictures.
  const cut = (await drawnImage('jpeg')).subarray(0, -40)
  const [named] = products
  const third = await startZinc({
    items: [
      { ...createSeed({ count: 1 })[0]!, item_id: '9001', sku: named!.zoho_item_id },
      { ...createSeed({ count: 1 })[0]!, item_id: named!.zoho_item_id, sku: '9001' },
      { ...createSeed({ count: 1 })[0]!, item_id: '9002', sku: '2' },
    ],
  })
  await third.sync()
  const files = {
    'photos/2/cut.jpg': cut,
    [`images/item/${named!.zoho_item_id}.png`]: await drawnImage(),
    'images/more/777/2.png': await drawnImage(),
  }
  const mixed = await importInto(third, await zipOf(files))
  expect([mixed.status, mixed.matched.length, mixed.unmatched, mixed.unreadable]).toMatchObject([
    'partial',
    1,
    [{ name: 'images/more/777/2.png' }],
    [{ name: 'photos/2/cut.jpg' }],
  ])
  const counts = (await productsOf(third)).map((it) => [it.zoho_item_id, it.images.length])
  expect(Object.fromEntries(counts)).toEqual({ 9001: 0, 9002: 0, [named!.zoho_item_id]: 1 })
})
