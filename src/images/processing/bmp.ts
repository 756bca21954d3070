import type { Message } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
/** Pixels of a BMP, rows from the top; four channels only where the image has transparency. */
export interface BmpPixels {
  width: number
  height: number
  channels: 3 | 4
  data: Buffer
}

/** A refused BMP, with the code that images are refused with. */
export class BmpError extends Error {
  readonly refused: Message
  constructor(refused: Message) {
    super(refused.code)
    this.refused = refused
  }
}

const CORE_HEADER = 12
/**
 * Windows header sizes; any other length between 16 and 64 is one of OS/2 2.x, which may be
 * shortened.
 */
const WINDOWS_HEADERS = [40, 52, 56, 108, 124]
const RGB = 0
const RLE8 = 1
const RLE4 = 2
const BITFIELDS = 3
const ALPHA_BITFIELDS = 6
/** OS/2 2.x uses number 4 for this; in Windows it means JPEG. */
const OS2_RLE24 = 4

interface Header {
  width: number
  height: number
  topDown: boolean
  depth: number
  coding: 'plain' | 'rle4' | 'rle8' | 'rle24'
  masks: { red: number; green: number; blue: number; alpha: number }
  /** Red, green and blue of each index, complete for the depth; black where the file has fewer. */
  palette: Buffer
  pixelsAt: number
}

/** Whether these bytes, 26 or more, begin like a BMP with a known header. */
export function isBmp(bytes: Buffer): boolean {
  if (bytes.length < 26 || bytes.toString('latin1', 0, 2) !== 'BM') return false
  const size = bytes.readUInt32LE(14)
  return size === CORE_HEADER || (size >= 16 && size <= 64) || WINDOWS_HEADERS.includes(size)
}

/**
 * Decodes a BMP of every form that programs write. `checkSize` is called before anything is
 * allocated and throws for a size it refuses. The fourth byte of a pixel is transparency only if
 * the header has a mask for it and some pixel is opaque: most programs leave zeros there.
 */
export function decodeBmp(bytes: Buffer, checkSize: (width: number, height: number) => void): BmpPixels {
  const header = readHeader(bytes)
  checkSize(header.width, header.height)
  if (header.coding !== 'plain') return paletteRows(header, readRuns(bytes, header))
  const rowBytes = Math.ceil((header.width * header.depth) / 32) * 4
  // The padding of the last row may be missing.
  const end = header.pixelsAt + rowBytes * (header.height - 1) + Math.ceil((header.width * header.depth) / 8)
  if (end > bytes.length) throw cut()
  return header.depth <= 8 ? paletteRows(header, readIndexes(bytes, header, rowBytes)) : colorRows(bytes, header, rowBytes)
}

const cut = () => new BmpError(message('truncated'))
const unsupported = (what: string) => new BmpError(message('unsupported_format.bmp', { what }))

function readHeader(bytes: Buffer): Header {
  const size = bytes.readUInt32LE(14)
  const headerEnd = 14 + size
  if (headerEnd > bytes.length) throw cut()
  const core = size === CORE_HEADER
  const windows = WINDOWS_HEADERS.includes(size)
  const field = (at: number) => (at + 4 <= headerEnd ? bytes.readUInt32LE(at) : 0)

  const width = core ? bytes.readUInt16LE(18) : bytes.readInt32LE(18)
  const signedHeight = core ? bytes.readUInt16LE(20) : bytes.readInt32LE(22)
  const depth = bytes.readUInt16LE(core ? 24 : 28)
  const compression = core ? RGB : field(30)
  const coding = codingOf(compression, depth, windows)

  const masksAfterHeader = size === 40 && coding === 'plain' ? { [BITFIELDS]: 12, [ALPHA_BITFIELDS]: 16 }[compression] : undefined
  const paletteAt = headerEnd + (masksAfterHeader ?? 0)
  if (paletteAt > bytes.length) throw cut()
  const entryBytes = core ? 3 : 4
  const entries = depth <= 8 ? (core ? 0 : field(46)) || 2 ** depth : 0

  const given = bytes.readUInt32LE(10)
  const pixelsAt = given === 0 ? paletteAt + entries * entryBytes : given
  if (pixelsAt < headerEnd) throw new BmpError(message('corrupt.header'))
  if (pixelsAt >= bytes.length) throw cut()
  return {
    width,
    height: Math.abs(signedHeight),
    topDown: signedHeight < 0,
    depth,
    coding,
    masks: readMasks(bytes, { size, depth, compression }),
    palette: readPalette(bytes.subarray(paletteAt, pixelsAt), Math.min(entries, 2 ** Math.min(depth, 8)), entryBytes),
    pixelsAt,
  }
}

function codingOf(compression: number, depth: number, windows: boolean): Header['coding'] {
  if (depth === 0 || (windows && (compression === 4 || compression === 5))) throw unsupported('another image inside')
  if (compression === RLE8 && depth === 8) return 'rle8'
  if (compression === RLE4 && depth === 4) return 'rle4'
  if (!windows && compression === OS2_RLE24 && depth === 24) return 'rle24'
  if (!windows && compression === BITFIELDS && depth === 1) throw unsupported('Huffman coding')
  if (depth === 64) throw unsupported('64 bits per pixel')
  if (![1, 2, 4, 8, 16, 24, 32].includes(depth)) throw new BmpError(message('corrupt.depth', { depth }))
  if (compression === RGB) return 'plain'
  if (windows && (compression === BITFIELDS || compression === ALPHA_BITFIELDS) && depth > 8) return 'plain'
  throw new BmpError(message('corrupt.coding'))
}

/** Masks are at the same offset whether they are in the header or follow a header of 40 bytes. */
function readMasks(bytes: Buffer, { size, depth, compression }: { size: number; depth: number; compression: number }): Header['masks'] {
  const usual = depth === 16 ? { red: 0x7c00, green: 0x3e0, blue: 0x1f } : { red: 0xff0000, green: 0xff00, blue: 0xff }
  const hasMasks = compression === BITFIELDS || compression === ALPHA_BITFIELDS
  const own = hasMasks ? { red: bytes.readUInt32LE(54), green: bytes.readUInt32LE(58), blue: bytes.readUInt32LE(62) } : usual
  const masks = (own.red | own.green | own.blue) !== 0 ? own : usual
  const hasAlpha = [56, 108, 124].includes(size) || (size === 40 && compression === ALPHA_BITFIELDS)
  const alpha = hasAlpha && depth > 8 ? bytes.readUInt32LE(66) : 0
  return { ...masks, alpha: (alpha & (masks.red | masks.green | masks.blue)) === 0 ? alpha : 0 }
}

function readPalette(bytes: Buffer, entries: number, entryBytes: number): Buffer {
  const palette = Buffer.alloc(256 * 3)
  const there = Math.min(entries, Math.floor(bytes.length / entryBytes))
  for (let index = 0; index < there; index++) {
    palette[index * 3] = bytes[index * entryBytes + 2]!
    palette[index * 3 + 1] = bytes[index * entryBytes + 1]!
    palette[index * 3 + 2] = bytes[index * entryBytes]!
  }
  return palette
}

/** One index per pixel, in the order of the file's rows. */
function readIndexes(bytes: Buffer, { width, height, depth, pixelsAt }: Header, rowBytes: number): Buffer {
  const indexes = Buffer.allocUnsafe(width * height)
  const perByte = 8 / depth
  const mask = 2 ** depth - 1
  for (let y = 0, to = 0; y < height; y++) {
    const row = pixelsAt + y * rowBytes
    for (let x = 0; x < width; x++) {
      const shift = 8 - depth * ((x % perByte) + 1)
      indexes[to++] = (bytes[row + Math.floor(x / perByte)]! >> shift) & mask
    }
  }
  return indexes
}

/**
 * Runs of equal pixels, up to the end marker or the last row. Skipped pixels have index 0; pixels
 * outside a row are dropped. RLE24 gives three bytes per pixel, the others one index.
 */
function readRuns(bytes: Buffer, { width, height, coding, pixelsAt }: Header): Buffer {
  const unit = coding === 'rle24' ? 3 : 1
  const pixels = Buffer.alloc(width * height * unit)
  let at = pixelsAt
  let [x, y] = [0, 0]
  const next = () => {
    if (at >= bytes.length) throw cut()
    return bytes[at++]!
  }
  const put = (value: number, channel = 0) => {
    if (x < width) pixels[(y * width + x) * unit + channel] = value
  }
  /** A run or a list of pixels; in a list each pixel has its own bytes. */
  const putMany = (count: number, read: () => number[]) => {
    for (let n = 0; n < count; ) {
      for (const value of read()) {
        if (n++ >= count) break
        if (unit === 1) put(value)
        else {
          put(value & 0xff, 2)
          put((value >> 8) & 0xff, 1)
          put(value >> 16, 0)
        }
        x++
      }
    }
  }
  const readOne = (): number[] => {
    const byte = next()
    if (coding === 'rle8') return [byte]
    if (coding === 'rle4') return [byte >> 4, byte & 15]
    return [byte | (next() << 8) | (next() << 16)]
  }
  while (y < height) {
    const count = next()
    if (count > 0) {
      const value = readOne()
      putMany(count, () => value)
      continue
    }
    const command = next()
    if (command === 0) {
      x = 0
      y++
    } else if (command === 1) {
      break
    } else if (command === 2) {
      x += next()
      y += next()
    } else {
      const from = at
      putMany(command, readOne)
      // Lists are padded to whole words.
      at += (at - from) % 2
    }
    // After the last row the image is complete, even without the end marker.
    if (y === height - 1 && x >= width && at >= bytes.length) break
  }
  return pixels
}

/** Colours instead of indexes, rows from the top. */
function paletteRows({ width, height, topDown, coding, palette }: Header, pixels: Buffer): BmpPixels {
  const data = Buffer.allocUnsafe(width * height * 3)
  for (let y = 0, to = 0; y < height; y++) {
    const row = (topDown ? y : height - 1 - y) * width
    if (coding === 'rle24') {
      to += pixels.copy(data, to, row * 3, (row + width) * 3)
      continue
    }
    for (let x = 0; x < width; x++) {
      const entry = pixels[row + x]! * 3
      data[to++] = palette[entry]!
      data[to++] = palette[entry + 1]!
      data[to++] = palette[entry + 2]!
    }
  }
  return { width, height, channels: 3, data }
}

/** Pixels of 16, 24 or 32 bits, each colour extracted by its mask and scaled to eight bits. */
function colorRows(bytes: Buffer, { width, height, topDown, depth, masks, pixelsAt }: Header, rowBytes: number): BmpPixels {
  const [red, green, blue, alpha] = [masks.red, masks.green, masks.blue, masks.alpha].map(channel) as [Channel, Channel, Channel, Channel]
  const pixelBytes = depth / 8
  const pixelOf = (at: number) => {
    if (depth === 16) return bytes[at]! | (bytes[at + 1]! << 8)
    const three = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    return depth === 24 ? three : three | (bytes[at + 3]! << 24)
  }
  const rowAt = (y: number) => pixelsAt + (topDown ? y : height - 1 - y) * rowBytes

  const someOpaque = () => {
    for (let y = 0; y < height; y++)
      for (let x = 0, at = rowAt(y); x < width; x++, at += pixelBytes) if (alpha(pixelOf(at)) === 255) return true
    return false
  }
  const channels = masks.alpha !== 0 && someOpaque() ? 4 : 3
  const data = Buffer.allocUnsafe(width * height * channels)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, at = rowAt(y); x < width; x++, at += pixelBytes) {
      const pixel = pixelOf(at)
      data[to++] = red(pixel)
      data[to++] = green(pixel)
      data[to++] = blue(pixel)
      if (channels === 4) data[to++] = alpha(pixel)
    }
  }
  return { width, height, channels, data }
}

type Channel = (pixel: number) => number

/**
 * Reads one colour; values with fewer than eight bits are repeated into the lower bits, so that the
 * brightest is 255.
 */
function channel(mask: number): Channel {
  if (mask === 0) return () => 0
  const shift = 31 - Math.clz32(mask & -mask)
  const bits = 32 - Math.clz32(mask >>> shift)
  if (bits >= 8) return (pixel) => (((pixel & mask) >>> shift) >>> (bits - 8)) & 0xff
  const stretched = Uint8Array.from({ length: 2 ** bits }, (_, value) => {
    let byte = value << (8 - bits)
    for (let step = bits; step < 8; step *= 2) byte |= byte >> step
    return byte
  })
  return (pixel) => stretched[(pixel & mask) >>> shift]!
}
