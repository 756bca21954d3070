import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorkerPool, type WorkerPool } from '../../src/images/processing/worker-pool.ts'
import { longTest, longTestOnLinux } from '../helpers/long.ts'

let dir: string
let workers: WorkerPool
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-judge-'))
  workers = createWorkerPool()
})
afterAll(async () => {
  await workers[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function inspect(bytes: Buffer, by = workers) {
  const [path, output] = [join(dir, 'picture'), join(dir, 'thumb')]
  await writeFile(path, bytes)
  const variants = [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output }]
  const job = { path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged: false }
  return by.decode(job, AbortSignal.timeout(60_000)).then(
    async ({ image, variants: [made] }) => ({ code: null, picture: image, made, thumb: await readFile(output) }),
    (error: { code: string }) => ({ code: error.code, picture: null, made: undefined, thumb: Buffer.alloc(0) }),
  )
}
const drawn = (width = 300, height = 200) => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 60 } } })

/** Segments of a JPEG behind its first two bytes. */
function withSegment(jpeg: Buffer, marker: number, ...datas: Buffer[]): Buffer {
  const segments = datas.flatMap((data) => {
    const head = Buffer.from([0xff, marker, 0, 0])
    head.writeUInt16BE(data.length + 2, 2)
    return [head, data]
  })
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])
}
/** A chunk of a PNG behind its header. */
function withChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([png.subarray(0, 33), length, body, sum, png.subarray(33)])
}

longTest('rare but honest pictures are taken, and nothing of what they carry along stays in a variant', async () => {
  const jpeg = await drawn().jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  const gps = await drawn()
    .withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '33/1 18/1 0/1' } })
    .jpeg()
    .toBuffer()
  const turned = await drawn().withMetadata({ orientation: 8 }).jpeg().toBuffer()
  // The one entry of the orientation holds 8; nine is no orientation.
  const entry = turned.indexOf(Buffer.from([0x12, 0x01, 0x03, 0x00])) // little endian, as libvips writes it
  expect(entry).toBeGreaterThan(0)
  turned[entry + 8] = 9
  const flipped = await sharp({
    create: { width: 300, height: 200, channels: 3, background: '#456', noise: { type: 'gaussian', mean: 120, sigma: 30 } },
  })
    .jpeg()
    .toBuffer()
  for (let n = 0; n < 20; n++) flipped[flipped.length - 2_000 + n]! ^= 0x11
  const cases: [string, Buffer, { width: number; height: number }][] = [
    ['1 × 1', await drawn(1, 1).png().toBuffer(), { width: 1, height: 1 }],
    ['12,000 × 12', await drawn(12_000, 12).png().toBuffer(), { width: 12_000, height: 12 }],
    ['a place in EXIF', gps, { width: 300, height: 200 }],
    ['orientation 9', turned, { width: 300, height: 200 }],
    ['a text that unpacks to a flood', withChunk(png, 'zTXt', floodOfText()), { width: 300, height: 200 }],
    ['a broken colour profile', withSegment(jpeg, 0xe2, Buffer.from('ICC_PROFILE\0\x01\x01 not a profile')), { width: 300, height: 200 }],
    [
      'XMP',
      withSegment(jpeg, 0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${'<secret/>'.repeat(5_000)}`)),
      { width: 300, height: 200 },
    ],
  ]
  for (const [name, bytes, size] of cases) {
    const { code, picture: image, made, thumb } = await inspect(bytes)
    expect([name, code, image?.width, image?.height]).toEqual([name, null, size.width, size.height])
    expect([name, made!.width >= 1 && made!.height >= 1, Math.max(made!.width, made!.height) <= 200]).toEqual([name, true, true])
    const facts = await sharp(thumb).metadata()
    expect([name, facts.exif, facts.icc, facts.xmp, thumb.includes('secret')]).toEqual([name, undefined, undefined, undefined, false])
  }
  // Wrong pixels in a whole file are not to be seen by decoding; whatever the answer is, it is one.
  expect([null, 'corrupt', 'truncated']).toContain((await inspect(flipped)).code)
})

/** A keyword, and zeros that take a thousandth of their room. */
function floodOfText(): Buffer {
  return Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(200 * 1024 * 1024), { level: 1 })])
}

/**
 * Sixteen by twelve pixels of rgb(200, 30, 60), by libjpeg-turbo 2.1.5 (`cjpeg -quality 90` with
 * `-arithmetic`, with `-arithmetic -progressive`) and,
 * from the plain one of these, by libheif 1.15.1 with x265 (`heif-enc -q 30`).
 */
const ARITHMETIC =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBD' +
  'AQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/yQARCAAMABADASIAAhEBAxEB/8wACgAQEAUB' +
  'EBEF/9oADAMBAAIRAxEAPwD/AM4jKr3s2//Z'
const ARITHMETIC_PROGRESSIVE =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBD' +
  'AQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/ygARCAAMABADASIAAhEBAxEB/8wABgAQARD/' +
  '2gAMAwEAAhADEAAAAf8Am5/h0hvA/8wABBAF/9oACAEBAAEFAsD/zAAEEQX/2gAIAQMBAT8BwP/MAAQRBf/aAAgBAgEBPwHA/8wABBAF/9oACAEBAAY/AsD/zAAE' +
  'EAX/2gAIAQEAAT8hwP/aAAwDAQACAAMAAAAQ/v/MAAQRBf/aAAgBAwEBPxDA/8wABBEF/9oACAECAQE/EMD/zAAEEAX/2gAIAQEAAT8QwP/Z'
const HEVC =
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAEGlk' +
  'YXQAAAAAABAADAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHOAAEAAAAAAAAAKgACAAEAAAAAAAAAAQAAAAAAAAAIAAAAOGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEA' +
  'AQAAaHZjMQAAAAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADVaXBycAAAALNpcGNvAAAAc2h2Y0MBA3AAAAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMA' +
  'kAAAAwAAAwAeugJAIQABACdCAQEDcAAAAwCQAAADAAADAB6gIIEFluqumubAgAAAAwCAAAADAIQiAAEABkQBwXPBiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlz' +
  'cGUAAAAAAAAAEAAAAAwAAAAQcGl4aQAAAAADCAgIAAAAGmlwbWEAAAAAAAAAAgABAoECAAICA4QAAAAaaXJlZgAAAAAAAAAOZGltZwACAAEAAQAAADJtZGF0AAAA' +
  'JigBrxkhXkJA712lv/93zP6G1/h9bfKZKKaXBNeImQsDgYCNkZ04'

test('JPEG in every coding is decoded or corrupt; HEIC is recognized by its content', async () => {
  for (const coded of [ARITHMETIC, ARITHMETIC_PROGRESSIVE]) {
    const { code, picture: image, thumb } = await inspect(Buffer.from(coded, 'base64'))
    const { channels } = await sharp(thumb).stats()
    expect([code, image?.width, image?.height]).toEqual([null, 16, 12])
    expect(channels.map((it, n) => Math.abs(it.mean - [200, 30, 60][n]!) < 4)).toEqual([true, true, true])
  }
  // No encoder is at hand for lossless, hierarchical and 12-bit ones; their headers before other
  // data ask for the same readers.
  const jpeg = await drawn().jpeg().toBuffer()
  const sof = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  for (const [marker, bits] of [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xca, 0xcb, 0xcd, 0xce, 0xcf].flatMap((it) =>
    [2, 8, 12, 16].map((bits) => [it, bits] as const),
  )) {
    const other = Buffer.from(jpeg)
    other[sof + 1] = marker
    other[sof + 4] = bits
    const wanted = marker <= 0xc1 && bits === 8 ? null : 'corrupt'
    expect([marker.toString(16), bits, (await inspect(other)).code]).toEqual([marker.toString(16), bits, wanted])
  }

  const heic = Buffer.from(HEVC, 'base64')
  expect((await inspect(heic)).code).toBe('unsupported_format')
  for (const brands of ['avif', 'avifavif', 'mif1avif']) {
    const called = Buffer.from(heic)
    called.write(brands.slice(0, 4), 8)
    called.write(brands.slice(4), 16)
    expect([brands, (await inspect(called)).code]).toEqual([brands, 'unsupported_format'])
  }
})

/** The directory of a multi-picture file (CIPA DC-007) that says where a second picture lies. */
function multiImage(size: number, second: { size: number; offset: number }): Buffer {
  const entry = (tag: number, type: number, count: number, value: number) => [tag >> 8, tag & 255, 0, type, ...u32(count), ...u32(value)]
  const u32 = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
  return Buffer.from([
    ...Buffer.from('MPF\0MM\0*'),
    ...u32(8),
    ...[0, 3, ...entry(0xb000, 7, 4, 0x30313030), ...entry(0xb001, 4, 1, 2), ...entry(0xb002, 7, 32, 50), 0, 0, 0, 0],
    ...[...u32(0x30000), ...u32(size), ...u32(0), 0, 0, 0, 0],
    ...[...u32(0), ...u32(second.size), ...u32(second.offset), 0, 0, 0, 0],
  ])
}

test('a picture that carries another file is the picture alone', async () => {
  const jpeg = await drawn().jpeg().toBuffer()
  const second = await sharp({ create: { width: 900, height: 700, channels: 3, background: '#0f0' } })
    .jpeg()
    .toBuffer()
  const xmp = Buffer.from(
    'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
      '<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>',
  )
  for (const [name, where] of Object.entries({
    honest: { size: second.length, offset: jpeg.length },
    'far beyond its end': { size: 0x7fffffff, offset: 0x7fffffff },
    'itself once more': { size: jpeg.length, offset: 0 },
  })) {
    const gainMap = Buffer.concat([withSegment(withSegment(jpeg, 0xe2, multiImage(jpeg.length, where)), 0xe1, xmp), second])
    const { code, picture: image, thumb } = await inspect(gainMap)
    expect([name, code, image?.width, image?.height, image?.frames]).toEqual([name, null, 300, 200, 1])
    expect([name, (await sharp(thumb).stats()).channels[1]!.mean < 60]).toEqual([name, true])
  }
  const gifar = Buffer.concat([await drawn().gif().toBuffer(), Buffer.from('PK\x03\x04META-INF/MANIFEST.MF')])
  const { code, thumb } = await inspect(gifar)
  expect([code, thumb.includes('META-INF')]).toEqual([null, false])
})

/** The most memory that the one child of a decoder had so far, in MB. */
async function peakOf(known: Set<string>): Promise<number> {
  const pids = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')).trim().split(' ')
  const [own] = pids.filter((pid) => !known.has(pid))
  return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${own}/status`, 'utf8'))![1]) / 1024
}

// Linux tells a process's memory in /proc.
longTestOnLinux('bombs are answered soon and take next to no memory', async () => {
  const known = new Set((await readdir('/proc')).filter((it) => /^\d+$/.test(it)))
  await using one = createWorkerPool({ size: 1 })
  const jpeg = await drawn().jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  for (const warm of [jpeg, png, await drawn().gif().toBuffer(), await drawn().avif().toBuffer()]) await inspect(warm, one)

  const head = Buffer.from([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 1, 0, 0, 0, 0]) // 30,000² of one bit
  const black = deflateSync(Buffer.alloc((30_000 / 8 + 1) * 30_000), { level: 1 })
  const iend = png.subarray(-12)
  const huge = Buffer.concat([withChunk(withChunk(png, 'IDAT', black), 'IHDR', head).subarray(33, -png.length + 33), iend])
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0])
  const gif = (side: number) =>
    Buffer.concat([
      ...[Buffer.from('GIF89a'), Buffer.from([side & 255, side >> 8, side & 255, side >> 8, 0x80, 0, 0, 0, 0, 0, 255, 255, 255])],
      ...[...Array.from({ length: 20_000 }, () => frame), Buffer.from([0x3b])],
    ])
  const profile = Array.from({ length: 160 }, (_, n) =>
    Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.from([n + 1, 160]), Buffer.alloc(65_000, n)]),
  )
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n + 1} "${`&a${n};`.repeat(10)}">`).join('')
  const xmp = (text: string) => Buffer.from(`http://ns.adobe.com/xap/1.0/\0${text}`)
  const flood = floodOfText()
  const wide = Buffer.from(await drawn().avif().toBuffer())
  wide.writeUInt32BE(60_000, wide.indexOf('ispe') + 8)
  wide.writeUInt32BE(60_000, wide.indexOf('ispe') + 12)
  const cases: [name: string, bytes: Buffer, code: string | null, megabytes: number][] = [
    ['PNG of 30,000²', Buffer.concat([png.subarray(0, 8), huge]), 'too_many_pixels', 20],
    ['AVIF that claims 60,000²', wide, 'too_many_pixels', 20],
    ['20,000 frames on 2,000²', gif(2_000), 'too_many_pixels', 20],
    ['20,000 small frames', gif(40), null, 40],
    ['200 MB of text', withChunk(png, 'zTXt', flood), null, 40],
    ['200 MB of profile', withChunk(png, 'iCCP', flood), null, 40],
    ['XMP that laughs', withSegment(jpeg, 0xe1, xmp(`<!DOCTYPE x [<!ENTITY a0 "ha">${laughs}]><x>&a9;</x>`)), null, 20],
    ['10 MB of open tags', withSegment(jpeg, 0xe1, ...Array.from({ length: 160 }, () => xmp('<a>'.repeat(21_000)))), null, 80],
    ['10 MB of profile', withSegment(jpeg, 0xe2, ...profile), null, 120],
  ]
  for (const [name, bytes, wanted, megabytes] of cases) {
    const [before, began] = [await peakOf(known), performance.now()]
    const { code } = await inspect(bytes, one)
    const grown = (await peakOf(known)) - before
    expect([name, code, performance.now() - began < 10_000, grown < megabytes ? 'little' : grown]).toEqual([name, wanted, true, 'little'])
  }
})

test('pictures that name addresses are not followed anywhere', async () => {
  const asked: string[] = []
  const canary = createServer((request, reply) => {
    asked.push(request.url ?? '')
    reply.end()
  })
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/`
  try {
    expect((await fetch(`${at}alive`)).status).toBe(200)
    const svg = (inside: string, before = '') =>
      `${before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">${inside}</svg>`
    const jpeg = await drawn().jpeg().toBuffer()
    const texts = [
      svg(`<image href="${at}a.png" xlink:href="${at}b.png" width="9" height="9"/>`),
      svg(`<use href="${at}c.svg#x"/><use xlink:href="${at}d.svg#x"/><script href="${at}e.js"/>`),
      svg(`<style>@import url(${at}f.css);@font-face{font-family:x;src:url(${at}g.ttf)}text{font-family:x}</style><text>x</text>`),
      svg(`<filter id="f"><feImage href="${at}h.png"/></filter><rect filter="url(#f)" fill="url(${at}i.svg#p)" width="9" height="9"/>`),
      svg(`<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="${at}j.html"/></foreignObject>`),
      svg('&x;', `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "${at}k">]>`),
      svg('', `<?xml version="1.0"?><!DOCTYPE svg SYSTEM "${at}l.dtd">`),
      svg('', `<?xml version="1.0"?><?xml-stylesheet href="${at}m.xsl" type="text/xsl"?>`),
      svg(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="${at}n.xml"/>`),
    ]
    const codes = []
    for (const text of texts) codes.push((await inspect(Buffer.from(text))).code)
    expect(codes).toEqual(texts.map(() => 'unsupported_format'))
    // Behind an honest head and inside what it carries along.
    const xmp = withSegment(jpeg, 0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${texts[5]}`))
    expect((await inspect(xmp)).code).toBe(null)
    expect((await inspect(Buffer.concat([jpeg, Buffer.from(texts[0]!)]))).code).toBe(null)
    expect(asked).toEqual(['/alive'])
  } finally {
    await new Promise((resolve) => canary.close(resolve))
  }
})

test('more ways to be cut, to lie and to be something else', async () => {
  const jpeg = await drawn(800, 600).jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  const webp = await drawn().webp().toBuffer()
  const endless = Buffer.from(png)
  endless.writeUInt32BE(2 ** 31, 16)
  endless.writeUInt32BE(crc32(endless.subarray(12, 29)), 29)
  const huge = Buffer.from(png)
  huge.writeUInt32BE(30_000, 16)
  huge.writeUInt32BE(30_000, 20)
  huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29)
  const entity =
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>'
  const laughs = `<!DOCTYPE svg [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n} "${'&a;'.repeat(10)}">`).join('')}]><svg>&a8;</svg>`
  const cases: [string, Buffer, string[]][] = [
    ['JPEG cut at nine tenths', jpeg.subarray(0, Math.floor(jpeg.length * 0.9)), ['truncated']],
    ['JPEG of 20 bytes', jpeg.subarray(0, 20), ['truncated', 'corrupt']],
    ['PNG cut in half', png.subarray(0, png.length / 2), ['truncated']],
    ['WebP cut in half', webp.subarray(0, webp.length / 2), ['truncated']],
    ['PNG that claims a side of 2³¹', endless, ['corrupt', 'side_too_long', 'too_many_pixels']],
    ['PNG that claims 30,000²', huge, ['too_many_pixels']],
    ['SVG with a file in it', Buffer.from(entity), ['unsupported_format']],
    ['SVG with a billion laughs', Buffer.from(laughs), ['unsupported_format']],
    ['JPEG 2000', Buffer.from([0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a]), ['unsupported_format']],
    [
      'HEIC',
      Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(64)]),
      ['unsupported_format'],
    ],
  ]
  for (const [name, bytes, wanted] of cases) {
    const { code } = await inspect(bytes)
    expect([name, code, wanted.includes(code!)]).toEqual([name, code, true])
  }
})
