import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { BadRequestError, InvalidImageError, PayloadTooLargeError } from '../../lib/errors.ts'
import { openRegularFile } from '../../lib/open-regular-file.ts'
import type { Message } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
import { entryNames, openZipFile } from './zip-file.ts'

export interface ImportEntry {
  /** The path inside the source, with forward slashes. */
  name: string
  /** Other decodings of a name whose encoding is unknown, the most likely first. */
  otherNames: string[]
  size: number
  /** A checksum proves that the bytes are those that were packed. */
  proven: boolean
  /** Set when the entry cannot be read at all. */
  problem: Message | null
  open(): Promise<Readable>
}

export interface ImportSource extends AsyncDisposable {
  entries: ImportEntry[]
}

export interface ImportLimits {
  /** Limits for the unpacked bytes of one image, and of all together. */
  fileBytes: number
  totalBytes: number
}

export const MAX_ENTRIES = 100_000
const MAX_NAME = 500
const natural = new Intl.Collator('en', { numeric: true })
/** Folders and buckets have no order of their own, and every listing must give the same one. */
export const naturalOrder = (a: ImportEntry, b: ImportEntry): number => natural.compare(a.name, b.name) || (a.name < b.name ? -1 : 1)
const SYMLINK = 0o120000

/**
 * Opens the files of a ZIP. A name that leads outside it refuses the whole archive, and so do more
 * than `totalBytes` unpacked: neither happens by accident. Nothing is ever written under a name
 * from the archive. Throws BadRequestError `unsafe_path`, `not_a_zip`, PayloadTooLargeError
 * `zip_too_large`.
 */
export async function openZip(path: string, { fileBytes, totalBytes }: ImportLimits): Promise<ImportSource> {
  const zip = await openZipFile(path).catch((cause: Error) => {
    throw new BadRequestError('not_a_zip', {}, { cause })
  })
  try {
    // The count in the archive's directory; if more entries follow, yauzl stops at that number.
    if (zip.entryCount > MAX_ENTRIES) throw tooLarge(totalBytes)
    const entries: ImportEntry[] = []
    let total = 0
    for await (const entry of entriesOf(zip)) {
      if (entry.fileName.endsWith('/')) continue
      total += entry.uncompressedSize
      if (entries.length >= MAX_ENTRIES || total > totalBytes) throw tooLarge(totalBytes)
      const [name = '', ...otherNames] = entryNames(entry).map(storableName)
      if (yauzl.validateFileName(name) !== null) throw unsafePath()
      entries.push({
        name,
        otherNames,
        size: entry.uncompressedSize,
        proven: true,
        problem: problemOf(entry, fileBytes),
        open: async () => Readable.from(checked(zip, entry), { objectMode: false }),
      })
    }
    return { entries, [Symbol.asyncDispose]: async () => zip.close() }
  } catch (error) {
    zip.close()
    throw error
  }
}

const tooLarge = (totalBytes: number) => new PayloadTooLargeError('zip_too_large', { files: MAX_ENTRIES, total_bytes: totalBytes })

/**
 * A name that the run's records can store: without NUL, and of a long path its end, which
 * identifies the file.
 */
export const storableName = (path: string): string => path.replaceAll('\0', '\ufffd').slice(-MAX_NAME).toWellFormed()

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (let left = zip.entryCount; left > 0; left--) {
    yield await new Promise<Entry>((resolve, reject) => {
      const done = (work: () => void) => () => {
        zip.removeAllListeners('entry').removeAllListeners('error').removeAllListeners('end')
        work()
      }
      zip.once('entry', (entry: Entry) => done(() => resolve(entry))())
      zip.once('error', (cause: Error) => done(() => reject(badZip(cause)))())
      zip.once(
        'end',
        done(() => reject(badZip(new Error('fewer entries than announced')))),
      )
      zip.readEntry()
    })
  }
}

function badZip(cause: Error): BadRequestError {
  return /invalid (relative|characters|absolute)|absolute path|relative path/i.test(cause.message)
    ? unsafePath(cause)
    : new BadRequestError('not_a_zip.damaged', {}, { cause })
}

const unsafePath = (cause?: unknown) => new BadRequestError('unsafe_path', {}, { cause })

function problemOf(entry: Entry, fileBytes: number): ImportEntry['problem'] {
  if (((entry.externalFileAttributes >>> 16) & 0o170000) === SYMLINK) return message('symbolic_link')
  if (entry.isEncrypted()) return message('encrypted')
  if (!entry.canDecodeFileData()) return message('unknown_compression')
  if (entry.uncompressedSize > fileBytes) return message('image_too_large.file', { max_bytes: fileBytes })
  return null
}

/**
 * Yields the bytes of an entry and checks its checksum: a ZIP that was damaged on the way must not
 * become an image.
 */
async function* checked(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const stream = await new Promise<Readable>((resolve, reject) =>
    zip.openReadStream(entry, (error, opened) => (error ? reject(damaged(error)) : resolve(opened))),
  )
  let sum = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum)
      yield chunk
    }
  } catch (cause) {
    throw damaged(cause)
  } finally {
    stream.destroy()
  }
  if (sum !== entry.crc32) throw damaged()
}

const damaged = (cause?: unknown) => new InvalidImageError('corrupt.in_zip', {}, { cause })

function notReadable(cause: unknown): never {
  throw new InvalidImageError('file_not_readable', {}, { cause })
}

/** Opens the files of a folder of this machine, including subfolders. Links are not followed. */
export async function openFolder(folder: string, { fileBytes }: Pick<ImportLimits, 'fileBytes'>): Promise<ImportSource> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new BadRequestError('folder_not_readable', { folder }, { cause })
  })
  const entries: ImportEntry[] = []
  for (const entry of found) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    // A name that is not UTF-8 cannot be opened again; the other files are imported.
    const size = entry.isFile()
      ? await stat(path).then(
          ({ size }) => size,
          () => null,
        )
      : 0
    entries.push({
      name: storableName(path.slice(folder.length).replaceAll('\\', '/').replace(/^\/+/, '')),
      otherNames: [],
      size: size ?? 0,
      proven: false,
      problem: entry.isSymbolicLink()
        ? message('symbolic_link')
        : size === null
          ? message('file_not_readable')
          : size > fileBytes
            ? message('image_too_large.file', { max_bytes: fileBytes })
            : null,
      open: async () => (await openRegularFile(path).catch(notReadable)).createReadStream(),
    })
  }
  entries.sort(naturalOrder)
  return { entries, [Symbol.asyncDispose]: async () => {} }
}
