import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { smallImage } from '../helpers/images.ts'
import { times } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

test('a first sync brings every item and every picture, with ⌈N/199⌉ list calls and one call a picture', async () => {
  // Several lists, and pictures of some: more would only be more of the same.
  const count = times(210, 450)
  const items = createSeed({ count }).map((item, n) => (n < times(24, 60) ? item : { ...item, image_document_id: '', image_name: '' }))
  const { zoho, sync, dataDir, services } = await startZinc({ items, imageOf: smallImage })
  const images = items.filter((item) => item.image_document_id !== '').length

  const response = await sync('?sync_images=true')

  expect(response).toMatchObject({ status: 'success', mode: 'full', errors: [] })
  expect(response.statistics).toMatchObject({
    total: count,
    new: count,
    updated: 0,
    unchanged: 0,
    images_total: count,
    images_downloaded: images,
    images_missing: count - images,
    images_failed: 0,
  })
  expect(zoho.counters.list).toBe(Math.ceil(count / 199))
  expect(zoho.meter.calls).toBe(Math.ceil(count / 199) + images)
  expect(response.statistics.api_calls).toBe(zoho.meter.calls)

  const shown = await readdir(join(dataDir, 'images', 'item'))
  expect(shown.sort()).toEqual(
    items
      .filter((item) => item.image_document_id !== '')
      .map((item) => `${item.item_id}.jpg`)
      .sort(),
  )
  for (const file of shown.slice(0, 20)) expect((await sharp(join(dataDir, 'images', 'item', file)).stats()).channels.length).toBe(3)
  const blobs = await services.db.blob.findMany({ include: { variants: true } })
  expect(new Set(blobs.flatMap((blob) => blob.variants.map((variant) => `${blob.sha256} ${variant.name}`))).size).toBe(images * 2)
})

test('names come back byte for byte, money as decimals, a blank SKU as null', async () => {
  const items = createSeed({ count: times(60, 120) })
  const { sync, services } = await startZinc({ items })
  await sync()

  const products = new Map((await services.db.product.findMany()).map((product) => [product.zoho_item_id, product]))
  for (const item of items) {
    const product = products.get(item.item_id)
    expect(product?.name).toBe(item.name)
    expect(product?.selling_price?.toFixed()).toBe(String(item.rate))
    expect(product?.sku).toBe(item.sku === '' ? null : item.sku)
    expect(product?.currency).toBe('USD')
    expect(product?.stock_on_hand?.toNumber() ?? null).toBe(item.stock)
    expect(product?.custom_fields).toEqual(item.custom_fields)
    expect(product?.zoho_modified_at?.getTime()).toBe(item.modified.getTime())
  }
})

test('a second sync with nothing changed makes one listing call and writes no row of the catalogue', async () => {
  const { zoho, sync, services } = await startZinc({ synced: true })
  const listed = zoho.counters.list
  // Where each row lies and who wrote it: any write changes that, also one of equal values.
  const rows = () =>
    services.db.$queryRaw`
      select 'product' as of, ctid::text, xmin::text from product union all select 'photo', ctid::text, xmin::text from photo
      union all select 'blob', ctid::text, xmin::text from blob union all select 'variant', ctid::text, xmin::text from variant order by 1, 2`
  const before = await rows()
  const calls = zoho.meter.calls

  const response = await sync('?sync_images=true')

  expect(response).toMatchObject({ status: 'success', mode: 'incremental' })
  expect(response.statistics.unchanged).toBe(response.statistics.total)
  expect(response.statistics).toMatchObject({ new: 0, updated: 0, images_downloaded: 0 })
  expect(zoho.counters.list).toBe(listed + 1)
  expect(zoho.meter.calls).toBe(calls + 1)
  expect(await rows()).toEqual(before)
})

test('an edit, a new picture, a removed picture and a new item follow in one incremental call', async () => {
  const { zoho, sync, services } = await startZinc({ synced: true })
  const withImage = zoho.items().filter((item) => item.image_document_id !== '')
  const [edited, replaced, stripped] = withImage
  const before = await services.db.photo.findFirstOrThrow({ where: { product: { zoho_item_id: replaced!.item_id } } })
  zoho.edit(edited!.item_id, { rate: 123.45 })
  zoho.edit(replaced!.item_id, { image_document_id: '999000000000000001', image_seed: 77_001 })
  zoho.edit(stripped!.item_id, { image_document_id: '', image_name: '' })
  zoho.add({
    ...edited!,
    item_id: '460000009990000001',
    sku: 'NEW-1',
    modified: new Date(),
    image_document_id: '999000000000000002',
    image_seed: 77_002,
  })

  const response = await sync('?sync_images=true')

  expect(response.statistics).toMatchObject({ new: 1, updated: 3, images_downloaded: 2, images_failed: 0 })
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: edited!.item_id } })).selling_price?.toFixed()).toBe(
    '123.45',
  )
  const after = await services.db.photo.findUniqueOrThrow({ where: { id: before.id } })
  expect(after.version).toBe(before.version + 1)
  expect(after.sha256).not.toBe(before.sha256)
  expect(await services.db.photo.count({ where: { product: { zoho_item_id: stripped!.item_id }, deleted_at: null } })).toBe(0)
})

test('an item gone from Zoho is soft-deleted by a full pass, and restored when it comes back', async () => {
  const { zoho, sync, services } = await startZinc()
  await sync()
  const gone = zoho.items()[3]!
  zoho.remove(gone.item_id)

  expect((await sync('?mode=full')).statistics).toMatchObject({ removed: 1, total: 29 })
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: gone.item_id } })).deleted_at).not.toBeNull()

  zoho.add({ ...gone, modified: new Date() })
  await sync()
  expect((await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: gone.item_id } })).deleted_at).toBeNull()
})

test('when more than a fifth would go, nothing goes until it is confirmed', async () => {
  const { zoho, sync, services } = await startZinc()
  await sync()
  for (const item of zoho.items().slice(0, 12)) zoho.remove(item.item_id)

  const stopped = await sync('?mode=full')
  expect(stopped).toMatchObject({ status: 'partial', statistics: { removed: 0 } })
  expect(stopped.errors.map((error) => error.code)).toEqual(['mass_delete_stopped'])
  expect(await services.db.product.count({ where: { deleted_at: null } })).toBe(30)

  expect((await sync('?mode=full&confirm_removals=true')).statistics.removed).toBe(12)
})

test('two items with one SKU both become products and are reported once', async () => {
  const { sync, services } = await startZinc({ items: createSeed({ count: 150, withConflicts: true }) })

  expect((await sync('?dry_run=true')).statistics.conflicts).toBe(1)
  const first = await sync()
  expect(first).toMatchObject({ status: 'partial', statistics: { conflicts: 1, failed: 0 } })
  expect(first.errors.map((error) => error.code)).toEqual(['sku_conflict', 'sku_conflict'])
  expect(await services.db.product.count()).toBe(150)
  expect(await sync()).toMatchObject({ status: 'success', statistics: { conflicts: 0 } })
  expect((await sync('?mode=full&dry_run=true')).statistics.conflicts).toBe(0)
})

test('a picture that cannot be read is recorded, stops nothing, and is tried again by the next run', async () => {
  const { zoho, sync } = await startZinc()
  const [bad] = zoho.items().filter((item) => item.image_document_id !== '')
  zoho.fail({ path: new RegExp(`${bad!.item_id}/image`), times: 1, body: 'no image at all', contentType: 'image/jpeg' })

  const first = await sync('?sync_images=true')
  expect(first).toMatchObject({ status: 'partial', statistics: { images_failed: 1, images_downloaded: 19 } })
  expect(first.errors).toMatchObject([{ stage: 'image', code: 'not_an_image', zoho_item_id: bad!.item_id }])

  expect(await sync('?sync_images=true')).toMatchObject({ status: 'success', statistics: { images_failed: 0, images_downloaded: 1 } })
})

test('a dry run counts what would come and writes nothing, and is not the first full run', async () => {
  const { sync, services } = await startZinc()
  expect((await sync('?dry_run=true&sync_images=true')).statistics).toMatchObject({ total: 30, new: 30, images_downloaded: 0 })
  expect(await services.db.product.count()).toBe(0)
  expect((await sync()).mode).toBe('full')
})
