import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorkerPool, type WorkerPool } from '../../src/images/processing/worker-pool.ts'
import { seeded } from '../../src/zoho-simulator/seed.ts'
import { bmpOf } from '../helpers/bmp.ts'
import { longTest, times } from '../helpers/long.ts'

// The tests read one path again and again; libvips would remember its first bytes.
sharp.cache(false)

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

async function inspect(bytes: Buffer, { acceptDamaged = false } = {}) {
  const path = join(dir, 'picture')
  await writeFile(path, bytes)
  const variants = [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output: join(dir, 'thumb') }]
  return workers.decode({ path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged }, AbortSignal.timeout(60_000)).then(
    ({ image, variants: made }) => ({ picture: image, made, code: null }),
    (error: { code: string }) => ({ picture: null, made: [], code: error.code }),
  )
}

const drawn = (width = 300, height = 200) => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 60 } } })

/** A PNG header that claims a size, with as little behind it as one likes. */
function pngOf(width: number, height: number, rest: Buffer = deflateSync(Buffer.alloc(10))): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32(body))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, body, crc])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([1, 0, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', rest),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
function crc32(bytes: Buffer): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  }
  return ~crc >>> 0
}

test.each(['jpeg', 'png', 'gif', 'webp', 'avif'] as const)('%s is taken, with a thumbnail no larger than 200', async (format) => {
  const { picture: image, made } = await inspect(await drawn().toFormat(format).toBuffer())
  expect(image).toMatchObject({ width: 300, height: 200, content_type: `image/${format}`, damaged: false })
  expect(made).toMatchObject([{ width: 200, height: 133 }])
})

test('a small picture is never enlarged', async () => {
  expect((await inspect(await drawn(20, 10).png().toBuffer())).made).toMatchObject([{ width: 20, height: 10 }])
})

test('orientation is applied and nothing of EXIF stays in a variant', async () => {
  const turned = await drawn()
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Copyright: 'somebody' } })
    .jpeg()
    .toBuffer()
  const { picture: image, made } = await inspect(turned)
  expect(image).toMatchObject({ width: 200, height: 300 })
  expect(made).toMatchObject([{ width: 133, height: 200 }])
  expect((await sharp(join(dir, 'thumb')).metadata()).exif).toBeUndefined()
})

test('hostile and broken bytes each have their answer', async () => {
  const jpeg = await drawn(800, 600).jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  const webp = await drawn().webp().toBuffer()
  const gif = await drawn().gif().toBuffer()
  const avif = await drawn().avif().toBuffer()
  const frames = await Promise.all(
    ['#f00', '#0f0', '#00f'].map((background) =>
      sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  const moving = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer()
  // A comment segment that holds a whole JPEG, as EXIF does.
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), await drawn(20, 20).jpeg().toBuffer()])
  comment.writeUInt16BE(comment.length - 2, 2)
  const inside = Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)])
  const cases: [string, Buffer, string][] = [
    ['nothing', Buffer.alloc(0), 'not_an_image'],
    ['one byte', Buffer.from([0xff]), 'not_an_image'],
    ['zeros', Buffer.alloc(4096), 'not_an_image'],
    ['HTML', Buffer.from('<html><script>alert(1)</script>'), 'not_an_image'],
    ['JSON', Buffer.from('{"code":57}'), 'not_an_image'],
    ['a program', Buffer.from('MZ\x90\0'), 'not_an_image'],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), 'unsupported_format'],
    ['PDF', Buffer.from('%PDF-1.7'), 'unsupported_format'],
    ['TIFF', await drawn().tiff().toBuffer(), 'unsupported_format'],
    ['JPEG cut in half', jpeg.subarray(0, jpeg.length / 2), 'truncated'],
    ['JPEG without its last bytes', jpeg.subarray(0, jpeg.length - 2), 'truncated'],
    ['PNG without its end', png.subarray(0, png.length - 12), 'truncated'],
    ['GIF cut', gif.subarray(0, gif.length - 20), 'truncated'],
    ['GIF without its later frames', moving.subarray(0, moving.length / 2), 'truncated'],
    ['AVIF cut', avif.subarray(0, avif.length - 20), 'truncated'],
    ['JPEG with a whole thumbnail inside, without its last bytes', inside.subarray(0, inside.length - 2), 'truncated'],
    ['WebP cut', webp.subarray(0, webp.length - 20), 'truncated'],
    ['a PNG that claims 65,535²', pngOf(65_535, 65_535), 'too_many_pixels'],
    ['a PNG that claims 65,535² and is cut', pngOf(65_535, 65_535).subarray(0, -12), 'too_many_pixels'],
    ['a PNG of 12,000²', pngOf(12_000, 12_000), 'too_many_pixels'],
    ['a PNG of 1 × 200,000', pngOf(1, 200_000), 'side_too_long'],
    ['a PNG of nothing', pngOf(0, 0), 'corrupt'],
  ]
  const responses = []
  for (const [name, bytes] of cases) responses.push([name, (await inspect(bytes)).code])
  expect(responses).toEqual(cases.map(([name, , code]) => [name, code]))
})

/** Twenty pictures, of every format and most of the ways in which each is written. */
async function manyKinds(): Promise<Buffer[]> {
  const glass = sharp({ create: { width: 60, height: 40, channels: 4, background: { r: 20, g: 90, b: 200, alpha: 0.4 } } })
  const frames = [await drawn(30, 20).png().toBuffer(), await glass.clone().resize(30, 20).png().toBuffer()]
  const moving = () => sharp(frames, { join: { animated: true } })
  const noisy = sharp({
    create: { width: 90, height: 60, channels: 3, background: '#456', noise: { type: 'gaussian', mean: 120, sigma: 40 } },
  })
  const ways = [
    ...[drawn().jpeg(), drawn().jpeg({ progressive: true }), drawn().greyscale().jpeg(), drawn().toColourspace('cmyk').jpeg()],
    ...[drawn().withMetadata({ orientation: 6 }).jpeg(), noisy.clone().jpeg({ chromaSubsampling: '4:4:4' }), drawn().png()],
    ...[
      drawn().png({ palette: true }),
      drawn().toColourspace('rgb16').png(),
      noisy.clone().png({ progressive: true }),
      glass.clone().png(),
    ],
    ...[drawn().gif(), moving().gif(), noisy.clone().webp(), noisy.clone().webp({ lossless: true }), glass.clone().webp(), moving().webp()],
    ...[noisy.clone().avif({ effort: 0 }), glass.clone().avif({ lossless: true, effort: 0 })],
  ]
  return [bmpOf({ depth: 8, coding: 'rle8' }), bmpOf({ width: 8, height: 4 }), ...(await Promise.all(ways.map((way) => way.toBuffer())))]
}

test('mutated, cut and spliced pictures of every format never bring the decoder down, nor hold it up', async () => {
  const random = seeded(4711)
  const below = (n: number) => Math.floor(random() * n)
  const seeds = await manyKinds()
  expect(seeds).toHaveLength(21)
  const responses = new Map<string | null, number>()
  for (let n = 0; n < times(150, 10_000); n++) {
    let bytes = Buffer.from(seeds[n % seeds.length]!)
    for (let flips = 1 + below(64); flips > 0; flips--) bytes[below(bytes.length)] = below(256)
    const other = seeds[below(seeds.length)]!
    const [from, at] = [below(other.length), below(bytes.length)]
    const part = other.subarray(from, from + below(2_000))
    const way = random()
    if (way < 0.3) bytes = bytes.subarray(0, at)
    // A piece of another picture: within the bytes, in their place, or the tail of the one behind
    // the head of the other.
    else if (way < 0.4) bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
    else if (way < 0.5) bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length)])
    else if (way < 0.6) bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from)])
    const began = performance.now()
    // Checksums would keep most of what is inside from the decoder; damaged pictures of Zoho's come
    // to it all the same.
    const { code } = await inspect(bytes, { acceptDamaged: n % 40 >= 20 })
    responses.set(code, (responses.get(code) ?? 0) + 1)
    expect([n, code === 'decoder_crash', performance.now() - began < 10_000]).toEqual([n, false, true])
  }
  // Most are refused, some can still be seen: else the changes were too great, or too small, to
  // tell anything.
  expect([responses.get(null)! > 10, [...responses.values()].reduce((a, b) => a + b) - responses.get(null)! > 100]).toEqual([true, true])
})

/** The colour in the middle of a picture, 0–255. */
async function middle(bytes: Buffer | string): Promise<number[]> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * info.channels
  return [...data.subarray(at, at + 3)]
}
const near = (a: number[], b: number[], within: number) => a.every((it, n) => Math.abs(it - b[n]!) <= within)

test('wide gamut, CMYK, 16 bits and grey become sRGB that looks the same', async () => {
  const colour = [200, 30, 60]
  const cases: [string, Buffer, number[]][] = [
    ['Display P3', await drawn().withIccProfile('p3').jpeg({ quality: 100 }).toBuffer(), colour],
    ['16 bits', await drawn().toColourspace('rgb16').png().toBuffer(), colour],
    ['a palette', await drawn().png({ palette: true }).toBuffer(), colour],
    ['progressive', await drawn().jpeg({ progressive: true }).toBuffer(), colour],
    ['grey', await drawn().greyscale().png().toBuffer(), [102, 102, 102]],
  ]
  for (const [name, bytes, wanted] of cases) {
    const { made, code } = await inspect(bytes)
    expect([name, code, made.length]).toEqual([name, null, 1])
    const facts = await sharp(join(dir, 'thumb')).metadata()
    expect([name, facts.space, facts.icc, facts.exif]).toEqual([name, 'srgb', undefined, undefined])
    const seen = await middle(join(dir, 'thumb'))
    expect([name, seen, near(seen, wanted, 8)]).toEqual([name, seen, true])
  }
})

/** A JPEG without its colour profile. */
function withoutProfile(jpeg: Buffer): Buffer {
  const at = jpeg.indexOf('ICC_PROFILE\0') - 4
  return at < 0 ? jpeg : withoutProfile(Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + 2 + jpeg.readUInt16BE(at + 2))]))
}
/** CIE76 between two sRGB colours. */
async function distance(a: number[], b: number[]): Promise<number> {
  const raw = { width: 2, height: 1, channels: 3 } as const
  const lab = await sharp(Buffer.from([...a, ...b]), { raw })
    .toColourspace('lab')
    .raw({ depth: 'float' })
    .toBuffer()
  const [la, aa, ba, lb, ab, bb] = new Float32Array(lab.buffer, lab.byteOffset, 6) as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Math.hypot(la - lb, aa - ab, ba - bb)
}

test('CMYK, with its profile or without, looks as another program shows it', async () => {
  // What Pillow's LittleCMS (perceptual) makes of these very files: the inks, then the colour on
  // the screen.
  const cases: [rgb: number[], shown: number[]][] = [
    [
      [200, 30, 60],
      [194, 19, 46],
    ],
    [
      [150, 100, 90],
      [151, 94, 76],
    ],
    [
      [90, 90, 120],
      [80, 82, 113],
    ],
    [
      [230, 220, 60],
      [231, 209, 13],
    ],
  ]
  expect(await distance([0, 0, 0], [255, 255, 255])).toBeCloseTo(100, 0)
  for (const [[r, g, b], shown] of cases) {
    const ink = sharp({ create: { width: 60, height: 40, channels: 3, background: { r: r!, g: g!, b: b! } } }).toColourspace('cmyk')
    const withProfile = await ink.withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer()
    for (const bytes of [withProfile, withoutProfile(withProfile)]) {
      const { code } = await inspect(bytes)
      const facts = await sharp(join(dir, 'thumb')).metadata()
      expect([code, facts.space, facts.icc]).toEqual([null, 'srgb', undefined])
      expect([shown, await distance(await middle(join(dir, 'thumb')), shown)]).toSatisfy(([, away]) => away < 6)
    }
  }
})

test('eight orientations give one thumbnail', async () => {
  const upright = sharp({ create: { width: 90, height: 60, channels: 3, background: '#fff' } }).composite([
    {
      input: await sharp({ create: { width: 30, height: 20, channels: 3, background: '#c00' } })
        .png()
        .toBuffer(),
      left: 0,
      top: 0,
    },
  ])
  const png = await upright.png().toBuffer()
  const turns: ((image: Sharp) => Sharp)[] = [
    (it) => it,
    (it) => it.flop(),
    (it) => it.rotate(180),
    (it) => it.flip(),
    (it) => it.rotate(270).flop(),
    (it) => it.rotate(270),
    (it) => it.rotate(90).flop(),
    (it) => it.rotate(90),
  ]
  for (const [n, turn] of turns.entries()) {
    // Two steps: sharp applies flips before turns within one pipeline.
    const turned = await turn(sharp(png)).png().toBuffer()
    const { picture: image } = await inspect(
      await sharp(turned)
        .withMetadata({ orientation: n + 1 })
        .jpeg({ quality: 100 })
        .toBuffer(),
    )
    const { data, info } = await sharp(join(dir, 'thumb')).raw().toBuffer({ resolveWithObject: true })
    expect([n + 1, image?.width, image?.height, info.width, info.height]).toEqual([n + 1, 90, 60, 90, 60])
    expect([n + 1, near([...data.subarray(0, 3)], [204, 0, 0], 30), near([...data.subarray(-3)], [255, 255, 255], 10)]).toEqual([
      n + 1,
      true,
      true,
    ])
  }
})

test('what moves has a still variant and keeps its original; too many frames are too many pixels', async () => {
  const frames = await Promise.all(
    ['#f00', '#0f0', '#00f'].map((background) =>
      sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  for (const format of ['gif', 'webp'] as const) {
    const { picture: image, made } = await inspect(
      await sharp(frames, { join: { animated: true } })
        .toFormat(format)
        .toBuffer(),
    )
    expect([format, image?.frames, image?.width, image?.height, made]).toMatchObject([format, 3, 60, 40, [{ width: 60, height: 40 }]])
    expect((await sharp(join(dir, 'thumb')).metadata()).pages ?? 1).toBe(1)
    expect(near(await middle(join(dir, 'thumb')), [255, 0, 0], 12)).toBe(true)
  }
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0])
  const canvas = Buffer.from([...Buffer.from('GIF89a'), 0xd0, 0x07, 0xd0, 0x07, 0x80, 0, 0, 0, 0, 0, 255, 255, 255])
  const many = Buffer.concat([canvas, ...Array.from({ length: 20_000 }, () => frame), Buffer.from([0x3b])])
  expect((await inspect(many)).code).toBe('too_many_pixels')
})

test('transparency is white in JPEG, kept in WebP, and AVIF can be made', async () => {
  const glass = await sharp({ create: { width: 50, height: 50, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer()
  const path = join(dir, 'glass')
  await writeFile(path, glass)
  const variants = (['jpeg', 'webp', 'avif'] as const).map((format) => ({
    name: 'thumb',
    side: 20,
    format,
    quality: 80,
    effort: 2,
    output: join(dir, format),
  }))
  await workers.decode({ path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged: false }, AbortSignal.timeout(60_000))
  expect(near(await middle(join(dir, 'jpeg')), [255, 255, 255], 3)).toBe(true)
  expect((await sharp(join(dir, 'webp')).metadata()).hasAlpha).toBe(true)
  expect((await sharp(join(dir, 'avif')).metadata()).compression).toBe('av1')
})

test('polyglots, lies and bombs: the answer is the contract, and nothing foreign reaches a variant', async () => {
  const jpeg = await drawn(800, 600).jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  const avif = await drawn().avif().toBuffer()
  const heic = Buffer.from(avif)
  heic.write('heic', 8, 'latin1')
  heic.write('heic', 16, 'latin1')
  const gifJs = Buffer.from('GIF89a=1;alert(1)//')
  const zipped = Buffer.concat([jpeg, Buffer.from('PK\x03\x04<script>alert(1)</script>'), Buffer.alloc(64 * 1024, 65)])
  const crc = Buffer.from(png)
  crc[29]! ^= 0xff
  const lie = Buffer.from(jpeg)
  const sof = lie.indexOf(Buffer.from([0xff, 0xc0]))
  lie.writeUInt16BE(65_500, sof + 5)
  lie.writeUInt16BE(65_500, sof + 7)
  const cases: [string, Buffer, (string | null)[]][] = [
    ['a PNG called .jpg', png, [null]],
    ['JPEG with a ZIP and a script behind it', zipped, [null]],
    ['a GIF that is JavaScript', gifJs, ['corrupt', 'truncated', 'not_an_image']],
    ['PNG with a wrong checksum', crc, ['corrupt']],
    ['JPEG that lies about its size', lie, ['too_many_pixels']],
    ['AVIF called HEIC', heic, ['unsupported_format', null]],
    ['AVIF cut', avif.subarray(0, avif.length / 2), ['truncated', 'corrupt']],
    [
      'SVG after a declaration and a comment',
      Buffer.from('<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/"/></svg>'),
      ['unsupported_format'],
    ],
    ['SVG with a BOM', Buffer.from('﻿<svg xmlns="http://www.w3.org/2000/svg"/>'), ['unsupported_format']],
    ['SVG after a comment', Buffer.from('<!-- Inkscape -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'), ['unsupported_format']],
    ['svgz', gzipSync('<svg xmlns="http://www.w3.org/2000/svg"/>'), ['unsupported_format']],
    ['a gzip of something else', gzipSync('sku,name'), ['not_an_image']],
    ['HTML with an SVG in it', Buffer.from('<!-- x --><html><svg/></html>'), ['not_an_image']],
    ['PPM', Buffer.from('P6\n1 1\n255\nabc'), ['unsupported_format']],
    ['a text that begins like one', Buffer.from('P6 is our price list'), ['not_an_image']],
    ['Photoshop', Buffer.from('8BPS\0\x01\0\0'), ['unsupported_format']],
    ['PostScript', Buffer.from('%!PS-Adobe-3.0 EPSF-3.0\n'), ['unsupported_format']],
    ['a Word file of 2003', Buffer.from('d0cf11e0a1b11ae10000', 'hex'), ['unsupported_format']],
    [
      'a Word file',
      Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from('[Content_Types].xml')]),
      ['unsupported_format'],
    ],
    ['JPEG XL', Buffer.from([0xff, 0x0a, 0, 0, 0, 0]), ['unsupported_format']],
    ['ICO', Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 24, 0]), ['unsupported_format']],
    ['CSV', Buffer.from('sku,name\n1,a\n'), ['not_an_image']],
    ['ZIP', Buffer.from('PK\x03\x04abcdefgh'), ['not_an_image']],
    ['a BMP that claims 60,000²', lyingBmp(60_000, 60_000), ['too_many_pixels']],
    ['a BMP that is cut', lyingBmp(100, 100), ['truncated']],
  ]
  for (const [name, bytes, wanted] of cases) {
    const { code } = await inspect(bytes)
    expect([name, code, wanted.includes(code)]).toEqual([name, code, true])
    if (code === null) expect((await readFile(join(dir, 'thumb'))).includes('<script')).toBe(false)
  }
})

function lyingBmp(width: number, height: number): Buffer {
  const head = Buffer.alloc(64)
  head.write('BM')
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  return head
}

longTest('a child that grows too large or takes too long is ended, tried twice, and the next picture is served', async () => {
  const small = createWorkerPool({ size: 1, maxRssBytes: 50 * 1024 * 1024 })
  const slow = createWorkerPool({ size: 1, wallClockMs: 20 })
  const path = join(dir, 'large')
  // An interlaced picture stands in memory as a whole, and so large a one longer than a child waits
  // before it looks.
  await writeFile(
    path,
    await sharp({ create: { width: 6_000, height: 6_000, channels: 3, background: '#456' } })
      .png({ compressionLevel: 1, progressive: true })
      .toBuffer(),
  )
  const variants = [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output: join(dir, 'thumb') }]
  const job = { path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged: false }
  for (const limited of [small, slow]) {
    await expect(limited.decode(job, AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: 'decoder_crash' })
    await limited[Symbol.asyncDispose]()
  }
  expect((await inspect(await drawn().png().toBuffer())).code).toBe(null)
})

test('more load than may wait is refused at once', async () => {
  const one = createWorkerPool({ size: 1 })
  const path = join(dir, 'load')
  await writeFile(path, await drawn(2_000, 2_000).png().toBuffer())
  const job = (n: number) => ({
    path,
    variants: [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output: join(dir, `load-${n}`) }],
    maxPixels: 50_000_000,
    maxSide: 12_000,
    acceptDamaged: false,
  })
  const responses = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      one.decode(job(n), AbortSignal.timeout(60_000), { maxWaiting: 4 }).then(
        () => 'made',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  expect([responses.filter((it) => it === 'made').length, responses.filter((it) => it === 'overloaded').length]).toEqual([5, 5])
  await one[Symbol.asyncDispose]()
})

test('a PNG with a wrong checksum is corrupt in its pixels or palette, and taken in a text or time', async () => {
  const png = await drawn(30, 20).png().toBuffer()
  const withChunk = (type: string, data: string, flip: boolean) => {
    const body = Buffer.concat([Buffer.from(type), Buffer.from(data)])
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    crc.writeUInt32BE((crc32(body) ^ (flip ? 1 : 0)) >>> 0)
    return Buffer.concat([png.subarray(0, 33), length, body, crc, png.subarray(33)])
  }
  for (const [type, data] of [
    ['tEXt', 'Comment\0made by a till'],
    ['tIME', '\x07\x6e\x0c\x01\0\0\0'],
    ['vpAg', 'any private one'],
  ] as const) {
    const { picture: image, code } = await inspect(withChunk(type, data, true))
    expect([type, code, image?.damaged]).toEqual([type, null, false])
    const [red] = await sharp(join(dir, 'thumb')).raw().toBuffer()
    expect(Math.abs(red! - 200)).toBeLessThan(6)
  }
  const flipped = Buffer.from(png)
  const pixels = png.indexOf('IDAT') + 6
  flipped[pixels]! ^= 1
  expect((await inspect(flipped)).code).toBe('corrupt')
  const palette = await drawn(30, 20).png({ palette: true }).toBuffer()
  palette[palette.indexOf('PLTE') + 4]! ^= 1
  expect((await inspect(palette)).code).toBe('corrupt')
})
