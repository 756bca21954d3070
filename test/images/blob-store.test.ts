import { createHash, randomBytes } from 'node:crypto'
import { link, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BlobStore, StoredKind } from '../../src/images/storage/blob-store.ts'
import { createFileStore } from '../../src/images/storage/file-store.ts'
import { createMigratingStore } from '../../src/images/storage/migrating-store.ts'
import { moveStorage } from '../../src/images/storage/move-storage.ts'
import { createS3Store, type S3Store } from '../../src/images/storage/s3-store.ts'
import { longTest, times } from '../helpers/long.ts'
import { startS3Server, type TestS3Server } from '../helpers/s3-server.ts'

let dir: string
let bucket: TestS3Server
let s3: S3Store
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-store-'))
  bucket = await startS3Server()
  s3 = createS3Store(bucket.settings, join(dir, 's3-tmp'))
})
afterAll(async () => {
  s3.close()
  await bucket.close()
  await rm(dir, { recursive: true, force: true })
})

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
async function put(store: BlobStore, bytes: Buffer, kind: StoredKind = 'originals'): Promise<string> {
  const path = await store.temporaryPath()
  await writeFile(path, bytes)
  await store.keep(kind, path, hash(bytes))
  return hash(bytes)
}
const get = async (store: BlobStore, sha256: string, range?: { start: number; end: number }) => {
  const { size, stream } = await store.open('originals', sha256, range)
  return { size, bytes: await buffer(stream) }
}
const names = async (store: BlobStore, kind: StoredKind) => {
  const found: string[] = []
  for await (const { sha256 } of store.list(kind)) found.push(sha256)
  return found.sort()
}
const signal = AbortSignal.timeout(times(100_000, 1_700_000))

describe.each<[string, () => BlobStore]>([
  ['disk', () => createFileStore(join(dir, 'disk'))],
  ['bucket', () => s3],
  ['both while moving', () => createMigratingStore(s3, createFileStore(join(dir, 'old')))],
])('pictures on %s', (_name, open) => {
  test('what is kept comes back to the byte, whole and in parts, under its hash only', async () => {
    const store = open()
    for (const size of [1, 1000, 300_000]) {
      const bytes = randomBytes(size)
      const sha256 = await put(store, bytes)
      expect(await store.sizeOf('originals', sha256)).toBe(size)
      expect(await get(store, sha256)).toEqual({ size, bytes })
      const part = { start: Math.floor(size / 3), end: Math.floor(size / 2) }
      expect(await get(store, sha256, part)).toEqual({ size, bytes: bytes.subarray(part.start, part.end + 1) })
      await using localFile = await store.openLocal('originals', sha256, signal)
      expect((await readFile(localFile.path)).equals(bytes)).toBe(true)
    }
  })
  test('kept twice it is one file; the kinds are apart; removed it is gone, twice without an error', async () => {
    const store = open()
    const bytes = randomBytes(500)
    const sha256 = await put(store, bytes)
    await put(store, bytes)
    await put(store, bytes, 'variants')
    expect((await names(store, 'originals')).filter((it) => it === sha256)).toEqual([sha256])
    await store.remove('originals', sha256)
    await store.remove('originals', sha256)
    expect(await store.sizeOf('originals', sha256)).toBeNull()
    expect(await store.sizeOf('variants', sha256)).toBe(500)
    await expect(store.open('originals', sha256)).rejects.toMatchObject({ code: 'image_file_missing' })
    await expect(store.openLocal('originals', sha256, signal)).rejects.toMatchObject({ code: 'image_file_missing' })
  })
  test('many puts of the same and of other bytes at once all end well, and leave no temporary file', async () => {
    const store = open()
    const same = randomBytes(2_000)
    const others = Array.from({ length: 10 }, () => randomBytes(2_000))
    await Promise.all([...others, ...Array.from({ length: 10 }, () => same)].map((bytes) => put(store, bytes)))
    for (const bytes of [same, ...others]) expect((await get(store, hash(bytes))).bytes.equals(bytes)).toBe(true)
    const path = await store.temporaryPath()
    expect(await readdir(join(path, '..'))).toEqual([])
  })
  test('random operations agree with a map', async () => {
    const store = open()
    const contents = Array.from({ length: 5 }, () => randomBytes(64))
    const step = fc.record({ op: fc.constantFrom('put', 'remove', 'get', 'list'), n: fc.nat(4) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const model = new Map<string, Buffer>()
        for (const bytes of contents) await store.remove('originals', hash(bytes))
        for (const { op, n } of steps) {
          const bytes = contents[n]!
          const sha256 = hash(bytes)
          if (op === 'put') model.set(await put(store, bytes), bytes)
          else if (op === 'remove') {
            await store.remove('originals', sha256)
            model.delete(sha256)
          } else if (op === 'get') expect(await store.sizeOf('originals', sha256)).toBe(model.get(sha256)?.length ?? null)
          else {
            const ours = new Set(contents.map(hash))
            expect((await names(store, 'originals')).filter((it) => ours.has(it))).toEqual([...model.keys()].sort())
          }
        }
      }),
      { numRuns: times(15, 500), seed: 4711 },
    )
  })
})

longTest('moving to a bucket and back copies everything, skips damaged files, and resumes', async () => {
  const from = createFileStore(join(dir, 'moved'))
  const all = await Promise.all(Array.from({ length: 40 }, () => put(from, randomBytes(1_000))))
  const variant = await put(from, randomBytes(300), 'variants')
  const damaged = all.pop()!
  await rm(join(dir, 'moved', 'originals', damaged.slice(0, 2), damaged))
  await writeFile(join(dir, 'moved', 'originals', damaged.slice(0, 2), damaged), 'other bytes')
  const both = createMigratingStore(s3, from)
  const stop = new AbortController()
  const moving = moveStorage({
    from,
    to: s3,
    removeOld: true,
    signal: stop.signal,
    onProgress: ({ copied }) => copied > 10 && stop.abort(new Error('stopped')),
  })
  await expect(moving).rejects.toThrow('stopped')
  // In the middle of the move every picture is there.
  for (const sha256 of all) expect((await get(both, sha256)).bytes.length).toBe(1_000)
  const counts = await moveStorage({ from, to: s3, removeOld: true, signal, onProgress: () => {} })
  expect(counts.damaged).toBe(1)
  expect([await names(from, 'originals'), await names(from, 'variants')]).toEqual([[damaged], []])
  for (const sha256 of all) expect((await get(s3, sha256)).bytes.length).toBe(1_000)
  expect(await s3.sizeOf('variants', variant)).toBe(300)
  const back = createFileStore(join(dir, 'back'))
  expect((await moveStorage({ from: s3, to: back, removeOld: false, signal, onProgress: () => {} })).copied).toBeGreaterThanOrEqual(40)
  for (const sha256 of all) expect(await back.sizeOf('originals', sha256)).toBe(1_000)
})

test('equal bytes that come again keep the file that others may have linked to; a damaged one is replaced', async () => {
  const store = createFileStore(join(dir, 'linked'))
  const bytes = randomBytes(3_000)
  const sha256 = hash(bytes)
  await Promise.all(Array.from({ length: 8 }, () => put(store, bytes)))
  const path = store.localPath('originals', sha256)!
  const first = await stat(path)
  await link(path, join(dir, 'view'))
  await Promise.all(Array.from({ length: 8 }, () => put(store, bytes)))
  expect([(await stat(path)).ino, (await stat(join(dir, 'view'))).ino, (await stat(path)).nlink]).toEqual([first.ino, first.ino, 2])
  expect(await readdir(join(await store.temporaryPath(), '..'))).toEqual([])
  // The same length and other bytes: what comes is right.
  await writeFile(path, randomBytes(3_000))
  await put(store, bytes)
  expect((await get(store, sha256)).bytes.equals(bytes)).toBe(true)
})
