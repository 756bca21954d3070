import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { PhotoVariant } from '../contract/photo-sync.ts'
import { AppError } from '../errors.ts'
import type { HotFiles } from '../photos/hot-files.ts'
import type { DownloadFile, PhotoFiles } from './files.ts'
import type { FeedMoment, FeedStore } from './state.ts'

export interface ArchiveDeps {
  files: PhotoFiles
  hotFiles: HotFiles
}

/** Entries carry no time of the moment, so that the same photos make the same archive. */
const MTIME = new Date(0)

/**
 * A tar of photos in the order asked, two in memory at a time at most (one is read while the one before it is sent), written no faster than it is read. A photo that cannot be given is left out and named
 * in a last entry `errors.json`, which is there only then. Ends early when the signal aborts.
 */
export function writeArchive(
  { files, hotFiles }: ArchiveDeps,
  { moment, store, photoIds, variant }: { moment: FeedMoment; store: FeedStore; photoIds: string[]; variant: PhotoVariant | null },
  signal: AbortSignal,
): Readable {
  const tar = pack()
  const errors: { photo_id: string; code: string; message: string }[] = []
  async function add(name: string, bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // Called back when the reader has taken the bytes: that is what holds the next photo back.
      tar.entry({ name, size: bytes.length, mtime: MTIME, mode: 0o644 }, (error) => (error ? reject(error) : resolve())).end(bytes)
    })
  }

  /** The whole photo before its header is written: a header promises a length that cannot be taken back. */
  async function read(file: DownloadFile): Promise<Buffer> {
    const opened = await hotFiles.open(file)
    if (Buffer.isBuffer(opened)) return opened
    const chunks: Buffer[] = []
    for await (const chunk of opened) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  interface Entry {
    name: string
    bytes: Buffer
  }
  async function entryOf(photoId: string): Promise<Entry | AppError> {
    try {
      let file = await files.find(moment, store, photoId, variant)
      const bytes = await read(file).catch(async (error: unknown) => {
        const mended = await files.mend(file, variant, store)
        if (!mended) throw error
        file = mended
        return read(mended)
      })
      return { name: `${file.photoId}.${file.ext}`, bytes }
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

  async function write(): Promise<void> {
    let next: Promise<Entry | AppError> | null = null
    for (const [n, photoId] of photoIds.entries()) {
      signal.throwIfAborted()
      const entry = await (next ?? entryOf(photoId))
      const following = photoIds[n + 1]
      next = following === undefined ? null : entryOf(following)
      next?.catch(() => {}) // what is wrong with it is met in its own turn, if that comes
      if (entry instanceof AppError) errors.push({ photo_id: photoId, code: entry.code, message: entry.message })
      else await add(entry.name, entry.bytes)
    }
    if (errors.length > 0) await add('errors.json', Buffer.from(JSON.stringify(errors)))
    tar.finalize()
  }
  write().catch((error: Error) => tar.destroy(error))
  return Readable.from(tar, { objectMode: false })
}
