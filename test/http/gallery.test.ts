import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, openZinc, type TestZinc } from '../helpers/zinc.ts'

interface Image {
  id: string
  image_url: string
  filename: string
  sha256: string
  is_primary: boolean
  sort_order: number
  version: number
  alt_en: string | null
  alt_ar: string | null
  deleted_at: string | null
}
interface Answer {
  code?: string
  message?: string
  data: Image
  images: Image[]
}

let zinc: TestZinc
let products: { id: string; zoho_item_id: string; sku: string }[] = []
let next = 0
const fresh = () => products[next++]!

beforeAll(async () => {
  // More at once than the usual connections of a test's server.
  const held = await openZinc({ environment: { DATABASE_MAX_CONNECTIONS: '12' } })
  zinc = held
  await zinc.sync()
  products = ((await (await zinc.call('/api/products?limit=500')).json()) as { data: typeof products }).data
  return held.end
})

const upload = async (productId: string, form: FormData) => {
  const reply = await zinc.call(`/api/products/${productId}/images/upload`, { method: 'POST', body: form })
  return { status: reply.status, body: (await reply.json()) as Answer }
}
const json = (method: string, body?: unknown): RequestInit => ({
  method,
  ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
})
const gallery = async (productId: string, query = '') =>
  ((await (await zinc.call(`/api/products/${productId}/images${query}`)).json()) as { data: Image[] }).data
/** Both ends of each connection are in this process. */
const openSockets = () => process.getActiveResourcesInfo().filter((it) => it === 'TCPSocketWrap').length
const inView = async (name: string) => (await readdir(join(zinc.dataDir, 'images', 'item'))).filter((file) => file.startsWith(name))

test('an upload becomes the primary picture, is served to the byte, and stands in the view', async () => {
  const product = fresh()
  const png = await drawnImage('png')
  const { status, body } = await upload(product.id, imageForm([png], { alt_en: 'A phone', alt_ar: 'هاتف' }, '../..\\C:\\‮gpj.exe'))
  expect(status).toBe(201)
  expect(body.data).toMatchObject({ is_primary: true, version: 1, alt_en: 'A phone', alt_ar: 'هاتف', filename: 'gpj.exe' })
  expect(body.data.sha256).toBe(createHash('sha256').update(png).digest('hex'))
  const shown = (await (await zinc.call(`/api/products/${product.id}`)).json()) as { data: { image_url: string; image_path: string } }
  expect(shown.data.image_path).toBe(`images/item/${product.zoho_item_id}.png`)
  expect(Buffer.from(await (await fetch(shown.data.image_url)).arrayBuffer()).equals(png)).toBe(true)
  const linked = join(zinc.dataDir, shown.data.image_path)
  expect((await readFile(linked)).equals(png)).toBe(true)
  expect((await stat(linked)).mode & 0o777).toBe(0o444)
})

test('several files are all taken or none, and further pictures have an address of their own', async () => {
  const product = fresh()
  const [a, b] = [await drawnImage('jpeg'), await drawnImage('webp')]
  const refused = await upload(product.id, imageForm([a, Buffer.from('<html>')]))
  expect([refused.status, refused.body.code]).toEqual([422, 'not_an_image'])
  expect(await gallery(product.id)).toEqual([])
  const { status, body } = await upload(product.id, imageForm([a, b]))
  expect([status, body.images.length, body.data.id]).toEqual([201, 2, body.images[0]?.id])
  expect(body.images.map((it) => it.is_primary)).toEqual([true, false])
  for (const [n, bytes] of [a, b].entries())
    expect(Buffer.from(await (await fetch(body.images[n]!.image_url)).arrayBuffer()).equals(bytes)).toBe(true)
})

test('primary, order, words, delete and restore; exactly one primary and no new version all the way', async () => {
  const product = fresh()
  const { body } = await upload(product.id, imageForm([await drawnImage(), await drawnImage(), await drawnImage('jpeg')]))
  const [first, second, third] = body.images as [Image, Image, Image]
  const at = (id: string) => `/api/products/zoho:${product.zoho_item_id}/images/${id}`

  const patched = (await (await zinc.call(at(third.id), json('PATCH', { is_primary: true, alt_ar: 'جديد' }))).json()) as Answer
  expect(patched.data).toMatchObject({ is_primary: true, alt_ar: 'جديد', version: 1 })
  expect(await inView(product.zoho_item_id)).toEqual([`${product.zoho_item_id}.jpg`])

  const order = [second.id, third.id, first.id]
  const ordered = (await (await zinc.call(`/api/products/${product.id}/images/order`, json('PUT', order))).json()) as { data: Image[] }
  expect(ordered.data.map((it) => it.id)).toEqual(order)
  expect((await gallery(product.id)).map((it) => [it.id, it.is_primary])).toEqual(order.map((id) => [id, id === third.id]))
  for (const wrong of [[second.id, second.id], [products[29]!.id], 'x', []])
    expect((await zinc.call(`/api/products/${product.id}/images/order`, json('PUT', wrong))).status).toBe(400)

  const disconnected = (await (await zinc.call(at(third.id), json('DELETE'))).json()) as {
    data: { restore_until: string; deleted_at: string }
  }
  expect(new Date(disconnected.data.restore_until).getTime() - new Date(disconnected.data.deleted_at).getTime()).toBe(7 * 86_400_000)
  expect((await gallery(product.id)).map((it) => [it.id, it.is_primary])).toEqual([
    [second.id, true],
    [first.id, false],
  ])
  expect(await inView(product.zoho_item_id)).toEqual([`${product.zoho_item_id}.png`])
  expect((await gallery(product.id, '?include_deleted=true')).map((it) => it.deleted_at !== null)).toContain(true)
  expect((await fetch(third.image_url)).status).not.toBe(200)
  expect((await zinc.call(at(third.id), json('DELETE'))).status).toBe(404)

  const back = (await (await zinc.call(`${at(third.id)}/restore`, json('POST'))).json()) as Answer
  expect(back.data).toMatchObject({ id: third.id, is_primary: false, version: 1, alt_ar: 'جديد' })
  expect((await zinc.call(`${at(third.id)}/restore`, json('POST'))).status).toBe(409)
  for (const { id } of await gallery(product.id)) await zinc.call(at(id), json('DELETE'))
  expect(await inView(product.zoho_item_id)).toEqual([])
  expect(((await (await zinc.call(`/api/products/${product.id}`)).json()) as { data: object }).data).toMatchObject({
    has_image: false,
    image_url: null,
  })
  await zinc.call(`${at(first.id)}/restore`, json('POST'))
  expect((await gallery(product.id)).map((it) => [it.id, it.is_primary])).toEqual([[first.id, true]])
})

longTest('parallel edits of one product leave exactly one primary picture, also in the view', async () => {
  const product = fresh()
  const { body } = await upload(product.id, imageForm([await drawnImage(), await drawnImage(), await drawnImage()]))
  const ids = body.images.map((it) => it.id)
  const work: (() => Promise<number>)[] = []
  for (let n = 0; n < times(60, 200); n++) {
    const image = await drawnImage(n % 2 ? 'png' : 'webp')
    work.push(
      n % 2
        ? async () => (await upload(product.id, imageForm([image], n % 4 === 1 ? { is_primary: 'true' } : {}))).status
        : async () => (await zinc.call(`/api/products/${product.id}/images/${ids[n % 3]}`, json('PATCH', { is_primary: true }))).status,
    )
  }
  // Eight at a time: on a slow machine more would wait so long for a connection that they are
  // refused.
  const atOnce = pLimit(8)
  const statuses = await Promise.all(work.map((it) => atOnce(it)))
  expect(new Set(statuses)).toEqual(new Set([200, 201]))
  const images = await gallery(product.id)
  expect([images.length, images.filter((it) => it.is_primary).length]).toEqual([3 + times(30, 100), 1])
  const primary = images.find((it) => it.is_primary)!
  const [file] = await inView(product.zoho_item_id)
  expect(
    createHash('sha256')
      .update(await readFile(join(zinc.dataDir, 'images', 'item', file!)))
      .digest('hex'),
  ).toBe(primary.sha256)
})

test('one picture on many products is stored once', async () => {
  const image = await drawnImage('jpeg')
  const sha256 = createHash('sha256').update(image).digest('hex')
  const at = products.slice(10, 20)
  await Promise.all(at.map((product) => upload(product.id, imageForm([image]))))
  const { db } = zinc.services
  const where = { sha256, product_id: { in: at.map(({ id }) => id) } }
  expect([await db.photo.count({ where }), await db.blob.count({ where: { sha256 } })]).toEqual([10, 1])
  const files = await readdir(join(zinc.dataDir, 'images', 'originals', sha256.slice(0, 2)))
  expect(files.filter((name) => name === sha256)).toHaveLength(1)
})

longTest('forms that are wrong, too large or broken get their 4xx and leave nothing behind', async () => {
  const product = fresh()
  const path = `/api/products/${product.id}/images/upload`
  const image = await drawnImage()
  const many = new FormData()
  for (let n = 0; n < 11; n++) many.append('file', new Blob([new Uint8Array(image)]), `${n}.png`)
  const fields = new FormData()
  for (let n = 0; n < 1_500; n++) fields.append('alt_en', 'x')
  const raw = (body: string, type = 'multipart/form-data; boundary=b'): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  const part = (name: string, text: string) => `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\n\r\n${text}`
  const cases: [string, RequestInit, number, string?][] = [
    ['no file', { method: 'POST', body: imageForm([], { alt_en: 'x' }) }, 400, 'bad_request'],
    ['eleven files', { method: 'POST', body: many }, 413],
    ['1,500 fields', { method: 'POST', body: fields }, 413],
    ['JSON', json('POST', { file: 'x' }), 415],
    ['text', raw('hello', 'text/plain'), 415],
    ['no boundary', raw('hello', 'multipart/form-data'), 400],
    ['no end', raw(part('file', 'abc')), 400],
    ['another name', raw(`${part('picture', 'abc')}\r\n--b--\r\n`), 400],
    ['__proto__', raw(`${part('__proto__', 'abc')}\r\n--b--\r\n`), 400],
    ['HTML that says it is JPEG', { method: 'POST', body: imageForm([Buffer.from('<html>')], {}, 'a.jpg') }, 422, 'not_an_image'],
    ['SVG', { method: 'POST', body: imageForm([Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')]) }, 415, 'unsupported_format'],
    ['cut', { method: 'POST', body: imageForm([(await drawnImage('jpeg')).subarray(0, -40)]) }, 422, 'truncated'],
    ['too large', { method: 'POST', body: imageForm([Buffer.alloc(25 * 1024 * 1024 + 1)]) }, 413, 'image_too_large'],
    ['too large together', { method: 'POST', body: imageForm(Array.from({ length: 5 }, () => Buffer.alloc(21 * 1024 * 1024))) }, 413],
    ['a wrong flag', { method: 'POST', body: imageForm([image], { is_primary: 'perhaps' }) }, 400, 'bad_request'],
    ['gzip', { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: imageForm([image]) }, 415],
  ]
  const responses = []
  for (const [name, init, , code] of cases) {
    const reply = await zinc.call(path, init)
    const body = (await reply.json()) as Answer
    responses.push([name, reply.status, code === undefined ? undefined : body.code])
  }
  expect(responses).toEqual(cases.map(([name, , status, code]) => [name, status, code]))
  expect(await gallery(product.id)).toEqual([])
  expect(await readdir(join(zinc.dataDir, 'images', 'tmp'))).toEqual([])
  expect((await zinc.call(`/api/products/${products[29]!.id}/images/not-a-uuid`, json('DELETE'))).status).toBe(404)
})

test('an upload that breaks off leaves no file and no row', async () => {
  const product = fresh()
  const before = await zinc.services.db.blob.count()
  for (let n = 0; n < times(10, 200); n++) {
    const stop = new AbortController()
    const bytes = await sharp({
      create: { width: 400, height: 400, channels: 3, background: '#123', noise: { type: 'gaussian', mean: 100, sigma: 40 } },
    })
      .png()
      .toBuffer()
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent === 0) controller.enqueue(Buffer.from(`--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n`))
        const share = [0.1, 0.5, 0.99][n % 3]!
        if (sent >= bytes.length * share) return stop.abort()
        controller.enqueue(bytes.subarray(sent, sent + 16_384))
        sent += 16_384
      },
    })
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const init = { method: 'POST', headers, body, signal: stop.signal, duplex: 'half' } as RequestInit
    await zinc.call(`/api/products/${product.id}/images/upload`, init).catch(() => {})
  }
  await expect.poll(() => readdir(join(zinc.dataDir, 'images', 'tmp')), { timeout: 10_000 }).toEqual([])
  expect([await gallery(product.id), await zinc.services.db.blob.count()]).toEqual([[], before])
})

test('senders that hang up while their product is still looked up take no place from others', async () => {
  const product = fresh()
  const { hostname, port } = new URL(zinc.url)
  const head = [
    `POST /api/products/${product.id}/images/upload HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${await login(zinc.url)}`,
    'Content-Type: multipart/form-data; boundary=b',
    'Content-Length: 100000',
  ]
  const { db } = zinc.services
  await db.$transaction(async (tx) => {
    // Whoever wants to know of a product waits here, until the senders are gone.
    await tx.$executeRaw`lock table product in access exclusive mode`
    const waiting = async () =>
      (await tx.$queryRaw<unknown[]>`select 1 from pg_locks where not granted and relation = 'product'::regclass`).length
    const sockets = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const socket = connect(Number(port), hostname)
        await once(socket, 'connect')
        socket.write(`${head.join('\r\n')}\r\n\r\n`)
        return socket
      }),
    )
    await waitFor(async () => (await waiting()) === sockets.length)
    const before = openSockets()
    for (const socket of sockets) socket.destroy()
    await waitFor(() => openSockets() <= before - 2 * sockets.length)
  })
  const began = performance.now()
  expect((await upload(product.id, imageForm([await drawnImage()]))).status).toBe(201)
  expect(performance.now() - began).toBeLessThan(30_000)
})

test("Zoho's picture joins a product with an upload, and its replacement leaves the upload alone", async () => {
  const product = products.find(
    (it, n) => n >= 20 && zinc.zoho.items().some((item) => item.item_id === it.zoho_item_id && item.image_document_id !== ''),
  )!
  const { status, body } = await upload(product.id, imageForm([await drawnImage()]))
  expect([status, body.code]).toEqual([201, undefined])
  await zinc.sync('?sync_images=true')
  expect((await gallery(product.id)).map((it) => [it.id === body.data.id, it.is_primary])).toEqual([
    [true, true],
    [false, false],
  ])
  const compared = (await (await zinc.call(`/api/products/${product.id}/images/compare`)).json()) as {
    data: { ours: Image; zoho: { image: Image; state: string }; same_bytes: boolean }
  }
  expect(compared.data).toMatchObject({
    ours: { id: body.data.id },
    zoho: { state: 'stored', image: { is_primary: false } },
    same_bytes: false,
  })
})
