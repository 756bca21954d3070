/** A file inside a ZIP that is still on the person's own disk. */
interface ZipEntry {
  /** 0: stored, 8: deflated */
  method: number
  start: number
  compressedBytes: number
}
export type ZipDirectory = ReadonlyMap<string, ZipEntry>

const END = 0x06054b50
const ENTRY = 0x02014b50
/** The end record and the longest comment behind it. */
const END_MAX_BYTES = 22 + 65_535
/** A larger image is not worth a thumbnail of it. */
const MAX_BYTES = 30_000_000
const EMPTY: ZipDirectory = new Map()

/**
 * Reads which files a ZIP holds, from its own end. Only for thumbnails: what cannot be read (ZIP64,
 * a file that is no ZIP) has none.
 */
export async function readZipDirectory(file: Blob): Promise<ZipDirectory> {
  const tail = await viewOf(file.slice(Math.max(0, file.size - END_MAX_BYTES)))
  let end = tail.byteLength - 22
  while (end >= 0 && tail.getUint32(end, true) !== END) end--
  if (end < 0) return EMPTY
  const bytes = tail.getUint32(end + 12, true)
  const start = tail.getUint32(end + 16, true)
  if (start + bytes > file.size) return EMPTY
  const list = await viewOf(file.slice(start, start + bytes))
  const entries = new Map<string, ZipEntry>()
  for (let at = 0; at + 46 <= list.byteLength && list.getUint32(at, true) === ENTRY; ) {
    const nameBytes = list.getUint16(at + 28, true)
    const name = new TextDecoder().decode(new Uint8Array(list.buffer, list.byteOffset + at + 46, nameBytes))
    entries.set(name, {
      method: list.getUint16(at + 10, true),
      compressedBytes: list.getUint32(at + 20, true),
      start: list.getUint32(at + 42, true),
    })
    at += 46 + nameBytes + list.getUint16(at + 30, true) + list.getUint16(at + 32, true)
  }
  return entries
}

/** The bytes of one file, unpacked by the browser; null where that is not possible. */
export async function readZipImage(file: Blob, { method, start, compressedBytes }: ZipEntry): Promise<Blob | null> {
  if (compressedBytes > MAX_BYTES || (method !== 0 && method !== 8)) return null
  const head = await viewOf(file.slice(start, start + 30))
  if (head.byteLength < 30) return null
  const from = start + 30 + head.getUint16(26, true) + head.getUint16(28, true)
  const packed = file.slice(from, from + compressedBytes)
  return method === 0 ? packed : new Response(packed.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob()
}

const viewOf = async (blob: Blob): Promise<DataView> => new DataView(await blob.arrayBuffer())
