import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import type { BlobStore } from '../../src/images/storage/blob-store.ts'
import { createFileStore } from '../../src/images/storage/file-store.ts'
import { moveStorage } from '../../src/images/storage/move-storage.ts'
import { createS3Store, type S3Store } from '../../src/images/storage/s3-store.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { hashOf } from '../helpers/hash.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest, shortened } from '../helpers/long.ts'
import { startFaultyS3 } from '../helpers/s3-faults.ts'
import { startZinc } from '../helpers/zinc.ts'

let dir: string
let bucket: Awaited<ReturnType<typeof startFaultyS3>>
let store: S3Store
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-bad-'))
  bucket = await startFaultyS3()
  store = createS3Store(bucket.settings, join(dir, 'tmp'))
  return async () => {
    store.close()
    await bucket.close()
    await rm(dir, { recursive: true, force: true })
  }
})

async function put(to: BlobStore, bytes: Buffer): Promise<string> {
  const path = await to.temporaryPath()
  await writeFile(path, bytes)
  await to.keep('originals', path, hashOf(bytes))
  return hashOf(bytes)
}
const get = async (sha256: string) => buffer((await store.open('originals', sha256)).stream)

test.each(shortened(2, ['lose_reply', 'spoil', 'error', 'slow_down', 'skew'] as const))(
  'a put that meets %s twice is made again and is the same object',
  async (act) => {
    const bytes = randomBytes(200_000)
    bucket.fail({ method: 'PUT', times: 2, act })
    const sha256 = await put(store, bytes)
    expect((await get(sha256)).equals(bytes)).toBe(true)
    const found = []
    for await (const entry of store.list('originals')) if (entry.sha256 === sha256) found.push(entry.size)
    expect(found).toEqual([bytes.length])
    expect(await readdir(join(dir, 'tmp'))).toEqual([])
  },
)

longTest('what does not pass is one failure with a name, nothing is there, and it works again afterwards', async () => {
  const bytes = randomBytes(1_000)
  for (const act of ['forbidden', 'error', 'spoil'] as const) {
    bucket.fail({ method: 'PUT', times: 100, act })
    await expect(put(store, bytes)).rejects.toMatchObject({ code: 'storage_unavailable', detail: { remedy: expect.any(String) } })
    bucket.fail()
    expect(await store.sizeOf('originals', hashOf(bytes))).toBeNull()
  }
  bucket.fail({ method: 'HEAD', times: 100, act: 'forbidden' })
  // A bucket that refuses must not look like one that has nothing.
  await expect(store.sizeOf('originals', hashOf(bytes))).rejects.toMatchObject({ code: 'storage_unavailable' })
  bucket.fail()
  await put(store, bytes)
  bucket.fail({ method: 'GET', times: 100, act: 'cut' })
  await expect(get(hashOf(bytes))).rejects.toThrow()
  bucket.fail()
  expect((await get(hashOf(bytes))).equals(bytes)).toBe(true)
})

test('a move takes no copy of the right size for the right bytes: it is made again before the old one goes', async () => {
  const from = createFileStore(join(dir, 'old'))
  const bytes = randomBytes(5_000)
  const sha256 = await put(from, bytes)
  const spoilt = Buffer.from(bytes.map((it) => it ^ 6))
  const path = await store.temporaryPath()
  await writeFile(path, spoilt)
  await createS3Store(bucket.settings, join(dir, 'tmp')).keep('originals', path, hashOf(spoilt))
  // The same object under the name of the other bytes, as a bucket without checksums would have
  // taken it.
  const { S3Client, CopyObjectCommand } = await import('@aws-sdk/client-s3')
  const { endpoint, region, forcePathStyle, accessKeyId, secretAccessKey } = bucket.settings
  const raw = new S3Client({ endpoint, region, forcePathStyle, credentials: { accessKeyId, secretAccessKey } })
  const key = (name: string) => `originals/${name.slice(0, 2)}/${name}`
  await raw.send(new CopyObjectCommand({ Bucket: 'pictures', Key: key(sha256), CopySource: `pictures/${key(hashOf(spoilt))}` }))
  raw.destroy()
  expect((await get(sha256)).equals(spoilt)).toBe(true)
  const move = { from, to: store, removeOld: true, signal: AbortSignal.timeout(60_000), onProgress: () => {} }
  // While what is read back is wrong, the old file stays.
  bucket.fail({ method: 'GET', times: 100, act: 'spoil' })
  expect(await moveStorage(move)).toMatchObject({ removed: 0, damaged: 1 })
  expect(await from.sizeOf('originals', sha256)).toBe(bytes.length)
  bucket.fail()
  expect(await moveStorage(move)).toMatchObject({ removed: 1, damaged: 0 })
  expect((await get(sha256)).equals(bytes)).toBe(true)
})

longTest('a sync waits for a bucket that refuses, no picture counts as failed for it, and people hear why', async () => {
  const zinc = await startZinc({ items: createSeed({ count: 8 }), environment: bucket.environment })
  bucket.fail({ method: 'PUT', times: 1_000, act: 'forbidden' })
  const paused = await zinc.sync('?sync_images=true')
  expect(paused).toMatchObject({ status: 'paused', statistics: { images_failed: 0 } })
  expect(await zinc.services.runs.get(paused.run_id)).toMatchObject({
    failure_code: 'storage_unavailable',
    cause: expect.stringContaining('AccessDenied'),
  })
  const { id } = await zinc.services.db.product.findFirstOrThrow()
  const upload = await zinc.call(`/api/products/${id}/images/upload`, { method: 'POST', body: imageForm([await drawnImage()]) })
  expect([upload.status, ((await upload.json()) as { code: string }).code]).toEqual([503, 'storage_unavailable'])
  bucket.fail()
  await zinc.services.runs.resume(paused.run_id)
  expect((await zinc.services.runs.wait(paused.run_id, AbortSignal.timeout(60_000))).state).toBe('success')
  expect(await zinc.services.db.product.count({ where: { image_state: 'failed' } })).toBe(0)
})
