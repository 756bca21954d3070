import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { extract } from 'tar-stream'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { imageForm } from '../helpers/images.ts'
import { longTest, longTestOnLinux } from '../helpers/long.ts'
import { startServerProcess } from '../helpers/server-process.ts'
import { startShop, type TestStore } from '../helpers/test-shop.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const READERS = 40
/**
 * What 16 archives push into the system's socket buffers stays as garbage until the next
 * collection: 76 MB measured. Held in memory, their pictures would be 1.5 GB.
 */
const MAX_GROWTH_BYTES = 100 * 1024 * 1024
const LARGE = { width: 2_900, height: 2_750, channels: 3 } as const

const archiveRequest = (store: { id: string; token: string }, ids: string[]) => {
  const body = JSON.stringify({ store_id: store.id, photo_ids: ids })
  return `POST /api/v1/sync/product-photos/archive/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${store.token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

longTestOnLinux('forty archives that are not read are 4 a token and 16 in all, and cost next to no memory', async () => {
  const shop = await startShop()
  const noise = await sharp(randomBytes(LARGE.width * LARGE.height * LARGE.channels), { raw: LARGE })
    .png({ compressionLevel: 0 })
    .toBuffer()
  const products = await shop.services.db.product.findMany({ where: { image_state: 'stored' }, take: 2 })
  const ids: string[] = []
  for (const product of products) {
    const uploaded = await shop.call(`/api/products/${product.id}/images/upload`, { method: 'POST', body: imageForm([noise]) })
    ids.push(((await uploaded.json()) as { data: { id: string } }).data.id)
  }
  const stores: TestStore[] = []
  for (let n = 0; n < READERS / 4 / 2; n++) stores.push(await shop.addStore())

  const server = await startServerProcess(shop.environment)
  const memory = async (key: RegExp) => Number(key.exec(await readFile(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) * 1024
  const rss = () => memory(/VmRSS:\s+(\d+)/)
  const peakRss = () => memory(/VmHWM:\s+(\d+)/)
  /** Bytes that it has written so far, to sockets and files. */
  const written = async () => /wchar: (\d+)/.exec(await readFile(`/proc/${server.child.pid}/io`, 'utf8'))?.[1]
  async function writesNothingMore(): Promise<void> {
    let last: string | undefined
    let alike = 0
    await waitFor(async () => {
      const now = await written()
      alike = now === last ? alike + 1 : 0
      last = now
      return alike === 10
    })
  }
  const port = Number(new URL(server.url).port)
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  /** Takes the status line and nothing more. */
  const open = (store: { id: string; token: string }, photoIds: string[]) =>
    new Promise<number>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', reject)
      socket.once('readable', () => {
        resolve(Number(String(socket.read(12)).slice(9, 12)))
        // Nobody reads on: the rest stays in the buffers of the two systems.
        socket.pause()
      })
      socket.write(archiveRequest(store, photoIds))
    })

  // Once for what the server loads and keeps.
  expect(await open(stores[0]!, [ids[0]!])).toBe(200)
  for (const socket of sockets) socket.destroy()
  await writesNothingMore()
  // From here on the kernel keeps the most that the process ever held.
  await writeFile(`/proc/${server.child.pid}/clear_refs`, '5')
  const before = await rss()

  const first = []
  for (let n = 0; n < 8; n++) first.push(await open(stores[0]!, [...ids, ...ids]))
  expect(first.sort()).toEqual([200, 200, 200, 200, 503, 503, 503, 503])
  const rest = []
  for (const store of stores.slice(1)) for (let n = 0; n < 8; n++) rest.push(await open(store, [...ids, ...ids]))
  expect(rest.filter((status) => status === 200)).toHaveLength(12)
  expect(rest.filter((status) => status === 503)).toHaveLength(READERS - 8 - 12)
  // The buffers on the way are full: it holds what it will ever hold.
  await writesNothingMore()
  const most = (await peakRss()) - before
  console.info(`16 of ${READERS} archives of two pictures of ${noise.length} bytes: ${(most / 1e6).toFixed(1)} MB more`)
  expect(most).toBeLessThan(MAX_GROWTH_BYTES)

  // The refusal says when to come again, and a slot is free as soon as its reader is gone.
  const busy = await stores[0]!.fetch('/archive/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ store_id: stores[0]!.id, photo_ids: ids }),
  })
  expect(busy.status).toBe(200) // another process: its slots are its own
  await busy.body!.cancel()
  for (const socket of sockets) socket.destroy()
  await waitFor(async () => (await open(stores[1]!, ids)) === 200)
})

let zinc: TestZinc
let store: { id: string }
beforeAll(async () => {
  zinc = await openZinc({ synced: true })
  const made = await zinc.call('/api/v1/stores', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: 'A', name: 'A' }),
  })
  store = ((await made.json()) as { data: { id: string } }).data
  return (zinc as unknown as { end(): Promise<void> }).end
})
const post = (path: string, body: string) =>
  zinc.call(`/api/v1/sync/product-photos${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

async function entriesOf(response: Response): Promise<{ name: string; bytes: Buffer }[]> {
  const entries: { name: string; bytes: Buffer }[] = []
  for await (const entry of Readable.fromWeb(response.body as never).pipe(extract())) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    entries.push({ name: entry.header.name, bytes: Buffer.concat(chunks) })
  }
  return entries
}

longTest('an archive holds large photos whole, each once, in the requested order', async () => {
  const noise = await sharp(randomBytes(900 * 900 * 3), { raw: { width: 900, height: 900, channels: 3 } })
    .png()
    .toBuffer()
  const [product] = await zinc.services.db.product.findMany({ where: { image_state: 'stored' }, take: 1 })
  const uploaded = await zinc.call(`/api/products/${product!.id}/images/upload`, { method: 'POST', body: imageForm([noise]) })
  const large = ((await uploaded.json()) as { data: { id: string } }).data.id
  const listed = (await (await zinc.call(`/api/v1/sync/product-photos/?store_id=${store.id}`)).json()) as {
    data: { photos: { id: string }[] }
  }
  const [small] = listed.data.photos as [{ id: string }]
  const missing = '00000000-0000-4000-8000-000000000000'
  const photo_ids = [small.id, large, missing, large.toUpperCase(), small.id]
  const entries = await entriesOf(await post('/archive/', JSON.stringify({ store_id: store.id, photo_ids })))
  expect(entries.map(({ name }) => name.split('.')[0])).toEqual([small.id, large, 'errors'])
  expect(entries[1]!.bytes.equals(noise)).toBe(true)
  expect(JSON.parse(String(entries[2]!.bytes))).toMatchObject([{ photo_id: missing, code: 'photo_not_found' }])

  const open = await Promise.all(
    Array.from({ length: 6 }, () => post('/archive/', JSON.stringify({ store_id: store.id, photo_ids: [large] }))),
  )
  const refused = open.filter(({ status }) => status === 503)
  for (const response of refused)
    expect([response.headers.get('retry-after'), ((await response.json()) as { code: string }).code]).toEqual(['5', 'overloaded'])
  for (const response of open) if (!response.bodyUsed) await response.arrayBuffer()
  expect((await entriesOf(await post('/archive/', JSON.stringify({ store_id: store.id, photo_ids: [large] })))).length).toBe(1)
})

test('a body of reports beyond 1 MB, or with more than a thousand, is refused before each is looked at', async () => {
  const filler = (bytes: number) => `{"sync_batch":[${'1,'.repeat(bytes / 2)}1]}`
  expect((await post('/status/', filler(1_100_000))).status).toBe(413)
  const many = await post('/status/', filler(900_000))
  expect([many.status, ((await many.json()) as { message: string }).message]).toEqual([400, 'sync_batch has more than 1000 reports'])
})

test('a file name that looks like parameters of the header stays a name, with the ending of its bytes', async () => {
  const [product] = await zinc.services.db.product.findMany({ where: { image_state: 'stored' }, take: 1 })
  const bytes = await sharp({ create: { width: 30, height: 30, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const names: [string, string][] = [
    ["a filename=b; filename*=UTF-8''evil.exe; z=.png", `attachment; filename="a filename=b; filename*=UTF-8''evil.exe; z=.png"`],
    ['filename=x.png', 'attachment; filename="filename=x.png"'],
    ['plain.png', 'attachment; filename="plain.png"'],
    ['50%25.png', `attachment; filename="50%25.png"; filename*=UTF-8''50%2525.png`],
    ['صورة.png', `attachment; filename="????.png"; filename*=UTF-8''%D8%B5%D9%88%D8%B1%D8%A9.png`],
  ]
  for (const [filename, header] of names) {
    const uploaded = await zinc.call(`/api/products/${product!.id}/images/upload`, { method: 'POST', body: imageForm([bytes]) })
    const { id } = ((await uploaded.json()) as { data: { id: string } }).data
    await zinc.services.db.photo.update({ where: { id }, data: { filename } })
    const response = await zinc.call(`/api/v1/sync/product-photos/${id}/download/?store_id=${store.id}`)
    expect(response.headers.get('content-disposition')).toBe(header)
    await zinc.call(`/api/products/${product!.id}/images/${id}`, { method: 'DELETE' })
  }
})
