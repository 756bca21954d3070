import { execFileSync } from 'node:child_process'
import { readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { itemSyncResult } from '../../src/sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../../src/sync/items/item-sync-run.ts'
import type { ItemSyncParams } from '../../src/sync/items/params.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { drawnImage, imageForm, smallImage } from '../helpers/images.ts'
import { oldWorld, writeImporterData } from '../helpers/predecessors.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const opened = await openZinc({ items: createSeed({ count: 12 }), imageOf: smallImage })
  zinc = opened
  return opened.end
})

/** As `zinc import items` does it. */
async function importItems({ services }: TestZinc, params: Partial<ItemSyncParams>) {
  const { run_id } = await services.runs.start(ITEM_SYNC, { source: 'file', ...params }, { startedBy: 'test' })
  const run = await services.runs.wait(run_id, AbortSignal.timeout(60_000))
  return { ...(await itemSyncResult(services.db, run)), counted: run.statistics as Record<string, number> }
}

test('an object of records by ID is taken with its images, which the next sync compares and keeps', async () => {
  const { zoho, services, sync } = zinc
  const old = await oldWorld()
  const alone = '990000000000000001'
  const { file, records } = await writeImporterData(old, zoho, { byId: true })
  const withImage = records.filter((it) => it.image_path !== null).length
  const own = { ...records[0]!, zoho_item_id: alone, code: 'OWN-1', name: 'Not in Zoho', image_path: 'images/own.png', is_active: false }
  await writeFile(join(old, 'images', 'own.png'), await drawnImage())
  await writeFile(
    file,
    JSON.stringify({ page_context: { page: 1 }, ...Object.fromEntries([...records, own].map((it) => [it.zoho_item_id, it])) }),
  )
  const before = await readdir(old, { recursive: true })

  const planned = await importItems(zinc, { path: file, dry_run: true })
  expect([planned.statistics.new, planned.counted.images_taken, await services.db.product.count()]).toEqual([13, withImage + 1, 0])

  const taken = await importItems(zinc, { path: file })

  expect(taken.errors.map((it) => [it.code, it.stage])).toEqual([['file_fields_left', 'import']])
  expect(taken.status).toBe('success')
  expect([taken.statistics.new, taken.counted.images_taken, taken.counted.images_left]).toEqual([13, withImage + 1, 0])
  // The file names no currency: it is the organization's.
  const product = await services.db.product.findUniqueOrThrow({ where: { zoho_item_id: alone } })
  expect(product).toMatchObject({
    origin: 'file',
    currency: 'USD',
    status: 'inactive',
    category: (records[0]!.specifications as { category: string }).category,
  })
  expect((await importItems(zinc, { path: file })).counted).toMatchObject({ unchanged: 13, images_taken: 0, images_known: withImage + 1 })
  expect((await readdir(old, { recursive: true })).sort()).toEqual(before.sort())

  // Each image is fetched once to compare its bytes; the same bytes change nothing.
  const hashes = async () =>
    (await services.db.photo.findMany({ where: { deleted_at: null }, orderBy: { id: 'asc' } })).map((it) => [it.id, it.sha256, it.version])
  const held = await hashes()
  const first = await sync('?sync_images=true&mode=full')
  expect([first.status, first.statistics.removed, first.statistics.images_downloaded]).toEqual(['success', 0, withImage])
  expect(await hashes()).toEqual(held)
  const kept = await services.db.product.findUniqueOrThrow({
    where: { zoho_item_id: alone },
    include: { photos: { where: { deleted_at: null } } },
  })
  expect([kept.origin, kept.deleted_at, kept.photos.length]).toEqual(['file', null, 1])
  expect(await services.db.product.count({ where: { origin: 'zoho' } })).toBe(12)
  expect((await sync('?sync_images=true')).statistics.api_calls).toBe(1)

  // The old way: what Zoho does not have goes with the next full sync.
  await importItems(zinc, { path: file, owned_by_zoho: true })
  expect((await sync('?mode=full')).statistics.removed).toBe(1)
})

test('images outside the folder, missing or broken ones and pipes are left with their reason', async () => {
  const { services } = zinc
  const [old, elsewhere] = [await oldWorld(), await oldWorld()]
  await writeFile(join(elsewhere, 'secret.png'), await drawnImage())
  await symlink(join(elsewhere, 'secret.png'), join(old, 'link.png'))
  await writeFile(join(old, 'page.jpg'), '<html>not an image</html>')
  execFileSync('mkfifo', [join(old, 'pipe.png')])
  const paths = [join(elsewhere, 'secret.png'), '../secret.png', 'link.png', 'missing.png', 'page.jpg', 'pipe.png']
  const file = join(old, 'items.json')
  await writeFile(
    file,
    JSON.stringify(paths.map((image_path, n) => ({ zoho_item_id: `88000000000000000${n}`, name: `P${n}`, image_path }))),
  )

  const taken = await importItems(zinc, { path: file })

  expect(taken.status).toBe('partial')
  expect(taken.errors.map((it) => [it.zoho_item_id?.at(-1), it.code]).sort()).toEqual([
    ['0', 'import_image_outside'],
    ['1', 'import_image_outside'],
    ['2', 'import_image_outside'],
    ['3', 'import_image_missing'],
    ['4', 'not_an_image'],
    ['5', 'import_image_not_a_file'],
  ])
  expect(taken.counted.images_left).toBe(6)
  expect(await services.db.photo.count({ where: { product: { zoho_item_id: { startsWith: '8800000' } } } })).toBe(0)
})

test('an uploaded file is imported by a run that reads no path of the server, and is removed afterwards', async () => {
  const { services, call } = zinc
  const send = (content: string, query = '') =>
    call(`/api/imports/items${query}`, { method: 'POST', body: imageForm([Buffer.from(content)], {}, 'from-erp.json') })
  const items = [{ zoho_item_id: '770000000000000001', sku: 'UP-1', name: 'Uploaded', selling_price: 5, image_path: '/etc/hostname' }]

  const refused = await send('PK\x03\x04 a spreadsheet')
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, 'invalid_import_file'])
  const dry = await send(JSON.stringify(items), '?dry_run=true')
  expect(dry.status).toBe(202)
  await services.runs.wait(((await dry.json()) as { run_id: string }).run_id, AbortSignal.timeout(30_000))
  expect(await services.db.product.count({ where: { sku: 'UP-1' } })).toBe(0)

  const reply = await send(JSON.stringify(items))
  const run = await services.runs.wait(((await reply.json()) as { run_id: string }).run_id, AbortSignal.timeout(30_000))
  expect([run.state, (run.statistics as { new: number }).new]).toEqual(['success', 1])
  const shown = (await (await call('/api/products/zoho:770000000000000001')).json()) as { data: Record<string, unknown> }
  expect(shown.data).toMatchObject({ origin: 'file', selling_price: '5', currency: 'USD', has_image: false })
  expect(await services.db.imageImport.count()).toBe(0)
  expect(await Array.fromAsync(services.store.list('imports'))).toEqual([])
})
