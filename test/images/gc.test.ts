import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { addPhotos, deletePhoto } from '../../src/images/gallery/edit.ts'
import { ingestImage } from '../../src/images/processing/ingest.ts'
import { deleteUnreferencedBlobs } from '../../src/images/storage/gc-blobs.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { bmpOf } from '../helpers/bmp.ts'
import { drawnImage } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let products: string[]
const signal = AbortSignal.timeout(times(110_000, 1_700_000))
beforeAll(async () => {
  const held = await openZinc({ items: createSeed({ count: 60 }) })
  zinc = held
  await zinc.sync()
  products = (await zinc.services.db.product.findMany({ select: { id: true } })).map((it) => it.id)
  return held.end
})

const soon = () => new Date(Date.now() + 60_000)
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const put = async (productId: string, bytes: Buffer) => {
  const { ingest } = zinc.services
  const { sha256 } = await ingestImage(ingest, Readable.from([bytes]), signal)
  const [photo] = await addPhotos(zinc.services, { productId, photos: [{ source: 'upload', filename: 'a.png', sha256 }], primary: false })
  return photo!
}

/** The originals on disk, all folders of them. */
const originals = async () => {
  const folder = join(zinc.dataDir, 'images', 'originals')
  return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((it) => it.isFile()).map((it) => it.name)
}

longTest('bytes of 50 products are stored once and deleted with the last one after the grace period', async () => {
  const { db, store } = zinc.services
  const bytes = await drawnImage()
  const sha256 = sha256Of(bytes)
  const other = await put(products[55]!, await drawnImage())
  const photos = await Promise.all(products.slice(0, 50).map((id) => put(id, bytes)))
  expect([new Set(photos.map((it) => it.product_id)).size, new Set(photos.map((it) => it.sha256)).size]).toEqual([50, 1])
  expect((await originals()).sort()).toEqual([sha256, other.sha256].sort())
  expect(await db.photo.count({ where: { sha256 } })).toBe(50)
  const variants = await db.variant.findMany({ where: { source_sha256: sha256 } })
  expect(variants).toHaveLength(2)
  for (const photo of photos.slice(1)) await deletePhoto(zinc.services, { productId: photo.product_id, photoId: photo.id })
  expect(await deleteUnreferencedBlobs(zinc.services, soon(), signal)).toMatchObject({ removed: 0 })
  await deletePhoto(zinc.services, { productId: photos[0]!.product_id, photoId: photos[0]!.id })
  expect(await deleteUnreferencedBlobs(zinc.services, new Date(Date.now() - 60_000), signal)).toMatchObject({ removed: 0 })
  expect(await store.sizeOf('originals', sha256)).toBe(bytes.length)
  expect(await deleteUnreferencedBlobs(zinc.services, soon(), signal)).toEqual({ removed: 1, bytes: bytes.length })
  expect(await store.sizeOf('originals', sha256)).toBeNull()
  for (const variant of variants) expect(await store.sizeOf('variants', variant.sha256)).toBeNull()
  // The tombstones keep the row; the same bytes come in again as if new.
  const back = await put(products[0]!, bytes)
  await deletePhoto(zinc.services, { productId: back.product_id, photoId: back.id })
  // And once more while they are being removed, their time being over.
  const graceEnd = new Date(Date.now() - 7 * 86_400_000)
  await db.blob.update({ where: { sha256 }, data: { orphaned_at: new Date(graceEnd.getTime() - 1_000) } })
  const [, again] = await Promise.all([deleteUnreferencedBlobs(zinc.services, graceEnd, signal), put(products[0]!, bytes)])
  const kept = await db.blob.findUniqueOrThrow({ where: { sha256 } })
  expect([await store.sizeOf('originals', sha256), again.sha256, kept.removed_at, kept.orphaned_at]).toEqual([
    bytes.length,
    sha256,
    null,
    null,
  ])
  await expect(
    zinc.call(`/api/products/${photos[1]!.product_id}/images/${photos[1]!.id}/restore`, { method: 'POST' }),
  ).resolves.toMatchObject({ status: 200 })
})

test('bytes that never reach a product go too', async () => {
  const { db, ingest, store } = zinc.services
  const bytes = await drawnImage()
  await ingestImage(ingest, Readable.from([bytes]), signal)
  expect(await deleteUnreferencedBlobs(zinc.services, soon(), signal)).toMatchObject({ removed: 1 })
  expect([await db.blob.count({ where: { sha256: sha256Of(bytes) } }), await store.sizeOf('originals', sha256Of(bytes))]).toEqual([0, null])
})

longTest('uploads of the very bytes that a sweep is removing survive it', async () => {
  const { db, store } = zinc.services
  const old = new Date(Date.now() - 7 * 86_400_000)
  for (let n = 0; n < times(15, 1_000); n++) {
    const bytes = await drawnImage()
    const sha256 = sha256Of(bytes)
    const first = await put(products[0]!, bytes)
    await deletePhoto(zinc.services, { productId: first.product_id, photoId: first.id })
    // With a tombstone the row of the bytes stays, without one it goes: both ways are met.
    if (n % 2) await db.photo.delete({ where: { id: first.id } })
    await db.blob.update({ where: { sha256 }, data: { orphaned_at: new Date(old.getTime() - 86_400_000) } })
    const [, a, , b] = await Promise.all([
      deleteUnreferencedBlobs(zinc.services, old, signal),
      put(products[1]!, bytes),
      deleteUnreferencedBlobs(zinc.services, old, signal),
      put(products[2]!, bytes),
    ])
    const row = await db.blob.findUniqueOrThrow({ where: { sha256 } })
    expect([a.sha256, b.sha256, row.removed_at, row.orphaned_at, await store.sizeOf('originals', sha256)]).toEqual([
      sha256,
      sha256,
      null,
      null,
      bytes.length,
    ])
  }
})

test('a sweep waits for a put that has found the file there and not yet written its row', async () => {
  const { db, ingest, store } = zinc.services
  // What is converted is known only after its decoding, so its file is looked for under the lock.
  const bytes = bmpOf({ width: 8, height: 4 })
  const first = await put(products[0]!, bytes)
  await deletePhoto(zinc.services, { productId: first.product_id, photoId: first.id })
  const graceEnd = new Date(Date.now() - 7 * 86_400_000)
  await db.blob.update({ where: { sha256: first.sha256 }, data: { orphaned_at: new Date(graceEnd.getTime() - 1_000) } })
  let sweep = Promise.resolve({ removed: -1, bytes: 0 })
  const sizeOf: typeof store.sizeOf = async (kind, sha256) => {
    const size = await store.sizeOf(kind, sha256)
    if (sha256 !== first.sha256) return size
    let over = false
    sweep = deleteUnreferencedBlobs(zinc.services, graceEnd, signal).finally(() => {
      over = true
    })
    const waits = () => db.$queryRaw<unknown[]>`
      select 1 from pg_locks join pg_database on pg_database.oid = pg_locks.database
      where datname = current_database() and locktype = 'advisory' and not granted`
    await waitFor(async () => over || (await waits()).length > 0)
    return size
  }
  await ingestImage({ ...ingest, store: { ...store, sizeOf } }, Readable.from([bytes]), signal)
  expect([(await sweep).removed, await store.sizeOf('originals', first.sha256)]).toEqual([0, Number(first.blob.size)])
})

test('the bytes of a BMP stay beside its PNG, once, and go with it', async () => {
  const { db, store } = zinc.services
  const bytes = bmpOf({ width: 7, height: 5, pixel: () => [1, 2, 3] })
  const first = await put(products[10]!, bytes)
  const received = sha256Of(bytes)
  expect([first.blob.ext, first.blob.received_sha256]).toEqual(['png', received])
  expect((await buffer((await store.open('received', received)).stream)).equals(bytes)).toBe(true)
  // The same again, and other bytes that show the same, are this picture; the bytes that were first
  // are kept.
  const same = bmpOf({ width: 7, height: 5, pixel: () => [1, 2, 3], header: 124 })
  const others = [await put(products[11]!, bytes), await put(products[12]!, same)]
  expect(others.map((it) => [it.sha256, it.blob.received_sha256])).toEqual([
    [first.sha256, received],
    [first.sha256, received],
  ])
  expect([await store.sizeOf('received', received), await store.sizeOf('received', sha256Of(same))]).toEqual([bytes.length, null])
  for (const photo of [first, ...others]) await deletePhoto(zinc.services, { productId: photo.product_id, photoId: photo.id })
  await deleteUnreferencedBlobs(zinc.services, soon(), signal)
  expect([await store.sizeOf('originals', first.sha256), await store.sizeOf('received', received)]).toEqual([null, null])
  const back = await put(products[10]!, bytes)
  expect([
    await store.sizeOf('received', received),
    (await db.blob.findUniqueOrThrow({ where: { sha256: back.sha256 } })).removed_at,
  ]).toEqual([bytes.length, null])
})

test('a disk without room refuses the new picture in words, and the old one stays', async () => {
  const { ingest, store } = zinc.services
  const productId = products[5]!
  const old = await put(productId, await drawnImage())
  const full = { ...ingest, store: { ...store, space: async () => ({ free: 1_000_000, total: 100_000_000 }) } }
  await expect(ingestImage(full, Readable.from([await drawnImage()]), signal)).rejects.toMatchObject({
    code: 'storage_full',
    detail: { remedy: expect.any(String) },
  })
  const enospc = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const broken = { ...ingest, store: { ...store, keep: () => Promise.reject(enospc) } }
  await expect(ingestImage(broken, Readable.from([await drawnImage()]), signal)).rejects.toMatchObject({ code: 'storage_full' })
  expect(await store.sizeOf('originals', old.sha256)).toBe(Number(old.blob.size))
})
