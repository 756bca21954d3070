import { constants, gunzipSync } from 'node:zlib'
import { isBmp } from './bmp.ts'

/**
 * The file type by its first bytes. Names, extensions and Content-Type come from outside and are
 * ignored.
 */
export type FileType = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'bmp' | 'unsupported' | 'not_an_image'

export const FORMATS = {
  jpeg: { ext: 'jpg', contentType: 'image/jpeg' },
  png: { ext: 'png', contentType: 'image/png' },
  gif: { ext: 'gif', contentType: 'image/gif' },
  webp: { ext: 'webp', contentType: 'image/webp' },
  avif: { ext: 'avif', contentType: 'image/avif' },
} as const

const startsWith = (bytes: Buffer, signature: number[] | string, at = 0) =>
  bytes.subarray(at, at + signature.length).equals(Buffer.from(signature as string))

/** Images and documents that zinc does not accept, by their first bytes. */
const NOT_TAKEN = [
  ...['II*\0', 'MM\0*', 'II+\0', 'MM\0+', 'II\xbc'], // TIFF, BigTIFF and derived formats, JPEG XR
  ...['\xff\x0a', '\0\0\0\x0cJXL ', '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'], // JPEG XL, JPEG 2000
  ...['\0\0\x01\0', '\0\0\x02\0', 'icns'], // icons and cursors
  ...['8BPS', 'gimp xcf', 'qoif', 'DDS ', '\x76\x2f\x31\x01', '#?RADIANCE', 'AT&TFORM', '\xd7\xcd\xc6\x9a'],
  ...['%PDF', '%!PS', '\xc5\xd0\xd3\xc6', '{\\rtf', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'], // PDF, PostScript, RTF, Office before 2007
].map((signature) => Buffer.from(signature, 'latin1'))
/** A portable bitmap, greymap, pixmap or anymap: its letter, a blank, a number or a comment. */
const NETPBM = /^P[1-7]\s+[\d#W]/
/** The first file in the ZIP of an Office or OpenDocument file. */
const ZIPPED_DOCUMENT = ['[Content_Types].xml', '_rels/', 'docProps/', 'mimetypeapplication/']

/**
 * Returns the type by the first 64 bytes or more. Formats that zinc knows but does not accept are
 * `unsupported`; HTML, programs and text are `not_an_image`.
 */
export function detectFileType(bytes: Buffer): FileType {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg'
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png'
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'gif'
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'webp'
  if (startsWith(bytes, 'ftyp', 4)) {
    const brands = bytes.subarray(8, 64).toString('latin1')
    return brands.startsWith('avif') || brands.startsWith('avis') || brands.includes('avif') ? 'avif' : 'unsupported'
  }
  if (isBmp(bytes)) return 'bmp'
  const document = startsWith(bytes, 'PK') && ZIPPED_DOCUMENT.some((name) => startsWith(bytes, name, 30))
  if (document || NOT_TAKEN.some((signature) => bytes.subarray(0, signature.length).equals(signature))) return 'unsupported'
  if (NETPBM.test(bytes.toString('latin1')) || isSvg(bytes) || isSvg(unzippedHead(bytes))) return 'unsupported'
  return 'not_an_image'
}

function isSvg(bytes: Buffer): boolean {
  const text = bytes
    .toString('utf8')
    .replace(/<!--.*?-->/gs, '')
    .trimStart()
    .toLowerCase()
  return text.startsWith('<svg') || (text.startsWith('<?xml') && text.includes('<svg')) || text.startsWith('<!doctype svg')
}

/**
 * Returns the decompressed start of a gzip file; nothing for any other. The head of one cannot
 * expand to more than a few megabytes.
 */
function unzippedHead(bytes: Buffer): Buffer {
  if (!startsWith(bytes, [0x1f, 0x8b])) return Buffer.alloc(0)
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, 4096)
  } catch {
    return Buffer.alloc(0)
  }
}
