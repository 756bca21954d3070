import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { FileCache } from '../images/storage/file-cache.ts'
import { AppError } from '../lib/errors.ts'
import type { PhotoVariant } from '../schemas/photo-sync.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'
import type { DownloadFile, PhotoDownloads } from './photo-downloads.ts'

export interface ArchiveDeps {
  files: PhotoDownloads
  fileCache: FileCache
  /** Called with the size of each photo when the reader has taken it. */
  sent(size: number): void
}

/** Entries have a fixed time, so that the same photos make the same archive. */
const MTIME = new Date(0)

/**
 * Photos up to this size are opened while the one before them is sent; for larger ones only the
 * metadata is read ahead.
 */
const OPEN_AHEAD_BYTES = 1024 * 1024

/**
 * Writes a tar of photos in the requested order, no faster than it is read. Small photos come from
 * a cache that all archives share; large ones are streamed, so that an archive whose reader stalls
 * uses only a few chunks of memory. Photos that cannot be sent are skipped and listed in a last
 * entry `errors.json`, which exists only then. Ends early when the signal aborts.
 */
export function writeArchive(
  { files, fileCache, sent }: ArchiveDeps,
  { snapshot, store, photoIds, variant }: { snapshot: FeedSnapshot; store: FeedStore; photoIds: string[]; variant: PhotoVariant | null },
  signal: AbortSignal,
): Readable {
  const tar = pack()
  const errors: { photo_id: string; code: string; message: string }[] = []

  /** Resolves when the reader has taken the entry; that delays the next photo. */
  async function add(name: string, size: number, bytes: Buffer | Readable): Promise<void> {
    const written = Promise.withResolvers<void>()
    written.promise.catch(() => {}) // handled below, unless the archive has ended before
    const entry = tar.entry({ name, size, mtime: MTIME, mode: 0o644 }, (error) => (error ? written.reject(error) : written.resolve()))
    if (Buffer.isBuffer(bytes)) entry.end(bytes)
    else {
      for await (const chunk of bytes) if (!entry.write(chunk)) await once(entry, 'drain', { signal })
      entry.end(undefined)
    }
    await written.promise
  }

  interface Entry {
    file: DownloadFile
    bytes: Buffer | Readable
  }
  /** Opens before a header is written: a header promises a length that cannot be taken back. */
  async function open(file: DownloadFile): Promise<Entry> {
    try {
      return { file, bytes: await fileCache.open(file) }
    } catch (error) {
      const mended = await files.mend(file, variant, store)
      if (!mended) throw error
      return { file: mended, bytes: await fileCache.open(mended) }
    }
  }
  async function prepare(photoId: string): Promise<DownloadFile | Entry> {
    const file = await files.find(snapshot, store, photoId, variant)
    return file.size <= OPEN_AHEAD_BYTES ? open(file) : file
  }
  const orFailure = <T>(work: Promise<T>): Promise<T | AppError> =>
    work.catch((error: unknown) => {
      if (error instanceof AppError) return error
      throw error
    })

  async function write(): Promise<void> {
    let next: Promise<DownloadFile | Entry | AppError> | null = null
    for (const [n, photoId] of photoIds.entries()) {
      signal.throwIfAborted()
      const prepared = await (next ?? orFailure(prepare(photoId)))
      const entry = prepared instanceof AppError || 'bytes' in prepared ? prepared : await orFailure(open(prepared))
      const following = photoIds[n + 1]
      next = following === undefined ? null : orFailure(prepare(following))
      next?.catch(() => {}) // handled when its own turn comes
      if (entry instanceof AppError) errors.push({ photo_id: photoId, code: entry.code, message: entry.message })
      else {
        await add(`${entry.file.photoId}.${entry.file.ext}`, entry.file.size, entry.bytes)
        sent(entry.file.size)
      }
    }
    if (errors.length > 0) {
      const list = Buffer.from(JSON.stringify(errors))
      await add('errors.json', list.length, list)
    }
    tar.finalize()
  }
  write().catch((error: Error) => tar.destroy(error))
  return Readable.from(tar, { objectMode: false })
}
