import { createServer } from 'node:http'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { createPeerClient } from '../../src/edge-client/peer-client.ts'
import { isSignedForward, isSignedList } from '../../src/edge-client/signatures.ts'
import { openState } from '../../src/edge-client/state.ts'
import type { EdgeSettings, StoreHistoryDay, StoreStatus, SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { edgeFolder, expectMirror, puller } from '../helpers/edge-folder.ts'
import { type EdgeClient, openCountedLine, openEdgeClient, openEdgeClients } from '../helpers/edge-network.ts'
import { openRogue } from '../helpers/edge-rogue.ts'
import { longTest } from '../helpers/long.ts'
import { openRecordingProxy } from '../helpers/recording-proxy.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let photos: SyncPhoto[]
let bytes: number
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  photos = (await (await addStore()).list()).photos
  bytes = photos.reduce((sum, { size }) => sum + size, 0)
  return opened.end
})

let made = 0
async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return ((await (await zinc.call(path, { method, ...json })).json()) as { data: T }).data
}
async function addStore(): Promise<TestStore> {
  const { id } = await send<{ id: string }>('POST', '/api/v1/stores', { code: `P${++made}`, name: 'Sharing', share: true })
  const { token, id: tokenId } = await send<{ id: string; token: string }>('POST', `/api/v1/stores/${id}/tokens`, { name: 'test' })
  return createTestStore(zinc.url, { id, token, tokenId })
}
const statusOf = ({ id }: TestStore) => send<StoreStatus>('GET', `/api/v1/sync/stores/${id}`)
async function settingsOf(store: TestStore, query: string, token = store.token): Promise<EdgeSettings | undefined> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${zinc.url}/api/v1/sync/product-photos/?store_id=${store.id}&limit=1${query}`, { headers })
  return ((await response.json()) as { data: { edge?: EdgeSettings } }).data.edge
}
const peerKeyOf = async (store: TestStore) => (await settingsOf(store, '&edge_settings=true&peer_key=true'))?.sharing?.peer_key ?? ''

test('each photo crosses the line once for four clients, and head office counts what they spared it', async () => {
  const store = await addStore()
  const line = await openCountedLine(zinc.url)
  const clients = await openEdgeClients(store, line.url, { net: 1, count: 4 })
  const results = await Promise.all(clients.map((client) => client.pull()))
  for (const client of clients) await expectMirror(client.dir, photos)
  expect(results.flatMap(({ failed }) => failed)).toEqual([])
  expect(await statusOf(store)).toMatchObject({
    photos_synced: photos.length,
    photos_served: photos.length,
    bytes_served: bytes,
    photos_from_peers: 3 * photos.length,
    bytes_from_peers: 3 * bytes,
  })
})

test('the peer key comes only to an edge token that asks for it, and changes when a token is revoked', async () => {
  const store = await addStore()
  expect(await settingsOf(store, '')).toBeUndefined()
  expect(await settingsOf(store, '&edge_settings=true')).toEqual({ time_zone: expect.anything(), rate_limit: null, share: true })
  const asPerson = await zinc.call(`/api/v1/sync/product-photos/?store_id=${store.id}&edge_settings=true&peer_key=true`)
  expect(((await asPerson.json()) as { data: { edge: EdgeSettings } }).data.edge.sharing).toBeUndefined()

  const before = await peerKeyOf(store)
  const other = await send<{ id: string; token: string }>('POST', `/api/v1/stores/${store.id}/tokens`, { name: 'till' })
  expect(await peerKeyOf(store)).toBe(before)
  await send('DELETE', `/api/v1/stores/${store.id}/tokens/${other.id}`)
  expect(await peerKeyOf(store)).not.toBe(before)
})

test('who does not prove the key of the store gets nothing, and a recorded request is worth nothing', async () => {
  const store = await addStore()
  const client = await openEdgeClient(store, zinc.url, { host: '127.0.2.1' })
  await client.pull()
  const [photo] = photos as [SyncPhoto]
  const url = `http://${client.address}/zinc-edge/1/blobs/${photo.sha256}`
  const bare = await fetch(url)
  expect([bare.status, await bare.json()]).toEqual([401, { code: 'proof_required' }])

  const way = await openRecordingProxy(`http://${client.address}`)
  onTestFinished(way.close)
  const key = await peerKeyOf(store)
  const ask = (secret: string) => {
    const peer = createPeerClient(new URL(way.url).host, { id: 'me', port: () => 0, key: () => secret })
    return peer.blob(photo.sha256, photo.size, new AbortController().signal)
  }
  await expect(ask('another key')).rejects.toThrow('key')
  way.take()
  const chunks: Uint8Array[] = []
  for await (const chunk of await ask(key)) chunks.push(chunk)
  const [, recorded = ''] = /^authorization: (.*)\r$/im.exec(way.take().asked) ?? []
  expect(Buffer.concat(chunks).length).toBe(photo.size)
  expect(recorded).toMatch(/^Zinc-Edge id="me"/)
  expect((await fetch(url, { headers: { authorization: recorded } })).status).toBe(401)

  client.sharing.takeKeys({ peer_key: 'x'.repeat(43), signing_key: 'x'.repeat(43) })
  await expect(ask(key)).rejects.toThrow('key')
})

test('a peer that lies about the list and about every photo costs nothing but a try', async () => {
  const store = await addStore()
  const rogue = await openRogue(await peerKeyOf(store), {
    host: '127.0.3.1',
    blob: () => Buffer.alloc(photos[0]?.size ?? 0, 'x'),
    forgesLists: true,
  })
  const client = await openEdgeClient(store, zinc.url, { host: '127.0.3.2', peers: [rogue] })
  const began = performance.now()
  expect(await client.pull()).toMatchObject({ fetched: photos.length, from_peers: 0, failed: [] })
  expect(performance.now() - began).toBeLessThan(20_000)
  await expectMirror(client.dir, photos)
})

longTest('with head office away a client completes its folder from a peer, and its list too', async () => {
  const store = await addStore()
  const line = await openCountedLine(zinc.url)
  const [first, second] = (await openEdgeClients(store, line.url, { net: 4, count: 2 })) as [EdgeClient, EdgeClient]
  // The second one gets its key, and loses head office before it has listed anything.
  const stop = new AbortController()
  await second.pull({ signal: stop.signal, onProgress: () => stop.abort() }).catch(() => {})
  await first.pull()
  line.cut(true)
  const away = new AbortController()
  const pulling = second.pull({ signal: away.signal })
  pulling.catch(() => {})
  await expect
    .poll(
      async () =>
        expectMirror(second.dir, photos).then(
          () => true,
          () => false,
        ),
      { timeout: 30_000 },
    )
    .toBe(true)
  away.abort()
  await expect(pulling).rejects.toThrow()
})

test('head office signs a page of the list with what was asked, and nothing else verifies', async () => {
  const store = await addStore()
  const key = (await settingsOf(store, '&edge_settings=true&peer_key=true'))?.sharing?.signing_key ?? ''
  const page = await store.fetch(`/?store_id=${store.id}&limit=1000&edge_settings=true&peer_key=true`)
  const body = await page.text()
  const signature = page.headers.get('x-list-signature') ?? ''
  expect(isSignedList(key, store.id, '', body, signature)).toBe(true)
  expect(isSignedList(key, store.id, 'another cursor', body, signature)).toBe(false)
  expect(isSignedList(key, store.id, '', `${body} `, signature)).toBe(false)
  expect(isSignedForward(key, store.id, zinc.url, signature)).toBe(false)
  const { next_cursor } = (JSON.parse(body) as { data: { next_cursor: string } }).data
  // Without deletions it is no step of a cursor.
  const partial = await store.fetch(`/?store_id=${store.id}&edge_settings=true&cursor=${next_cursor}`)
  expect(partial.headers.get('x-list-signature')).toBeNull()
})

test('a download counts at head office before any report, and the history has it with failures and delay', async () => {
  const store = await addStore()
  const [photo, other] = photos as [SyncPhoto, SyncPhoto]
  await (await store.download(photo.id)).arrayBuffer()
  expect(await statusOf(store)).toMatchObject({ photos_served: 1, bytes_served: photo.size, photos_synced: 0 })
  const report = (sync_batch: object[]) =>
    store.fetch('/status', {
      method: 'POST',
      body: JSON.stringify({ store_id: store.id, sync_batch }),
      headers: { 'content-type': 'application/json' },
    })
  const batch = [
    { photo_id: photo.id, status: 'synced', synced_at: null },
    { photo_id: other.id, status: 'failed', synced_at: null, error: 'disk full' },
  ]
  expect((await report(batch)).status).toBe(200)
  expect((await report(batch.slice(0, 1))).status).toBe(200)
  const [day] = await send<StoreHistoryDay[]>('GET', `/api/v1/sync/stores/${store.id}/history`)
  expect(day).toMatchObject({ photos_served: 1, bytes_served: photo.size, photos_synced: 1, photos_failed: 1 })
  expect(day?.lag_seconds_max).toBeLessThan(60)
})

test('a client follows a forward that head office signed, and no other', async () => {
  const store = await addStore()
  const dir = await edgeFolder()
  await puller(store, zinc.url, dir)()
  /** An old address that adds a forward to what head office says. */
  async function oldAddress(forward: object): Promise<string> {
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const chunk of request) parts.push(chunk)
      const headers = { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' }
      const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
      const from = await fetch(`${zinc.url}${request.url}`, { method: request.method ?? 'GET', headers, ...body })
      const answer = (await from.json()) as { data: { edge?: object } }
      if (answer.data.edge) Object.assign(answer.data.edge, { forward })
      response.writeHead(from.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }
  const addressIn = async (server: string) => (await openState(dir, null, { memoryOnly: true })).addressOf(server)
  const forged = await oldAddress({ server: 'http://evil.example', signature: 'AAAA' })
  await puller(store, forged, dir)()
  expect(await addressIn(forged)).toBe(forged)

  const signature = zinc.services.sharingKeys.signForward(store.id, zinc.url)
  const moved = await oldAddress({ server: zinc.url, signature })
  await puller(store, moved, dir)()
  expect(await addressIn(moved)).toBe(zinc.url)
})
