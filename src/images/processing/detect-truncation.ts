import { crc32 } from 'node:zlib'
import type { FileType } from './file-type.ts'

/** whole | cut: its end is missing | corrupt: a checksum inside is wrong */
export type FileIntegrity = 'whole' | 'cut' | 'corrupt'

/**
 * Returns whether an image file is complete, judged by its structure. A truncated one can still
 * decode (a PNG without its last chunk, a GIF without its later frames, a JPEG without its last two
 * bytes), so decoding does not tell. Bytes after the end are allowed: cameras and editors append to
 * JPEG.
 */
export function checkIntegrity(format: FileType, bytes: Buffer): FileIntegrity {
  switch (format) {
    case 'jpeg':
      return toIntegrity(jpegEnds(bytes))
    case 'png':
      return pngEnds(bytes)
    case 'gif':
      return toIntegrity(gifEnds(bytes))
    case 'webp':
      return toIntegrity(bytes.length >= 12 && bytes.readUInt32LE(4) + 8 <= bytes.length)
    case 'avif':
      return toIntegrity(boxesEnd(bytes))
    default:
      return 'whole'
  }
}
const toIntegrity = (whole: boolean): FileIntegrity => (whole ? 'whole' : 'cut')

/**
 * Walks the segments to the first scan, past images inside EXIF, and searches the end marker after
 * it: coded data cannot contain one.
 */
function jpegEnds(bytes: Buffer): boolean {
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return bytes.indexOf(Buffer.from([0xff, 0xd9]), at) >= 0
    const marker = bytes[at + 1]!
    if (marker === 0xff) at += 1
    else if (marker === 0xd9) return true
    else if (marker === 0xda) return bytes.indexOf(Buffer.from([0xff, 0xd9]), at) >= 0
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2
    else at += 2 + bytes.readUInt16BE(at + 2)
  }
  return false
}

/**
 * A chunk whose name begins with a lower-case letter (texts, times, profiles) is optional for
 * displaying the image.
 */
const isAncillary = (bytes: Buffer, at: number): boolean => (bytes[at + 4]! & 0x20) !== 0

/**
 * Walks the chunks to IEND and checks the checksums of those that make the image: this finds a
 * flipped bit that still decodes.
 */
function pngEnds(bytes: Buffer): FileIntegrity {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at)
    if (end + 4 > bytes.length) return 'cut'
    if (!isAncillary(bytes, at) && crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) return 'corrupt'
    if (bytes.toString('latin1', at + 4, at + 8) === 'IEND') return 'whole'
    at = end + 4
  }
  return 'cut'
}

/** Walks the blocks to the trailer. */
function gifEnds(bytes: Buffer): boolean {
  const table = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  if (bytes.length < 13) return false
  let at = 13 + table(bytes[10]!)
  const skipParts = () => {
    while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1
    at += 1
  }
  while (at < bytes.length) {
    const kind = bytes[at]
    if (kind === 0x3b) return true
    if (kind === 0x21) {
      at += 2
      skipParts()
    } else if (kind === 0x2c) {
      at += 10 + table(bytes[at + 9] ?? 0) + 1
      skipParts()
    } else return false
  }
  return false
}

/**
 * The boxes of an ISO file fill it; a box that is longer than the rest of the file was truncated.
 */
function boxesEnd(bytes: Buffer): boolean {
  let at = 0
  while (at + 8 <= bytes.length) {
    const short = bytes.readUInt32BE(at)
    if (short === 0) return true // length 0: extends to the end of the file
    const size = short === 1 ? (at + 16 <= bytes.length ? Number(bytes.readBigUInt64BE(at + 8)) : Number.POSITIVE_INFINITY) : short
    if (size < 8 || at + size > bytes.length) return false
    at += size
  }
  return true
}
