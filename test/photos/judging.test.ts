import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDecoder, type Decoder } from '../../src/photos/decoder.ts'
import { seeded } from '../../src/simulator/catalogue.ts'
import { times } from '../helpers/long.ts'

let dir: string
let decoder: Decoder
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-judge-'))
  decoder = createDecoder()
})
afterAll(async () => {
  await decoder[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function judge(bytes: Buffer) {
  const path = join(dir, 'picture')
  await writeFile(path, bytes)
  const variants = [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output: join(dir, 'thumb') }]
  return decoder.decode({ path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged: false }, AbortSignal.timeout(60_000)).then(
    ({ picture, variants: made }) => ({ picture, made, code: null }),
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
  const { picture, made } = await judge(await drawn().toFormat(format).toBuffer())
  expect(picture).toMatchObject({ width: 300, height: 200, content_type: `image/${format}`, damaged: false })
  expect(made).toMatchObject([{ width: 200, height: 133 }])
})

test('a small picture is never enlarged', async () => {
  expect((await judge(await drawn(20, 10).png().toBuffer())).made).toMatchObject([{ width: 20, height: 10 }])
})

test('BMP is kept as PNG', async () => {
  const { encode } = await import('bmp-ts')
  const { data } = encode({ data: Buffer.alloc(8 * 4 * 4, 120), width: 8, height: 4, bitPP: 24 } as never)
  expect((await judge(data)).picture).toMatchObject({ ext: 'png', width: 8, height: 4 })
})

test('orientation is applied and nothing of EXIF stays in a variant', async () => {
  const turned = await drawn()
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Copyright: 'somebody' } })
    .jpeg()
    .toBuffer()
  const { picture, made } = await judge(turned)
  expect(picture).toMatchObject({ width: 200, height: 300 })
  expect(made).toMatchObject([{ width: 133, height: 200 }])
  expect((await sharp(join(dir, 'thumb')).metadata()).exif).toBeUndefined()
})

test('hostile and broken bytes each have their answer', async () => {
  const jpeg = await drawn(800, 600).jpeg().toBuffer()
  const png = await drawn().png().toBuffer()
  const webp = await drawn().webp().toBuffer()
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
    ['WebP cut', webp.subarray(0, webp.length - 20), 'truncated'],
    ['a PNG that claims 65,535²', pngOf(65_535, 65_535), 'too_many_pixels'],
    ['a PNG of 12,000²', pngOf(12_000, 12_000), 'too_many_pixels'],
    ['a PNG of 1 × 200,000', pngOf(1, 200_000), 'side_too_long'],
    ['a PNG of nothing', pngOf(0, 0), 'corrupt'],
  ]
  const answers = []
  for (const [name, bytes] of cases) answers.push([name, (await judge(bytes)).code])
  expect(answers).toEqual(cases.map(([name, , code]) => [name, code]))
})

test('mutated pictures never bring the decoder down', async () => {
  const random = seeded(4711)
  const seeds = [
    await drawn().jpeg().toBuffer(),
    await drawn().png().toBuffer(),
    await drawn().webp().toBuffer(),
    await drawn().gif().toBuffer(),
  ]
  for (let n = 0; n < times(200, 10_000); n++) {
    const bytes = Buffer.from(seeds[n % seeds.length]!)
    for (let flips = 1 + Math.floor(random() * 64); flips > 0; flips--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    const { code } = await judge(random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes)
    expect([n, code]).not.toEqual([n, 'decoder_crash'])
  }
})
