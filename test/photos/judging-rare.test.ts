import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDecoder, type Decoder } from '../../src/photos/decoder.ts'
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
  const [path, output] = [join(dir, 'picture'), join(dir, 'thumb')]
  await writeFile(path, bytes)
  const variants = [{ name: 'thumb', side: 200, format: 'webp' as const, quality: 78, effort: 2, output }]
  const job = { path, variants, maxPixels: 50_000_000, maxSide: 12_000, acceptDamaged: false }
  return decoder.decode(job, AbortSignal.timeout(60_000)).then(
    async ({ picture, variants: [made] }) => ({ code: null, picture, made, thumb: await readFile(output) }),
    (error: { code: string }) => ({ code: error.code, picture: null, made: undefined, thumb: Buffer.alloc(0) }),
  )
}
const drawn = (width = 300, height = 200) => sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 60 } } })

/** A segment of a JPEG behind its first two bytes. */
function withSegment(jpeg: Buffer, marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)])
}
/** A chunk of a PNG behind its header. */
function withChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([png.subarray(0, 33), length, body, sum, png.subarray(33)])
}

test('rare but honest pictures are taken, and nothing of what they carry along stays in a variant', async () => {
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
    const { code, picture, made, thumb } = await judge(bytes)
    expect([name, code, picture?.width, picture?.height]).toEqual([name, null, size.width, size.height])
    expect([name, made!.width >= 1 && made!.height >= 1, Math.max(made!.width, made!.height) <= 200]).toEqual([name, true, true])
    const facts = await sharp(thumb).metadata()
    expect([name, facts.exif, facts.icc, facts.xmp, thumb.includes('secret')]).toEqual([name, undefined, undefined, undefined, false])
  }
  // Wrong pixels in a whole file are not to be seen by decoding; whatever the answer is, it is one.
  expect([null, 'corrupt', 'truncated']).toContain((await judge(flipped)).code)
})

/** A keyword, and zeros that take a thousandth of their room. */
function floodOfText(): Buffer {
  return Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(times(20, 200) * 1024 * 1024))])
}

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
    const { code } = await judge(bytes)
    expect([name, code, wanted.includes(code!)]).toEqual([name, code, true])
  }
})
