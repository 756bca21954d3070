import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BmpError, decodeBmp, isBmp } from '../../src/images/processing/bmp.ts'
import { createWorkerPool, type WorkerPool } from '../../src/images/processing/worker-pool.ts'
import { BLUE, type BmpForm, banded, bmpOf, type Color, GREEN, RED } from '../helpers/bmp.ts'

sharp.cache(false)
let dir: string
let workers: WorkerPool
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zinc-bmp-'))
  workers = createWorkerPool({ size: 1 })
})
afterAll(async () => {
  await workers[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

/**
 * The pixels of the PNG and of the JPEG that zinc makes of a BMP, or the code that it is refused
 * with.
 */
async function read(bytes: Buffer) {
  const [path, convertedTo, output] = ['bmp', 'png', 'jpeg'].map((name) => join(dir, name)) as [string, string, string]
  await writeFile(path, bytes)
  const variants = [{ name: 'medium', side: 600, format: 'jpeg' as const, quality: 95, effort: 0, output }]
  const job = { path, convertedTo, variants, maxPixels: 1_000_000, maxSide: 12_000, acceptDamaged: false }
  try {
    await workers.decode(job, AbortSignal.timeout(60_000))
  } catch (error) {
    return (error as { code: string }).code
  }
  const { data, info } = await sharp(convertedTo).raw().toBuffer({ resolveWithObject: true })
  const jpeg = await sharp(output).raw().toBuffer({ resolveWithObject: true })
  const at = (pixels: Buffer, { width, channels }: { width: number; channels: number }, x: number, y: number) => [
    ...pixels.subarray((y * width + x) * channels, (y * width + x + 1) * channels),
  ]
  return {
    width: info.width,
    height: info.height,
    at: (x: number, y: number) => at(data, info, x, y),
    jpeg: (x: number, y: number) => at(jpeg.data, jpeg.info, x, y),
  }
}

const every = (width: number, height: number) =>
  Array.from({ length: width * height }, (_, n) => [n % width, Math.floor(n / width)] as const)

const two = (x: number): Color => (x < 6 ? RED : BLUE)
const V5_ALPHA: BmpForm['masks'] = [0xff0000, 0xff00, 0xff, 0xff000000]
const forms: [string, BmpForm][] = [
  ['24 bits', {}],
  ['24 bits from the top', { topDown: true }],
  ['24 bits with a gap before the pixels and bytes behind them', { gap: 12, trailing: 2 }],
  ['24 bits, V4 header', { header: 108 }],
  ['24 bits, V5 header', { header: 124 }],
  ['24 bits, OS/2 1.x', { header: 12 }],
  ['24 bits, OS/2 2.x', { header: 64 }],
  ['24 bits, OS/2 2.x that ends early', { header: 16 }],
  ['24-bit runs, OS/2 2.x', { header: 64, coding: 'rle24' }],
  ['1 bit', { depth: 1, pixel: two }],
  ['1 bit from the top, 33 wide', { depth: 1, width: 33, topDown: true, pixel: two }],
  ['1 bit, OS/2 1.x', { depth: 1, header: 12, pixel: two }],
  ['2 bits', { depth: 2 }],
  ['4 bits', { depth: 4 }],
  ['4 bits, OS/2 2.x', { depth: 4, header: 64 }],
  ['4-bit runs', { depth: 4, coding: 'rle4' }],
  ['8 bits', { depth: 8 }],
  ['8 bits from the top, V5 header, gap', { depth: 8, topDown: true, header: 124, gap: 6 }],
  ['8 bits, OS/2 1.x', { depth: 8, header: 12 }],
  ['8-bit runs', { depth: 8, coding: 'rle8' }],
  ['8-bit runs, OS/2 2.x', { depth: 8, coding: 'rle8', header: 64 }],
  ['16 bits 555', { depth: 16 }],
  ['16 bits 565', { depth: 16, masks: [0xf800, 0x7e0, 0x1f] }],
  ['16 bits 444, V2 header', { depth: 16, header: 52, masks: [0xf00, 0xf0, 0xf] }],
  ['32 bits', { depth: 32 }],
  ['32 bits whose reserved byte is 255', { depth: 32, reserved: 255 }],
  ['32 bits from the top, V4 header', { depth: 32, topDown: true, header: 108 }],
  ['32 bits, RGBA masks, V3 header', { depth: 32, header: 56, masks: [0xff, 0xff00, 0xff0000, 0] }],
  ['32 bits, masks of ten bits', { depth: 32, masks: [0x3ff00000, 0xffc00, 0x3ff] }],
  ['32 bits, V5 header with an alpha mask', { depth: 32, header: 124, masks: V5_ALPHA }],
]

test.each(forms)('every pixel of a BMP is as drawn: %s', async (_, form) => {
  const { width = 13, height = 9, pixel = banded(width, height) } = form
  const image = await read(bmpOf(form))
  if (typeof image === 'string') throw new Error(image)
  expect([image.width, image.height]).toEqual([width, height])
  // Fewer bits than eight cannot hold every value.
  const bits = form.depth === 16 ? (form.header === 52 ? 4 : 5) : 8
  for (const [x, y] of every(width, height)) {
    const [red, green, blue] = image.at(x, y)
    for (const [n, value] of [red, green, blue].entries())
      expect(Math.abs(value! - pixel(x, y)[n]!), `${x},${y}: ${[red, green, blue]}`).toBeLessThanOrEqual(2 ** (8 - bits) - 1)
  }
})

test('16 bits become the values that other programs show', async () => {
  const image = await read(bmpOf({ depth: 16, masks: [0xf800, 0x7e0, 0x1f] }))
  if (typeof image === 'string') throw new Error(image)
  expect([image.at(0, 0), image.at(0, 8), image.at(12, 8)]).toEqual([
    [0, 203, 0],
    [222, 28, 16],
    [16, 40, 214],
  ])
})

test('transparency counts only where the header has a mask for it and some pixel is opaque', async () => {
  const clear: Color = [90, 90, 90, 0]
  const half = (x: number): Color => (x < 6 ? clear : ([...BLUE.slice(0, 3), 255] as unknown as Color))
  const open = async (form: BmpForm) => {
    const image = await read(bmpOf({ depth: 32, ...form }))
    if (typeof image === 'string') throw new Error(image)
    return image
  }
  const some = await open({ header: 124, masks: V5_ALPHA, pixel: half })
  expect([some.at(0, 0)[3], some.at(12, 0)]).toEqual([0, [...BLUE, 255]])
  // JPEG shows white behind it.
  expect(Math.min(...some.jpeg(0, 4))).toBeGreaterThan(240)
  const after40 = await open({ header: 40, masks: V5_ALPHA, pixel: half })
  expect(after40.at(0, 0)[3]).toBe(0)
  const none = await open({ header: 124, masks: V5_ALPHA, pixel: () => clear })
  expect(none.at(0, 0)).toEqual([90, 90, 90])
  const noMask = await open({ header: 124, masks: [0xff0000, 0xff00, 0xff, 0], pixel: half })
  expect(noMask.at(0, 0)).toEqual([90, 90, 90])
})

test('pixels that runs jump over have the first colour; runs beyond a row are cut off', async () => {
  const bmp = bmpOf({ depth: 8, coding: 'rle8', width: 4, height: 2, pixel: (x, y) => (y === 0 ? GREEN : x < 2 ? RED : BLUE) })
  const pixelsAt = bmp.readUInt32LE(10)
  // The lower row first: red is 0, blue 1, green 2. Two blue, a jump of one right and one up, nine
  // green, the end.
  const image = await read(Buffer.concat([bmp.subarray(0, pixelsAt), Buffer.from([2, 1, 0, 2, 1, 1, 9, 2, 0, 1])]))
  if (typeof image === 'string') throw new Error(image)
  expect(every(4, 2).map(([x, y]) => image.at(x, y))).toEqual([RED, RED, RED, GREEN, BLUE, BLUE, RED, RED])
})

test('an offset of nothing means right behind the palette; a short palette leaves black', async () => {
  const bmp = bmpOf({ depth: 8 })
  bmp.writeUInt32LE(0, 10)
  const image = await read(bmp)
  if (typeof image === 'string') throw new Error(image)
  expect(image.at(0, 0)).toEqual(GREEN)
  const short = bmpOf({ depth: 8 })
  short.writeUInt32LE(2, 46)
  const dark = await read(short)
  if (typeof dark === 'string') throw new Error(dark)
  // The lower rows come first in the file, so red and blue have the entries that are there.
  expect([dark.at(0, 8), dark.at(12, 8), dark.at(0, 0)]).toEqual([RED, BLUE, [0, 0, 0]])
})

test('a BMP that is cut, lies or needs what zinc does not read is refused with its code', async () => {
  const changed = (form: BmpForm, change: (bytes: Buffer) => void) => {
    const bytes = bmpOf(form)
    change(bytes)
    return bytes
  }
  const runs = bmpOf({ depth: 8, coding: 'rle8' })
  const cases: [string, Buffer, string][] = [
    ['cut in the pixels', bmpOf().subarray(0, -8), 'truncated'],
    ['cut in the runs', runs.subarray(0, -9), 'truncated'],
    ['cut in the palette', bmpOf({ depth: 8 }).subarray(0, 200), 'truncated'],
    ['cut in the header', bmpOf({ header: 124 }).subarray(0, 60), 'truncated'],
    ['pixels inside the header', changed({}, (it) => it.writeUInt32LE(20, 10)), 'corrupt'],
    ['no width', changed({}, (it) => it.writeInt32LE(0, 18)), 'corrupt'],
    ['a negative width', changed({}, (it) => it.writeInt32LE(-13, 18)), 'corrupt'],
    ['three bits', changed({}, (it) => it.writeUInt16LE(3, 28)), 'corrupt'],
    ['runs of 24 bits in Windows', changed({}, (it) => it.writeUInt32LE(2, 30)), 'corrupt'],
    ['two million pixels', changed({}, (it) => it.writeInt32LE(200_000, 18)), 'too_many_pixels'],
    ['a JPEG inside', changed({}, (it) => it.writeUInt32LE(4, 30)), 'unsupported_format'],
    ['Huffman coding', changed({ header: 64, depth: 1, pixel: two }, (it) => it.writeUInt32LE(3, 30)), 'unsupported_format'],
    ['64 bits', changed({}, (it) => it.writeUInt16LE(64, 28)), 'unsupported_format'],
  ]
  const codes: [string, unknown][] = []
  for (const [name, bytes] of cases) codes.push([name, await read(bytes)])
  expect(codes).toEqual(cases.map(([name, , code]) => [name, code]))
})

test('the smallest pictures of each header are read', () => {
  for (const header of [12, 16, 40, 64, 108, 124]) {
    const bytes = bmpOf({ header, width: 1, height: 1, pixel: () => RED })
    expect([isBmp(bytes), [...decodeBmp(bytes, () => {}).data]], String(header)).toEqual([true, RED])
  }
})

test('a randomly damaged BMP gives its pixels or a named error, and never more than its size', () => {
  const originals = forms.map(([, form]) => bmpOf(form))
  const check = (width: number, height: number) => {
    if (width < 1 || height < 1 || width * height > 100_000) throw new BmpError({ code: 'corrupt', params: {} })
  }
  const change = fc.record({ at: fc.nat(200), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.constantFrom(...originals), fc.array(change, { maxLength: 6 }), fc.nat(40), (original, changes, less) => {
      const bytes = Buffer.from(original.subarray(0, original.length - less))
      for (const { at, byte } of changes) bytes[at % bytes.length] = byte
      if (!isBmp(bytes)) return
      try {
        const { width, height, channels, data } = decodeBmp(bytes, check)
        expect(data.length).toBe(width * height * channels)
      } catch (error) {
        if (!(error instanceof BmpError)) throw error
      }
    }),
    { numRuns: 3_000 },
  )
})
