import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { ForeignResponse, HttpError } from '../../src/edge-client/http.ts'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { edgeFolder, expectMirror, puller, shownFiles } from '../helpers/edge-folder.ts'
import { blockPage, type Filter, openFilterProxy } from '../helpers/filter-proxy.ts'
import { longTest, shortened } from '../helpers/long.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let photos: SyncPhoto[]
beforeAll(async () => {
  const opened = await openZinc()
  zinc = opened
  await zinc.sync('?sync_images=true')
  photos = (await (await addStore()).list()).photos
  return opened.end
})

let made = 0
async function send(method: string, path: string, body: unknown) {
  const response = await zinc.call(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return ((await response.json()) as { data: { id: string; token: string } }).data
}
async function addStore(): Promise<TestStore> {
  const { id } = await send('POST', '/api/v1/stores', { code: `F${++made}`, name: 'Filtered' })
  const { token, id: tokenId } = await send('POST', `/api/v1/stores/${id}/tokens`, { name: 'test' })
  return createTestStore(zinc.url, { id, token, tokenId })
}
interface FleetEntry {
  photos_failed: number
  photos_synced: number
  failing: { photo_id: string; error: string }[]
}
const fleetEntry = async ({ id }: TestStore) => ((await (await zinc.call(`/api/v1/sync/stores/${id}`)).json()) as { data: FleetEntry }).data

async function setUp() {
  const store = await addStore()
  const proxy = await openFilterProxy(zinc.url)
  const dir = await edgeFolder()
  const calls = (part: string) => proxy.paths.filter((path) => path.includes(part)).length
  return { store, proxy, dir, calls, run: puller(store, proxy.url, dir) }
}

const onlyArchives =
  (work: Filter): Filter =>
  (request, response) =>
    request.url.includes('/archive/') && work(request, response)
const ARCHIVE_FILTERS: [string, Filter][] = [
  ['a page with 200', (_, response) => blockPage(response)],
  ['a page with 403', (_, response) => blockPage(response, 403)],
  ['a page with 404', (_, response) => blockPage(response, 404)],
  ['a page with 511', (_, response) => blockPage(response, 511)],
  [
    'other JSON with 200',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"success","data":[]}')
      return true
    },
  ],
  [
    'a redirect to a page',
    (request, response) => {
      if (request.url.includes('portal')) return blockPage(response)
      response.writeHead(302, { location: '/archive/portal' }).end()
      return true
    },
  ],
  [
    'nothing, called a tar',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-tar' }).end()
      return true
    },
  ],
  [
    'a page, called a tar',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-tar' }).end('<html>'.padEnd(10_240, 'blocked '))
      return true
    },
  ],
  [
    'a cut',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-tar' }).write('x')
      setImmediate(() => response.destroy())
      return true
    },
  ],
]

test.for(shortened(4, ARCHIVE_FILTERS))('where a filter gives %s instead of archives, pictures come one by one', async ([, filter]) => {
  const { store, proxy, dir, calls, run } = await setUp()
  proxy.filter = onlyArchives(filter)
  expect(await run()).toMatchObject({ fetched: 20, failed: [] })
  await expectMirror(dir, photos)
  expect(calls('/archive/')).toBeLessThanOrEqual(4)
  expect(await fleetEntry(store)).toMatchObject({ photos_synced: 20, photos_failed: 0 })
})

test('an archive that zinc itself refuses for the token is no filter: the pull ends and says why', async () => {
  const { store, proxy, calls, run } = await setUp()
  proxy.filter = onlyArchives((_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ status: 'error', code: 'store_paused', message: 'This store is paused', detail: {}, request_id: 'x' }))
    return true
  })
  await expect(run()).rejects.toMatchObject({ constructor: HttpError, status: 403, code: 'store_paused' })
  expect(calls('/download/')).toBe(0)
  expect(await fleetEntry(store)).toMatchObject({ photos_failed: 0 })
})

longTest('one picture in whose place a page comes fails alone, is reported, and comes with the next pull', async () => {
  const { store, proxy, dir, calls, run } = await setUp()
  const [blocked] = photos as [SyncPhoto]
  proxy.filter = (request, response) =>
    request.url.includes('/archive/') || request.url.includes(blocked.id) ? blockPage(response) : false
  const waits: number[] = []
  const { fetched, failed } = await run({ onFailedTry: ({ waitMs }) => waits.push(waitMs) })
  expect([fetched, failed]).toEqual([19, [{ photo_id: blocked.id, error: expect.stringMatching(/200, text\/html.*filter/) }]])
  expect(calls(blocked.id)).toBeLessThanOrEqual(4)
  expect(Math.max(...waits)).toBeGreaterThan(900)
  await expectMirror(dir, photos.slice(1))
  expect((await fleetEntry(store)).failing).toMatchObject([{ photo_id: blocked.id, error: expect.stringContaining('text/html') }])

  proxy.filter = null
  expect(await run()).toMatchObject({ fetched: 1, failed: [] })
  await expectMirror(dir, photos)
  expect(await fleetEntry(store)).toMatchObject({ photos_failed: 0, photos_synced: 20, failing: [] })
})

longTest('where a portal takes the place of every picture, the pull ends by itself, with each reported', async () => {
  const { store, proxy, dir, run } = await setUp()
  proxy.filter = (request, response) => (/archive|download/.test(request.url) ? blockPage(response) : false)
  await expect(run()).rejects.toThrow(ForeignResponse)
  expect(proxy.paths.length).toBeLessThan(60)
  expect(await shownFiles(dir)).toEqual([])
  expect(await fleetEntry(store)).toMatchObject({ photos_failed: 20, photos_synced: 0 })
  proxy.filter = null
  expect(await run()).toMatchObject({ fetched: 20, failed: [] })
  await expectMirror(dir, photos)
  expect(await fleetEntry(store)).toMatchObject({ photos_failed: 0, photos_synced: 20 })
})

longTest('a picture whose download is cut at the same byte each time fails alone', { timeout: 180_000 }, async () => {
  const { store, proxy, dir, run } = await setUp()
  const [cut] = photos as [SyncPhoto]
  proxy.filter = (request, response) => {
    if (request.url.includes('/archive/')) return blockPage(response)
    if (!request.url.includes(cut.id)) return false
    // Always the beginning: a proxy that knows no ranges.
    response.writeHead(200, { 'content-type': cut.content_type, 'content-length': cut.size, 'x-checksum-sha256': cut.sha256 })
    response.write(Buffer.alloc(100))
    setImmediate(() => response.destroy())
    return true
  }
  const { failed } = await run()
  expect(failed).toEqual([{ photo_id: cut.id, error: expect.stringMatching(/cut/) }])
  await expectMirror(dir, photos.slice(1))
  expect(await fleetEntry(store)).toMatchObject({ photos_failed: 1, photos_synced: 19 })
})

test('a proxy that compresses, or takes headers and lengths away, costs nothing but its bytes', async () => {
  const { proxy, dir, run } = await setUp()
  proxy.filter = onlyArchives((_, response) => blockPage(response))
  const without = ({ ...headers }: Record<string, unknown>, names: string[]) => {
    for (const name of names) delete headers[name]
    return headers
  }
  let n = 0
  proxy.alter = (path, headers, body) => {
    if (!path.includes('/download/')) return { headers, body }
    if (n++ % 2) return { headers: { ...without(headers, ['content-length']), 'content-encoding': 'gzip' }, body: gzipSync(body) }
    return { headers: without(headers, ['x-checksum', 'x-checksum-sha256', 'x-version', 'etag', 'content-length', 'content-type']), body }
  }
  expect(await run()).toMatchObject({ fetched: 20, failed: [] })
  await expectMirror(dir, photos)
})

test('the first failed try is told immediately, and each wait with its length, growing', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const { port } = closed.address() as { port: number }
  await new Promise((resolve) => closed.close(resolve))
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const tries: { message: string; waitMs: number; emptyTries: number }[] = []
  const began = performance.now()
  let firstAfter = Number.POSITIVE_INFINITY
  await puller(
    await addStore(),
    `http://127.0.0.1:${port}`,
    await edgeFolder(),
  )({
    signal: stop.signal,
    onFailedTry(failed) {
      firstAfter = Math.min(firstAfter, performance.now() - began)
      if (tries.push(failed) === 5) stop.abort(new Error('seen enough'))
    },
  }).catch(() => {})
  expect(firstAfter).toBeLessThan(2_000)
  expect(tries.map(({ emptyTries }) => emptyTries)).toEqual([1, 2, 3, 4, 5])
  expect(tries[0]!.message).toMatch(/cannot be reached.*ECONNREFUSED/)
  expect(tries[4]!.waitMs).toBeGreaterThan(tries[0]!.waitMs * 4)
})
