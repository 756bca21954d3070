import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import yauzl, { type Entry, type ZipFile } from 'yauzl'

const END_RECORD = Buffer.from('PK\x05\x06', 'latin1')
const END_RECORD_BYTES = 22
const DIRECTORY_ENTRY = 0x02014b50
const ZIP64_LOCATOR = 0x07064b50
const ZIP64_RECORD = 0x06064b50
const ZIP64_LOCATOR_BYTES = 20
const ZIP64_RECORD_BYTES = 56
/** How many bytes before the end of the file the end-of-archive record is searched. */
const SEARCHED_BYTES = 1024 ** 2
const CHUNK_BYTES = 64 * 1024

/** Part of an open file, for yauzl, which counts from the archive's first byte. */
class FilePart extends yauzl.RandomAccessReader {
  readonly #file: FileHandle
  readonly #start: number
  constructor(file: FileHandle, start: number) {
    super()
    this.#file = file
    this.#start = start
  }
  override _readStreamForRange(start: number, end: number): Readable {
    // Not the handle's own stream: destroying that early closes the file for all other readers.
    return Readable.from(chunksOf(this.#file, this.#start + start, this.#start + end), { objectMode: false })
  }
  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null) => void): void {
    readFully(this.#file, buffer.subarray(offset, offset + length), this.#start + position).then(() => callback(null), callback)
  }
  override close(callback: (error: Error | null) => void): void {
    this.#file.close().then(() => callback(null), callback)
  }
}

async function* chunksOf(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at)), 0, undefined, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done)
    if (bytesRead === 0) throw new Error('the file ends too early')
    done += bytesRead
  }
}

/**
 * Opens a ZIP that may have bytes before the archive (a self-extracting program) or after it (added
 * by a bad upload).
 */
export async function openZipFile(path: string): Promise<ZipFile> {
  const file = await open(path)
  try {
    const { start, end } = await findArchive(file)
    const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true }
    return await yauzl.fromRandomAccessReaderPromise(new FilePart(file, start), end - start, options)
  } catch (error) {
    await file.close().catch(() => {})
    throw error
  }
}

/**
 * Returns where the archive begins and ends: at the last end record whose directory exists.
 * Otherwise the whole file, which yauzl then refuses.
 */
async function findArchive(file: FileHandle): Promise<{ start: number; end: number }> {
  const { size } = await file.stat()
  const tail = Buffer.alloc(Math.min(size, SEARCHED_BYTES))
  const tailAt = size - tail.length
  await readFully(file, tail, tailAt)
  for (let at = tail.lastIndexOf(END_RECORD); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(END_RECORD, at - 1)) {
    if (at + END_RECORD_BYTES > tail.length) continue
    const recordAt = tailAt + at
    const end = Math.min(recordAt + END_RECORD_BYTES + tail.readUInt16LE(at + 20), size)
    const zip64Start = zip64StartOf(tail, at, recordAt)
    if (zip64Start !== null) return { start: zip64Start, end }
    const [entries, bytes, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
    // The offset may count from the archive or, where a program corrected it, from the file.
    for (const start of new Set([recordAt - bytes - offset, 0])) {
      if (start < 0) continue
      const signature = Buffer.alloc(4)
      if (entries > 0) await readFully(file, signature, start + offset).catch(() => {})
      if (entries === 0 || signature.readUInt32LE(0) === DIRECTORY_ENTRY) return { start, end }
    }
  }
  return { start: 0, end: size }
}

/** Returns null when this is not a ZIP64. */
function zip64StartOf(tail: Buffer, at: number, recordAt: number): number | null {
  const locator = at - ZIP64_LOCATOR_BYTES
  if (locator < 0 || tail.readUInt32LE(locator) !== ZIP64_LOCATOR) return null
  const record = locator - ZIP64_RECORD_BYTES
  if (record < 0 || tail.readUInt32LE(record) !== ZIP64_RECORD) return 0
  const start = recordAt - ZIP64_LOCATOR_BYTES - ZIP64_RECORD_BYTES - Number(tail.readBigUInt64LE(locator + 8))
  return Math.max(0, start)
}

/**
 * The upper half of code page 720, in which Arabic Windows writes names into ZIP files. Node has no
 * decoder for it.
 */
const CP720 =
  '\x80\x81éâ\x84à\x86çêëèïî\x8d\x8e\x8f\x90\u0651\u0652ô¤ـûùءآأؤ£إئابةتثجحخدذرزسشص«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀ضطظعغفµقكلمنهوىي≡\u064b\u064c\u064d\u064e\u064f\u0650≈°∙·√ⁿ²■\u00a0'
const UTF8_NAME = 0x800
const ARABIC_OR_PLAIN = /^(?:[\0-\x7f]|\p{Script=Arabic}|[\u064b-\u0652ـ])*$/u

/**
 * Returns the possible names of an entry, the most likely first. Names marked as UTF-8 are UTF-8.
 * Unmarked ones are UTF-8 if their bytes are valid (macOS, Java), otherwise in an undeclared code
 * page: that of DOS or of Arabic Windows.
 */
export function entryNames(entry: Entry): string[] {
  const raw = entry.fileNameRaw
  const isTold = (entry.generalPurposeBitFlag & UTF8_NAME) !== 0 || entry.fileName !== yauzl.getFileNameLowLevel(0, raw, [], false)
  if (isTold || raw.every((byte) => byte < 0x80)) return [entry.fileName]
  const plain = (name: string) => name.replaceAll('\\', '/')
  try {
    return [plain(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw))]
  } catch {
    const cp720 = [...raw].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : CP720[byte - 0x80])).join('')
    const arabic = [cp720, new TextDecoder('windows-1256').decode(raw)].map(plain)
    const likely = arabic.filter((name) => ARABIC_OR_PLAIN.test(name))
    return [...new Set([...likely, entry.fileName, ...arabic])]
  }
}
