import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { edgeFolder, expectMirror, puller, sha256Of, shownFiles } from '../helpers/edge-folder.ts'
import { type LineOptions, openFaultProxy } from '../helpers/fault-proxy.ts'
import { longTest, times } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

async function startBadLine(target: string, options: LineOptions = {}) {
  const transport = await openFaultProxy(target, options)
  onTestFinished(transport.close)
  return transport
}
test('a pull makes the folder what the store has, and every later one only does what changed', async () => {
  const shop = await startShop()
  const store = await shop.addStore({ variant: 'medium' })
  const transport = await startBadLine(shop.url)
  const dir = await edgeFolder()
  const run = puller(store, transport.url, dir)
  const { photos } = await store.list()
  expect(await run()).toMatchObject({ fetched: 20, removed: 0, failed: [] })
  await expectMirror(dir, photos)
  expect((await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data).toMatchObject({ photos_synced: 20, photos_behind: 0 })

  // Nothing changed: one request, and an answer below 1 KB with its headers.
  const before = transport.bytes()
  expect(await run()).toMatchObject({ fetched: 0, requests: 1 })
  expect(transport.bytes() - before).toBeLessThan(1_800)

  // Deleted here, damaged there, gone at the server: each is mended, and nothing else is fetched.
  const [first, second, third] = photos as [SyncPhoto, SyncPhoto, SyncPhoto]
  await rm(join(dir, `${first.id}.webp`))
  await shop.send('DELETE', `/api/products/${second.product_id}/images/${second.id}`)
  const file = join(dir, `${third.id}.webp`)
  const { atime, mtime } = await stat(file)
  const bytes = await readFile(file)
  bytes[100]! ^= 1
  await writeFile(file, bytes)
  await utimes(file, atime, mtime)
  expect(await run()).toMatchObject({ fetched: 1, removed: 1 })
  expect(await sha256Of(file)).not.toBe(third.sha256)
  expect(await run({ verify: true })).toMatchObject({ fetched: 1, removed: 0 })
  await expectMirror(dir, (await store.list()).photos)

  // A resync asks for everything again; what is equal is read, not fetched, and reported.
  await shop.send('POST', `/api/v1/sync/stores/${store.id}/resync`)
  expect((await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data).toMatchObject({ photos_behind: 19 })
  expect(await run()).toMatchObject({ fetched: 0, removed: 0 })
  expect((await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data).toMatchObject({ photos_behind: 0 })

  // Another size: other bytes for every photo, the old ones stay until the new ones are there.
  await shop.send('PATCH', `/api/v1/stores/${store.id}`, { variant: 'original' })
  expect(await run()).toMatchObject({ fetched: 19, removed: 0 })
  await expectMirror(dir, (await store.list()).photos)

  // The state is lost: what lies there is taken as it is.
  for (const name of await readdir(dir)) if (name.startsWith('.zinc')) await rm(join(dir, name))
  const received = transport.bytes()
  await run()
  expect(transport.bytes() - received).toBeLessThan(60_000)
  await expectMirror(dir, (await store.list()).photos)
})

longTest('a line cut every few moments brings everything, and only the tail of a cut twice', async () => {
  const shop = await startShop({ items: createSeed({ count: 90 }) })
  const store = await shop.addStore()
  const { photos } = await store.list('&limit=1000')
  const size = photos.reduce((sum, photo) => sum + photo.size, 0)
  const cutEveryMs = times(1_000, 2_000)
  const bytesPerSecond = Math.ceil(size / times(6, 40))
  const transport = await startBadLine(shop.url, { bytesPerSecond, cutEveryMs })
  const dir = await edgeFolder()
  let halves = 0
  const result = await puller(
    store,
    transport.url,
    dir,
  )({
    onProgress: () => {
      halves++
    },
  })
  expect(result.failed).toEqual([])
  await expectMirror(dir, photos)
  expect(halves).toBeGreaterThan(0)
  expect(transport.cuts()).toBeGreaterThan(4)
  // What was on its way when the line was cut, and the answers' headers; a picture that began anew
  // each time would cost far more.
  expect(result.bytes).toBeLessThan(size * 1.1 + photos.length * 1_500)
})

longTest('a pull that is killed goes on where it was, and shows no half picture at any moment', async () => {
  const shop = await startShop({ items: createSeed({ count: 60 }) })
  const store = await shop.addStore()
  const { photos } = await store.list('&limit=1000')
  const listed = new Map(photos.map((photo) => [photo.id, photo]))
  const size = photos.reduce((sum, photo) => sum + photo.size, 0)
  const transport = await startBadLine(shop.url, { bytesPerSecond: Math.ceil(size / 2) })
  const dir = await edgeFolder()
  const run = puller(store, transport.url, dir)
  let fetched = 0
  for (let kill = 1; kill <= 6; kill++) {
    const stop = new AbortController()
    const at = (size * kill) / 8
    let bytes = 0
    const before = fetched
    await run({
      signal: stop.signal,
      onProgress: (progress) => {
        bytes = progress.bytes
        fetched = before + progress.done
        if (bytes > at / kill) stop.abort(new Error('killed'))
      },
    }).catch(() => {})
    for (const name of await shownFiles(dir)) expect(await sha256Of(join(dir, name))).toBe(listed.get(name.split('.')[0]!)?.sha256)
  }
  await run()
  await expectMirror(dir, photos)
  expect((await readdir(dir)).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a revoked token and another store are refused at once, in words', async () => {
  const shop = await startShop()
  const [store, other] = [await shop.addStore(), await shop.addStore()]
  const dir = await edgeFolder()
  await expect(puller({ ...store, id: other.id }, shop.url, dir)()).rejects.toMatchObject({ status: 403, code: 'store_mismatch' })
  await shop.send('DELETE', `/api/v1/stores/${store.id}/tokens/${store.tokenId}`)
  await expect(puller(store, shop.url, dir)()).rejects.toMatchObject({ status: 401 })
})
