import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readRange } from '../../src/http/conditional-requests.ts'
import { imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { login, startZinc } from '../helpers/zinc.ts'

interface Shown {
  data: { zoho_item_id: string; image_url: string; image_path: string; images: { sha256: string; checksum: string; size: number }[] }[]
}

test('a picture is served as it came, as variants, conditionally and in parts', async () => {
  const { call, zoho } = await startZinc({ synced: true })
  const { data } = (await (await call('/api/products?has_image=true&limit=1')).json()) as Shown
  const product = data[0]!
  const original = await zoho.imageBytes(product.zoho_item_id)
  const path = `/api/data/images/item/${product.zoho_item_id}.jpg`
  expect(product.image_path).toBe(`images/item/${product.zoho_item_id}.jpg`)

  const whole = await call(path)
  expect(Buffer.from(await whole.arrayBuffer()).equals(original)).toBe(true)
  expect(whole.headers.get('content-type')).toBe('image/jpeg')
  expect(whole.headers.get('x-content-type-options')).toBe('nosniff')
  expect(product.images[0]).toMatchObject({
    size: original.length,
    sha256: createHash('sha256').update(original).digest('hex'),
    checksum: createHash('md5').update(original).digest('hex'),
  })

  const etag = whole.headers.get('etag')!
  expect((await call(path, { headers: { 'if-none-match': `"other", W/${etag}` } })).status).toBe(304)
  const part = await call(path, { headers: { range: 'bytes=10-19', 'if-range': etag } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${original.length}`])
  expect(Buffer.from(await part.arrayBuffer()).equals(original.subarray(10, 20))).toBe(true)
  expect((await call(path, { headers: { range: `bytes=${original.length}-` } })).status).toBe(416)
  expect((await call(path, { method: 'HEAD' })).headers.get('content-length')).toBe(String(original.length))

  for (const [variant, side] of [
    ['thumb', 200],
    ['medium', 600],
  ] as const) {
    for (const [accept, format] of [
      ['image/webp,*/*', 'webp'],
      ['image/jpeg', 'jpeg'],
    ] as const) {
      const response = await call(`${path}?variant=${variant}`, { headers: { accept } })
      const facts = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
      expect([facts.format, Math.max(facts.width, facts.height), response.headers.get('content-type')]).toEqual([
        format,
        side,
        `image/${format}`,
      ])
    }
  }
  expect((await call(path.replace('.jpg', '.png'))).status).toBe(404)
})

test('image_url opens without a token until altered, expired or replaced; no failure is cached', async () => {
  const { call, sync, zoho, services } = await startZinc({ synced: true })
  const { data } = (await (await call('/api/products?has_image=true&limit=1')).json()) as Shown
  const { image_url, zoho_item_id, images } = data[0]!
  const file = services.store.localPath('originals', images[0]!.sha256)!
  await rename(file, `${file}.away`)
  for (const method of ['GET', 'HEAD']) {
    const lost = await fetch(image_url, { method })
    expect([lost.status, lost.headers.get('cache-control'), lost.headers.get('etag')]).toEqual([404, 'no-store', null])
  }
  await rename(`${file}.away`, file)
  const opened = await fetch(image_url)
  expect(opened.status).toBe(200)
  expect(opened.headers.get('cache-control')).toMatch(/^private, max-age=\d+, immutable$/)
  expect((await fetch(`${image_url}&variant=thumb`)).status).toBe(200)
  expect((await fetch(image_url.replace(/sig=(.)/, (_, first) => `sig=${first === '-' ? '_' : '-'}`))).status).toBe(403)
  expect((await fetch(image_url.replace(/exp=\d+/, 'exp=1700000000'))).status).toBe(403)
  for (const altered of [image_url.replace(/exp=\d+/, 'exp=x'), image_url.replace(/&exp=\d+/, ''), image_url.replace(/v=\w+/, 'v=X')])
    expect((await fetch(altered)).status).toBe(403)
  expect((await fetch(image_url.replace(/&sig=.*/, ''))).status).toBe(401)

  zoho.edit(zoho_item_id, { image_document_id: '999000000000000077', image_seed: 5_555 })
  await sync('?sync_images=true')
  const old = await fetch(image_url)
  expect([old.status, ((await old.json()) as { code: string }).code]).toEqual([410, 'image_replaced'])
})

test.each([
  ['bytes=0-0', { kind: 'part', start: 0, end: 0 }],
  ['bytes=-1', { kind: 'part', start: 99, end: 99 }],
  ['bytes=-500', { kind: 'part', start: 0, end: 99 }],
  ['bytes=50-', { kind: 'part', start: 50, end: 99 }],
  ['bytes=0-99999999', { kind: 'part', start: 0, end: 99 }],
  ['bytes=100-', { kind: 'unsatisfiable' }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=9-1', { kind: 'whole' }],
  ['bytes=0-1,5-6', { kind: 'whole' }],
  ['items=0-1', { kind: 'whole' }],
  ['bytes=a-b', { kind: 'whole' }],
  [undefined, { kind: 'whole' }],
])('Range %s of 100 bytes', (range, response) => {
  expect(readRange(range, undefined, { size: 100, etag: '"x"' })).toEqual(response)
  expect(readRange(range, 'W/"x"', { size: 100, etag: '"x"' })).toEqual({ kind: 'whole' })
})

longTest('HTML in a search and in a name comes back as JSON text, and pages follow each other without gaps', async () => {
  const { call, sync } = await startZinc()
  await sync()
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = (await (await call(`/api/products?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)).json()) as {
      data: { id: string }[]
      next_cursor: string | null
    }
    seen.push(...page.data.map((product) => product.id))
    cursor = page.next_cursor
  }
  expect(seen.length).toBe(30)
  expect(new Set(seen).size).toBe(30)
  expect((await call(`/api/products?search=${encodeURIComponent('شاحن')}`)).status).toBe(200)
})

test('WebP and AVIF go to readers that name them, JPEG or PNG (transparency) to all others', async () => {
  const { call, services, sync, url } = await startZinc()
  await sync()
  const authorization = `Bearer ${await login(url)}`
  const [a, b, c] = await services.db.product.findMany({ where: { photos: { none: {} } }, take: 3 })
  const ground = { width: 60, height: 40, channels: 4 as const }
  const glass = await sharp({ create: { ...ground, background: { r: 200, g: 0, b: 0, alpha: 0.5 } } })
    .png()
    .toBuffer()
  // A channel for transparency of which nothing is used.
  const opaque = await sharp({ create: { ...ground, background: { r: 0, g: 200, b: 0, alpha: 1 } } })
    .png()
    .toBuffer()
  const clearGif = await sharp({ create: { ...ground, background: { r: 0, g: 0, b: 200, alpha: 0 } } })
    .gif()
    .toBuffer()
  for (const [product, bytes] of [
    [a, glass],
    [b, opaque],
    [c, clearGif],
  ] as const)
    expect((await call(`/api/products/${product!.id}/images/upload`, { method: 'POST', body: imageForm([bytes]) })).status).toBe(201)
  /** With exactly this Accept, or none, which fetch cannot send. */
  const get = async (product: { id: string } | undefined, ext: string, accept: string | null, variant = 'thumb') => {
    const path = `${url}/api/data/images/item/${product!.id}.${ext}?variant=${variant}`
    const reply = await new Promise<IncomingMessage>((resolve, reject) =>
      request(path, { headers: { authorization, ...(accept !== null && { accept }) } }, resolve)
        .on('error', reject)
        .end(),
    )
    const bytes = await buffer(reply)
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
    const { format } = await sharp(bytes).metadata()
    const { 'content-type': type, vary, etag } = reply.headers
    return { type, vary, etag: String(etag), format, alpha: info.channels === 4 ? data[3] : null }
  }
  const SAFARI = 'image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5'
  const cases: [string | null, string, string][] = [
    ['*/*', 'image/png', 'image/jpeg'],
    [null, 'image/png', 'image/jpeg'],
    ['image/*', 'image/png', 'image/jpeg'],
    [SAFARI, 'image/png', 'image/jpeg'],
    ['image/jpeg', 'image/jpeg', 'image/jpeg'],
    ['*/*,image/png;q=0', 'image/jpeg', 'image/jpeg'],
    ['image/webp,*/*', 'image/webp', 'image/webp'],
    ['image/webp;q=0,*/*', 'image/png', 'image/jpeg'],
    ['text/html', 'image/jpeg', 'image/jpeg'],
  ]
  const etags = new Map<string, string>()
  for (const [accept, ofGlass, ofOpaque] of cases) {
    const [first, second, third] = [await get(a, 'png', accept), await get(b, 'png', accept), await get(c, 'gif', accept)]
    expect([accept, first.type, second.type, third.type]).toEqual([accept, ofGlass, ofOpaque, ofGlass])
    expect([first.vary, first.format]).toEqual(['Accept, Authorization', ofGlass.slice(6)])
    expect(etags.get(ofGlass) ?? first.etag).toBe(first.etag)
    etags.set(ofGlass, first.etag)
    if (ofGlass === 'image/png') expect(first.alpha).toBe(128)
  }
  expect(new Set(etags.values()).size).toBe(3)
  // The original is what it is, whatever is asked for.
  expect((await get(a, 'png', 'image/webp', 'original')).type).toBe('image/png')
})
