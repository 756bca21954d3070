import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { PhotoListResponse, SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { startShop } from '../helpers/test-shop.ts'

interface RawResponse {
  status: number
  headers: Map<string, string>
  body: Buffer
}

/**
 * Requests on one kept connection, to the byte as `requests` of Python sends them: a body comes in
 * a packet of its own.
 */
async function openSession(url: string, token: string) {
  const { host, port } = new URL(url)
  const socket: Socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.setNoDelay(true)
  let kept = Buffer.alloc(0)
  async function more(): Promise<void> {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    kept = Buffer.concat([kept, chunk])
  }
  async function response(): Promise<RawResponse> {
    while (!kept.includes('\r\n\r\n')) await more()
    const end = kept.indexOf('\r\n\r\n')
    const [first = '', ...lines] = kept.subarray(0, end).toString('latin1').split('\r\n')
    const headers = new Map(lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]))
    const length = Number(headers.get('content-length'))
    while (kept.length < end + 4 + length) await more()
    const body = kept.subarray(end + 4, end + 4 + length)
    kept = kept.subarray(end + 4 + length)
    return { status: Number(first.split(' ')[1]), headers, body }
  }
  const head = (line: string) =>
    `${line} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n`
  return {
    get(path: string): Promise<RawResponse> {
      socket.write(`${head(`GET ${path}`)}Authorization: Bearer ${token}\r\n\r\n`)
      return response()
    },
    post(path: string, json: string): Promise<RawResponse> {
      socket.write(
        `${head(`POST ${path}`)}Content-Length: ${Buffer.byteLength(json)}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
      setImmediate(() => socket.write(json))
      return response()
    },
  }
}

const BASE = '/api/v1/sync/product-photos'

test('an old client pages by limit and offset, compares MD5, reports, and reads changes since', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const session = await openSession(shop.url, store.token)
  const list = async (query: string) => {
    const response = await session.get(`${BASE}/?store_id=${store.id}${query}`)
    expect([response.status, response.headers.get('content-encoding')]).toEqual([200, undefined])
    return (JSON.parse(response.body.toString('utf8')) as PhotoListResponse).data
  }
  const [disconnected] = (await store.list()).photos
  await shop.send('DELETE', `/api/products/${disconnected!.product_id}/images/${disconnected!.id}`)

  // Some count offsets up by what they asked for, others go where they are led.
  const counted = new Map<string, SyncPhoto>()
  let since = ''
  for (let offset = 0, more = true; more; offset += 7) {
    const page = await list(`&limit=7&offset=${offset}`)
    for (const photo of page.photos) counted.set(photo.id, photo)
    since ||= page.server_time
    more = page.has_more
  }
  const led: string[] = []
  for (let offset: number | null = 0; offset !== null; ) {
    const page = await list(`&limit=7&offset=${offset}`)
    led.push(...page.photos.map((photo) => photo.id))
    offset = page.has_more ? page.next_offset : null
  }
  expect(led).toHaveLength(19)
  expect(led.toSorted()).toEqual([...counted.keys()].sort())

  const batch: string[] = []
  for (const photo of counted.values()) {
    const { status, headers, body } = await session.get(`${BASE}/${photo.id}/download/?store_id=${store.id}`)
    const md5 = createHash('md5').update(body).digest('hex')
    expect([status, md5, headers.get('x-checksum'), headers.get('content-encoding')]).toEqual([
      200,
      photo.checksum,
      photo.checksum,
      undefined,
    ])
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="[^"]+"/)
    // As json.dumps writes it, with the time of datetime.now().isoformat(): microseconds and no
    // zone.
    batch.push(`{"photo_id": "${photo.id}", "status": "synced", "synced_at": "${new Date().toISOString().slice(0, -1)}123", "error": null}`)
  }
  batch[0] = batch[0]!
    .replace('synced"', 'failed"')
    .replace('null', '"\\u0627\\u0644\\u0642\\u0631\\u0635 \\u0645\\u0645\\u062a\\u0644\\u0626"')
  const report = await session.post(`${BASE}/status/`, `{"store_id": "${store.id}", "sync_batch": [${batch.join(', ')}]}`)
  expect([report.status, JSON.parse(report.body.toString('utf8'))]).toEqual([
    200,
    { status: 'success', message: 'Sync status updated for 19 photos', data: { updated: 19, unknown: [] } },
  ])
  expect((await shop.send('GET', `/api/v1/sync/stores/${store.id}`)).body.data).toMatchObject({
    photos_synced: 18,
    photos_failed: 1,
    failing: [{ error: 'القرص ممتلئ' }],
  })

  // The time as it came, quoted, and with an offset whose plus nobody quoted.
  const changed = [...counted.values()][3]!
  await shop.send('DELETE', `/api/products/${changed.product_id}/images/${changed.id}`)
  for (const text of [since, encodeURIComponent(since), since.replace('Z', '+00:00'), since.replace('Z', '')]) {
    const { photos } = await list(`&since=${text}&include_deleted=true`)
    expect(photos.find((photo) => photo.id === changed.id)).toMatchObject({ deleted: true })
  }
  expect((await session.get(`${BASE}/${changed.id}/download/?store_id=${store.id}`)).status).toBe(410)
})
