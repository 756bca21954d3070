import { beforeAll, expect, onTestFinished } from 'vitest'
import type { PullResult } from '../../src/edge-client/pull.ts'
import type { EdgeSettings, SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { edgeFolder, expectMirror, puller } from '../helpers/edge-folder.ts'
import { type CountedLine, type EdgeClient, openCountedLine, openEdgeClient, openEdgeClients } from '../helpers/edge-network.ts'
import { openRogue } from '../helpers/edge-rogue.ts'
import { openFaultProxy } from '../helpers/fault-proxy.ts'
import { noisyImage } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc } from '../helpers/zinc.ts'

const PHOTOS = 150
const CLIENTS = 10
/** One for each pull that begins with nothing. */
const STORES = 12
/** Slow enough that the line, and not this machine's processors, bounds the time. */
const BYTES_PER_SECOND = 150_000

let environment: Record<string, string>
const stores: { id: string; token: string; tokenId: string }[] = []
let photos: SyncPhoto[]
let bytes: number
beforeAll(async () => {
  if (process.env.ZINC_LONG !== '1') return
  const zinc = await openZinc({
    items: createSeed({ count: PHOTOS, allImages: true }),
    imageOf: noisyImage,
    environment: { ZOHO_REQUESTS_PER_MINUTE: '0' },
    limits: { perMinute: 100_000, perDay: 100_000 } as never,
  })
  ;({ environment } = zinc)
  const { status } = await zinc.sync('?sync_images=true')
  expect(status).toBe('success')
  async function send(path: string, body: unknown): Promise<{ id: string; token: string }> {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    return ((await (await zinc.call(path, init)).json()) as { data: { id: string; token: string } }).data
  }
  for (let n = 0; n < STORES; n++) {
    const { id } = await send('/api/v1/stores', { code: `M${n}`, name: 'Many', share: true })
    const { token, id: tokenId } = await send(`/api/v1/stores/${id}/tokens`, { name: 'test' })
    stores.push({ id, token, tokenId })
  }
  photos = (await createTestStore(zinc.url, stores[0]!).list('&limit=1000')).photos
  bytes = photos.reduce((sum, { size }) => sum + size, 0)
  expect(photos.length).toBe(PHOTOS)
  expect(bytes / PHOTOS).toBeGreaterThan(40_000)
  await zinc.stop()
  return zinc.end
})

/** Head office in a process of its own, and a store that nobody has pulled. */
async function openHeadOffice(): Promise<{ url: string; store: TestStore }> {
  const { url } = await startServerProcess(environment)
  return { url, store: createTestStore(url, stores.pop()!) }
}
async function peerKeyOf(store: TestStore): Promise<string> {
  const response = await store.fetch(`/?store_id=${store.id}&limit=1&edge_settings=true&peer_key=true`)
  return ((await response.json()) as { data: { edge: EdgeSettings } }).data.edge.sharing?.peer_key ?? ''
}
async function openSlowLine(url: string, bytesPerSecond = BYTES_PER_SECOND): Promise<CountedLine> {
  const slow = await openFaultProxy(url, { delayMs: 25, bytesPerSecond })
  onTestFinished(slow.close)
  return openCountedLine(slow.url)
}

/** Pulls with all of them; each one ends with every photo and no failure. */
async function pullAll(line: CountedLine, clients: EdgeClient[], label: string): Promise<{ seconds: number; copies: number }> {
  const began = performance.now()
  const results: PullResult[] = await Promise.all(clients.map((client) => client.pull()))
  const seconds = (performance.now() - began) / 1_000
  for (const client of clients) await expectMirror(client.dir, photos)
  expect(results.flatMap(({ failed }) => failed)).toEqual([])
  const copies = line.down() / bytes
  console.log(JSON.stringify({ label, photos: PHOTOS, bytes, down: line.down(), up: line.up(), copies, seconds }))
  return { seconds, copies }
}

longTest('ten clients of one store cost the line at most 1.05 × one copy, lists included', async () => {
  const { url, store } = await openHeadOffice()
  const line = await openCountedLine(url)
  const clients = await openEdgeClients(store, line.url, { net: 11, count: CLIENTS })
  expect((await pullAll(line, clients, 'ten')).copies).toBeLessThan(1.05)
})

longTest('ten clients on a slow line take at most 1.15 × the time of one', async () => {
  const { url, store } = await openHeadOffice()
  const alone = await openSlowLine(url)
  const began = performance.now()
  await puller(createTestStore(url, stores.pop()!), alone.url, await edgeFolder())()
  const ofOne = (performance.now() - began) / 1_000
  const line = await openSlowLine(url)
  const clients = await openEdgeClients(store, line.url, { net: 12, count: CLIENTS })
  const { seconds, copies } = await pullAll(line, clients, `slow, one took ${ofOne}`)
  expect(copies).toBeLessThan(1.05)
  expect(seconds).toBeLessThan(1.15 * ofOne)
})

longTest('on a line of 40 kB a second no client takes a working one for stalled', async () => {
  const { url, store } = await openHeadOffice()
  const line = await openSlowLine(url, 40_000)
  const clients = await openEdgeClients(store, line.url, { net: 18, count: CLIENTS })
  expect((await pullAll(line, clients, 'very slow')).copies).toBeLessThan(1.05)
})

for (const { kind, host, net, blob } of [
  { kind: 'lies', host: '127.0.13.99', net: 13, blob: () => Buffer.alloc(40_000, 'x') },
  { kind: 'stalls', host: '127.0.14.99', net: 14, blob: () => null },
])
  longTest(`a peer that ${kind} costs ten clients seconds and not one copy more`, async () => {
    const { url, store } = await openHeadOffice()
    const rogue = await openRogue(await peerKeyOf(store), { host, blob, forgesLists: kind === 'lies' })
    const line = await openCountedLine(url)
    const hosts = Array.from({ length: CLIENTS }, (_, n) => `127.0.${net}.${n + 1}`)
    const clients = await Promise.all(
      hosts.map((own) =>
        openEdgeClient(store, line.url, {
          host: own,
          port: 8020,
          peers: [rogue, ...hosts.filter((one) => one !== own).map((one) => `${one}:8020`)],
        }),
      ),
    )
    const { copies, seconds } = await pullAll(line, clients, kind)
    expect(copies).toBeLessThan(1.1)
    expect(seconds).toBeLessThan(60)
  })

longTest('clients that vanish in the middle and come back cost little more than one copy', async () => {
  const { url, store } = await openHeadOffice()
  const line = await openSlowLine(url)
  const clients = await openEdgeClients(store, line.url, { net: 15, count: CLIENTS })
  const vanishing = clients.filter((_, n) => n % 3 === 0)
  const began = performance.now()
  const staying = Promise.all(clients.filter((client) => !vanishing.includes(client)).map((client) => client.pull()))
  const back = vanishing.map(async (client) => {
    const stop = new AbortController()
    const pulling = client.pull({
      signal: stop.signal,
      onProgress({ done }) {
        if (done < 20 || stop.signal.aborted) return
        stop.abort()
        void client.close()
      },
    })
    await expect(pulling).rejects.toThrow()
    const [host = ''] = client.address.split(':')
    const peers = clients.filter((one) => one !== client).map(({ address }) => address)
    const again = await openEdgeClient(store, line.url, { host, port: 8020, peers, dir: client.dir })
    return again.pull()
  })
  const results = [...(await staying), ...(await Promise.all(back))]
  const seconds = (performance.now() - began) / 1_000
  for (const client of clients) await expectMirror(client.dir, photos)
  expect(results.flatMap(({ failed }) => failed)).toEqual([])
  console.log(JSON.stringify({ label: 'churn', copies: line.down() / bytes, seconds }))
  expect(line.down()).toBeLessThan(1.3 * bytes)
})

longTest('two halves whose network heals in the middle cost no more than two shops that share', async () => {
  const { url, store } = await openHeadOffice()
  const line = await openSlowLine(url)
  const hosts = Array.from({ length: CLIENTS }, (_, n) => `127.0.16.${n + 1}`)
  /** What connects the halves: one way to each client. */
  const ways = await Promise.all(hosts.map((host) => openCountedLine(`http://${host}:8020`)))
  for (const way of ways) way.cut(true)
  const isSameHalf = (a: number, b: number) => a % 2 === b % 2
  const clients = await Promise.all(
    hosts.map((host, n) =>
      openEdgeClient(store, line.url, {
        host,
        port: 8020,
        peers: hosts.flatMap((other, m) => (m === n ? [] : isSameHalf(n, m) ? `${other}:8020` : new URL(ways[m]!.url).host)),
      }),
    ),
  )
  let atHeal = 0
  const healed = waitFor(async () => line.down() > 0.4 * bytes).then(() => {
    atHeal = line.down()
    for (const way of ways) way.cut(false)
  })
  const { copies } = await pullAll(line, clients, 'halves')
  await healed
  console.log(JSON.stringify({ atHeal: atHeal / bytes }))
  // What each half has given to the line by then, here all of it, is fetched by both.
  expect(copies).toBeLessThan(2.1)
})

longTest('with head office away in the middle, ten clients resume when it is back', async () => {
  const { url, store } = await openHeadOffice()
  const line = await openSlowLine(url)
  const clients = await openEdgeClients(store, line.url, { net: 17, count: CLIENTS })
  const away = waitFor(async () => line.down() > 0.4 * bytes).then(async () => {
    line.cut(true)
    await waitFor(() => line.refused() >= CLIENTS)
    line.cut(false)
  })
  const { copies } = await pullAll(line, clients, 'away')
  await away
  expect(copies).toBeLessThan(1.1)
})
