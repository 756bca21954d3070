import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createCatalogue } from '../../src/simulator/catalogue.ts'
import { drawnPicture, pictureForm } from '../helpers/pictures.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

interface ProductRow {
  id: string
  zoho_item_id: string
  images: { id: string; is_primary: boolean; filename: string }[]
}
interface Imported {
  status: string
  matched: { name: string }[]
  unmatched: { name: string }[]
  unreadable: { name: string }[]
}

/** Two items have SKUs that are words of the export's own paths. */
const items = () => {
  const all = createCatalogue({ count: 30 })
  return all.map((it, n) => (n === 2 ? { ...it, sku: 'item' } : n === 5 ? { ...it, sku: 'items' } : n === 8 ? { ...it, sku: 'more' } : it))
}
const productsOf = async ({ call }: TestZinc) => ((await (await call('/api/products?limit=500')).json()) as { data: ProductRow[] }).data

/** The pictures of each product as they are served, the primary first. */
async function served(zinc: TestZinc): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const { zoho_item_id, images } of await productsOf(zinc)) {
    const hashes = images.map(async ({ id, filename }) => {
      const answer = await zinc.call(`/api/data/images/item/${id}.${filename.split('.').at(-1)}`)
      expect([filename, answer.status]).toEqual([filename, 200])
      return createHash('sha256')
        .update(Buffer.from(await answer.arrayBuffer()))
        .digest('hex')
    })
    found[zoho_item_id] = await Promise.all(hashes)
  }
  return found
}

test('the pictures of the exported ZIP come back byte for byte in another zinc with the same items, in their order', async () => {
  const first = await startZinc({ items: items() })
  await first.sync('?sync_images=true')
  const products = await productsOf(first)
  const upload = async (product: ProductRow, pictures: Buffer[], name: string, fields = {}) => {
    const body = pictureForm(pictures, fields, name)
    expect((await first.call(`/api/products/${product.id}/images/upload`, { method: 'POST', body })).status).toBe(201)
  }
  const [a, b] = products.filter((it) => it.images.length > 0) as [ProductRow, ProductRow]
  const [c] = products.filter((it) => it.images.length === 0) as [ProductRow]
  await upload(a, await Promise.all(Array.from({ length: 10 }, () => drawnPicture('png'))), 'a.png')
  await upload(b, [await drawnPicture('webp')], 'b.webp', { is_primary: 'true' })
  await upload(c, [await drawnPicture('gif')], 'c.gif')
  const wanted = await served(first)
  const archive = Buffer.from(await (await first.call('/api/settings/integrations/zoho/export?format=zip')).arrayBuffer())

  const second = await startZinc({ items: items() })
  await second.sync()
  const put = () => second.call('/api/products/images/import', { method: 'POST', body: pictureForm([archive], {}, 'zinc-items.zip') })
  const answer = (await (await put()).json()) as Imported
  const count = Object.values(wanted).flat().length
  expect(count).toBeGreaterThan(30)
  expect([answer.status, answer.matched.length, answer.unmatched, answer.unreadable]).toEqual(['success', count, [], []])
  expect(await served(second)).toEqual(wanted)
  // Once more changes nothing.
  expect(((await (await put()).json()) as Imported).status).toBe('success')
  expect(await served(second)).toEqual(wanted)
})
