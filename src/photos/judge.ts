/** What the first bytes of a file say it is. Names, extensions and Content-Type are outside talk and not asked. */
export type Sniffed = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'bmp' | 'unsupported' | 'not_an_image'

export const FORMATS = {
  jpeg: { ext: 'jpg', contentType: 'image/jpeg' },
  png: { ext: 'png', contentType: 'image/png' },
  gif: { ext: 'gif', contentType: 'image/gif' },
  webp: { ext: 'webp', contentType: 'image/webp' },
  avif: { ext: 'avif', contentType: 'image/avif' },
} as const

const startsWith = (bytes: Buffer, signature: number[] | string, at = 0) =>
  bytes.subarray(at, at + signature.length).equals(Buffer.from(signature as string))

/** Looks at the first 64 bytes or more. Formats that zinc knows but does not take are `unsupported`; HTML, programs and text are `not_an_image`. */
export function sniff(bytes: Buffer): Sniffed {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg'
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png'
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'gif'
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'webp'
  if (startsWith(bytes, 'ftyp', 4)) {
    const brands = bytes.subarray(8, 64).toString('latin1')
    return brands.startsWith('avif') || brands.startsWith('avis') || brands.includes('avif') ? 'avif' : 'unsupported'
  }
  if (startsWith(bytes, 'BM') && bytes.length > 26 && [12, 40, 52, 56, 108, 124].includes(bytes.readUInt32LE(14))) return 'bmp'
  const tiff = startsWith(bytes, [0x49, 0x49, 0x2a, 0x00]) || startsWith(bytes, [0x4d, 0x4d, 0x00, 0x2a])
  const jxl = startsWith(bytes, [0xff, 0x0a]) || startsWith(bytes, [0, 0, 0, 0x0c, 0x4a, 0x58, 0x4c, 0x20])
  const jp2 = startsWith(bytes, [0, 0, 0, 0x0c, 0x6a, 0x50, 0x20, 0x20])
  const ico = startsWith(bytes, [0, 0, 1, 0])
  if (tiff || jxl || jp2 || ico || startsWith(bytes, '%PDF')) return 'unsupported'
  const text = bytes.toString('utf8').trimStart().toLowerCase()
  if (text.startsWith('<svg') || (text.startsWith('<?xml') && text.includes('<svg')) || text.startsWith('<!doctype svg'))
    return 'unsupported'
  return 'not_an_image'
}
