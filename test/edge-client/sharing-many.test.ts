import { beforeAll, expect, onTestFinished } from 'vitest'
import type { PullResult } from '../../src/edge-client/pull.ts'
import type { SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { edgeFolder, expectMirror, puller } from '../helpers/edge-folder.ts'
import { openCountedLine, openEdgeClients } from '../helpers/edge-network.ts'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { noisyImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const PHOTOS = 300

let zinc: TestZinc
let photos: SyncPhoto[]
let bytes: number
beforeAll(async () => {
  if (process.env.ZINC_LONG !== '1') return
  const opened = await openZinc({
    items: createSeed({ count: PHOTOS, allImages: true }),
    imageOf: noisyImage,
    environment: { ZOHO_REQUESTS_PER_MINUTE: '0' },
    limits: { perMinute: 100_000, perDay: 100_000 } as never,
  })
  zinc = opened
  const { status } = await zinc.sync('?sync_images=true')
  expect(status).toBe('success')
  photos = (await (await addStore()).list('&limit=1000')).photos
  bytes = photos.reduce((sum, { size }) => sum + size, 0)
  expect(photos.length).toBe(PHOTOS)
  return opened.end
})

let made = 0
async function send(path: string, body: unknown): Promise<{ id: string; token: string }> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return ((await (await zinc.call(path, init)).json()) as { data: { id: string; token: string } }).data
}
async function addStore(): Promise<TestStore> {
  const { id } = await send('/api/v1/stores', { code: `M${++made}`, name: 'Many', share: true })
  const { token, id: tokenId } = await send(`/api/v1/stores/${id}/tokens`, { name: 'test' })
  return createTestStore(zinc.url, { id, token, tokenId })
}

longTest('ten clients of one store cost the line at most 1.05 × one copy, lists included', async () => {
  const store = await addStore()
  const alone = await openCountedLine(zinc.url)
  await puller(store, alone.url, await edgeFolder())()
  const line = await openCountedLine(zinc.url)
  const clients = await openEdgeClients(store, line.url, { net: 11, count: 10 })
  const began = performance.now()
  const results: PullResult[] = await Promise.all(clients.map((client) => client.pull()))
  const seconds = (performance.now() - began) / 1_000
  for (const client of clients) await expectMirror(client.dir, photos)
  const figures = { photos: PHOTOS, bytes, alone: alone.down(), down: line.down(), up: line.up(), aloneUp: alone.up(), seconds }
  console.log(JSON.stringify({ ...figures, ratio: line.down() / bytes, ofOne: line.down() / alone.down() }))
  expect(results.flatMap(({ failed }) => failed)).toEqual([])
  expect(line.down()).toBeLessThan(1.05 * bytes)
})

longTest('ten clients on a line of 10 Mbit/s and 50 ms that come and go still cost little more than one copy', async () => {
  const store = await addStore()
  const slow = await openFaultProxy(zinc.url, { delayMs: 25, bytesPerSecond: 1_250_000 })
  onTestFinished(slow.close)
  const line = await openCountedLine(slow.url)
  const clients = await openEdgeClients(store, line.url, { net: 12, count: 10 })
  const stops = clients.map(() => new AbortController())
  const began = performance.now()
  // Every third one vanishes in the middle of its work, and is back later.
  const pulls = clients.map((client, n) => {
    let seen = 0
    return client.pull({
      signal: stops[n]!.signal,
      onProgress({ done }) {
        if (n % 3 === 0 && done > 20 && seen++ === 0) {
          stops[n]!.abort()
          void client.close()
        }
      },
    })
  })
  const ended = await Promise.allSettled(pulls)
  const seconds = (performance.now() - began) / 1_000
  console.log(JSON.stringify({ down: line.down(), bytes, ratio: line.down() / bytes, seconds }))
  for (const [n, client] of clients.entries()) {
    if (n % 3 === 0) continue
    expect(ended[n]).toMatchObject({ status: 'fulfilled', value: { failed: [] } })
    await expectMirror(client.dir, photos)
  }
  expect(line.down()).toBeLessThan(1.3 * bytes)
})
