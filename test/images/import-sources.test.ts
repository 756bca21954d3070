import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { IMAGES_IMPORT } from '../../src/images/import/import-run.ts'
import { claimImport, importResult, type StageOptions, stageFolder } from '../../src/images/import/imports.ts'
import { readProductMap } from '../../src/images/import/product-map.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { drawnImage, smallImage } from '../helpers/images.ts'
import { oldWorld } from '../helpers/predecessors.ts'
import { startS3Server, type TestS3Server } from '../helpers/s3-server.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let s3: TestS3Server
beforeAll(async () => {
  s3 = await startS3Server()
  const { STORAGE: _, S3_BUCKET: __, ...environment } = s3.environment
  const opened = await openZinc({ items: createSeed({ count: 9, allImages: true }), imageOf: smallImage, environment })
  zinc = opened
  await zinc.sync()
  return async () => {
    await opened.end()
    await s3.close()
  }
})

/** As `zinc images import` does it. */
async function importFrom(source: Parameters<typeof stageFolder>[1], options: StageOptions = {}) {
  const { imageImports, runs, db } = zinc.services
  const { id } = await stageFolder(imageImports, source, options)
  await claimImport(imageImports, id)
  const { run_id } = await runs.start(IMAGES_IMPORT, { import_id: id }, { startedBy: 'test' })
  const run = await runs.wait(run_id, AbortSignal.timeout(60_000))
  return { state: run.state, statistics: run.statistics as Record<string, number>, ...(await importResult(db, run_id)) }
}

async function writeMap(folder: string, lines: string[]): Promise<string> {
  const file = join(folder, 'map.csv')
  await writeFile(file, `\uFEFF${lines.join('\r\n')}\r\n`)
  return file
}

const productOf = (item: { item_id: string } | undefined) =>
  zinc.services.db.product.findUniqueOrThrow({
    where: { zoho_item_id: item!.item_id },
    include: { photos: { where: { deleted_at: null }, orderBy: { sort_order: 'asc' } } },
  })

test('a map gives files of any layout in a bucket to products, and names what it left', async () => {
  const [one, two, three] = zinc.zoho.items()
  const client = new S3Client({ ...s3.settings, credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } })
  const put = (Key: string, Body: Buffer) => client.send(new PutObjectCommand({ Bucket: 'pictures', Key, Body }))
  await put('products/aaaa/primary.jpg', await drawnImage('jpeg'))
  await put('products/aaaa/back.jpg', await drawnImage())
  await put('products/bbbb/primary.jpg', await drawnImage('jpeg'))
  await put('products/cccc/primary.jpg', Buffer.from('not an image'))
  await put('products/dddd/primary.jpg', await drawnImage('jpeg'))
  await put('others/eeee/primary.jpg', await drawnImage('jpeg'))
  client.destroy()
  const map = await readProductMap(
    await writeMap(await oldWorld(), [
      'path;sku;zoho_item_id;product_id',
      `aaaa;"${one!.sku}";;`,
      `bbbb/primary.jpg;;${two!.item_id};`,
      `./cccc/primary.jpg;;;${(await productOf(three)).id}`,
      `ffff/primary.jpg;${one!.sku};;`,
    ]),
  )

  const { state, counts, plan } = await importFrom({ bucket_url: 's3://pictures/products' }, { map })

  expect([state, counts]).toEqual(['partial', { matched: 3, ambiguous: 0, unmatched: 2, unreadable: 1 }])
  expect(plan.unmatched.map((it) => [it.name, it.code])).toEqual([
    ['dddd/primary.jpg', 'not_in_map'],
    ['ffff/primary.jpg', 'no_mapped_file'],
  ])
  expect(plan.unreadable.map((it) => it.name)).toEqual(['cccc/primary.jpg'])
  const first = await productOf(one)
  expect(first.photos.map((it) => [it.filename, it.source, it.is_primary])).toEqual([
    ['primary.jpg', 'import', true],
    ['back.jpg', 'import', false],
  ])
  expect((await productOf(two)).photos).toHaveLength(1)
})

test('copies of Zoho’s images are primary until the next sync, which replaces those that differ', async () => {
  const { zoho, sync } = zinc
  const items = zoho.items().slice(3, 6)
  const [same, old, twice] = items
  const folder = await oldWorld()
  const put = async (name: string, bytes: Buffer) => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), bytes)
  }
  await put(`${same!.item_id}.jpg`, await zoho.imageBytes(same!.item_id))
  await put(`${old!.item_id}.jpg`, await drawnImage('jpeg'))
  await put(`${twice!.sku}/front.jpg`, await zoho.imageBytes(twice!.item_id))
  await put(`${twice!.sku}/side.jpg`, await drawnImage())
  const before = await readdir(folder, { recursive: true })

  expect((await importFrom({ folder }, { asZoho: true })).counts.matched).toBe(4)
  const held = await Promise.all(items.map(productOf))
  expect(held.map((it) => it.photos.map(({ source, is_primary }) => [source, is_primary]))).toEqual([
    [['zoho', true]],
    [['zoho', true]],
    [
      ['zoho', true],
      ['import', false],
    ],
  ])
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort())

  expect((await sync('?sync_images=true')).status).toBe('success')

  const after = await Promise.all(items.map(productOf))
  const versions = (products: typeof held) => products.map((it) => [it.photos[0]!.id, it.photos[0]!.sha256, it.photos[0]!.version])
  expect([versions(after)[0], versions(after)[2]]).toEqual([versions(held)[0], versions(held)[2]])
  expect(versions(after)[1]![2]).toBe(2)
  expect(after[1]!.photos).toHaveLength(1)
  // A second import of the same old copies does not bring them back.
  const again = await importFrom({ folder }, { asZoho: true })
  expect(again.statistics).toMatchObject({ matched: 4, unchanged: 4 })
  expect(versions(await Promise.all(items.map(productOf)))).toEqual(versions(after))
})

test('a map without its columns, or with a line that names no product, is refused with that line', async () => {
  const folder = await oldWorld()
  await expect(readProductMap(await writeMap(folder, ['file,sku', 'a.jpg,A']))).rejects.toMatchObject({ code: 'invalid_map' })
  const file = await writeMap(folder, ['path,sku', '"a,b.jpg",A', '', 'c.jpg,'])
  await expect(readProductMap(file)).rejects.toMatchObject({ code: 'invalid_map', detail: { line: 4 } })
  await writeFile(file, 'path,sku\n"a,""b"".jpg",A\n')
  expect(await readProductMap(file)).toEqual([{ path: 'a,"b".jpg', by: 'sku', value: 'A' }])
})
