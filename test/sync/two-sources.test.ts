import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { checkLinks } from '../helpers/check-images.ts'
import { startImageHost } from '../helpers/image-host.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('a product with pictures from Zoho and a file counts once, and a dead address blocks neither', async () => {
  const images = await startImageHost()
  const zinc = await startZinc({ environment: { IMAGE_URL_ALLOWLIST: images.host } })
  const { zoho, sync, services } = zinc
  const items = zoho.items()
  const withImage = items.filter((item) => item.image_document_id !== '')
  const without = items.filter((item) => item.image_document_id === '')
  const [alive, dead, late] = withImage
  const url = (path: string) => `http://${images.host}/${path}`
  const named = [
    { zoho_item_id: alive!.item_id, image_url: url('1.jpg') },
    { zoho_item_id: dead!.item_id, image_url: url('missing') },
    { zoho_item_id: late!.item_id, image_url: 'https://via.placeholder.com/300' },
    { zoho_item_id: without[0]!.item_id, image_url: url('2.jpg') },
    { zoho_item_id: without[1]!.item_id, image_url: url('also-missing') },
  ]
  await mkdir(join(zinc.dataDir, 'imports'), { recursive: true })
  await writeFile(
    join(zinc.dataDir, 'imports', 'all_zoho_inventory_items.json'),
    JSON.stringify(named.map((it) => ({ ...it, name: 'x', code: it.zoho_item_id }))),
  )

  const counted = async (query: string, products: number) => {
    const { statistics: s } = await sync(query)
    expect([query, s.images_total, s.images_downloaded! + s.images_unchanged! + s.images_missing! + s.images_failed!]).toEqual([
      query,
      products,
      products,
    ])
    return s
  }
  const sources = async (id: string) =>
    (await services.db.photo.findMany({ where: { product: { zoho_item_id: id }, deleted_at: null }, orderBy: { source: 'asc' } })).map(
      (it) => it.source,
    )

  await counted('?source=file&sync_images=true', named.length)
  for (const mode of ['full', 'full', 'full']) await counted(`?mode=${mode}&sync_images=true`, items.length)
  expect(await sources(alive!.item_id)).toEqual(['url', 'zoho'])
  expect(await sources(dead!.item_id)).toEqual(['zoho'])
  expect(await sources(late!.item_id)).toEqual(['zoho'])
  // Zoho's is replaced while the address is still dead.
  zoho.replaceImage(dead!.item_id, 77_001)
  for (let run = 0; run < 2; run++) await counted('?mode=full&sync_images=true', items.length)
  const shown = await services.db.photo.findFirstOrThrow({ where: { product: { zoho_item_id: dead!.item_id }, source: 'zoho' } })
  expect(shown.document_id).toBe(zoho.items().find((it) => it.item_id === dead!.item_id)!.image_document_id)
  await counted('?source=file&sync_images=true', named.length)
  expect((await counted('?mode=full&sync_images=true', items.length)).images_unchanged).toBe(withImage.length - 1)
})

longTest('uploads leave and return with their item, the first as primary picture', async () => {
  const zinc = await startZinc()
  const { zoho, sync, services, call } = zinc
  await sync('?sync_images=true')
  const item = zoho.items().find((it) => it.image_document_id !== '')!
  const product = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: item.item_id } })
  const upload = (fields: Record<string, string>, bytes: Buffer) =>
    call(`/api/products/${product.id}/images/upload`, { method: 'POST', body: imageForm([bytes], fields) })
  const [front, back, thrownAway] = [await drawnImage(), await drawnImage(), await drawnImage()]
  expect((await upload({ is_primary: 'true', alt_en: 'Front' }, front)).status).toBe(201)
  expect((await upload({}, back)).status).toBe(201)
  const { data: gone } = (await (await upload({}, thrownAway)).json()) as { data: { id: string } }
  expect((await call(`/api/products/${product.id}/images/${gone.id}`, { method: 'DELETE' })).status).toBe(200)
  const photos = async () => {
    const all = await services.db.photo.findMany({ where: { product_id: product.id, deleted_at: null }, orderBy: { sort_order: 'asc' } })
    return all.map(({ source, sha256, is_primary, alt_en }) => ({ source, sha256, is_primary, alt_en }))
  }
  const before = await photos()
  expect(before.map((it) => [it.source, it.is_primary])).toEqual([
    ['zoho', false],
    ['upload', true],
    ['upload', false],
  ])

  zoho.remove(item.item_id)
  expect((await sync('?mode=full&sync_images=true')).statistics.removed).toBe(1)
  expect(await photos()).toEqual([])
  expect(await services.db.photo.count({ where: { product_id: product.id, is_primary: true } })).toBe(0)
  await checkLinks(zinc)

  zoho.add({ ...item, modified: new Date() })
  expect(await sync('?sync_images=true')).toMatchObject({ status: 'success', statistics: { images_downloaded: 1 } })
  // Zoho's own is a new one to us, behind what was here; what a person had deleted before stays
  // deleted.
  const after = await photos()
  expect(after.filter((it) => it.source === 'upload')).toEqual(before.filter((it) => it.source === 'upload'))
  expect(after.map((it) => it.source).sort()).toEqual(['upload', 'upload', 'zoho'])
  expect(after.filter((it) => it.is_primary)).toHaveLength(1)
  await checkLinks(zinc)
  const primary = after.find((it) => it.is_primary)!
  expect(await readFile(join(zinc.dataDir, 'images', 'originals', primary.sha256.slice(0, 2), primary.sha256))).toEqual(front)
})
