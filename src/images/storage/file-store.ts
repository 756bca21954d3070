import { link, mkdir, open, opendir, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NotFoundError } from '../../lib/errors.ts'
import { fsyncPath } from '../../lib/fsync.ts'
import { type BlobStore, isContentName, SHARDS, type StoredKind } from './blob-store.ts'
import { hashFile } from './move-storage.ts'
import { createTempFiles } from './temp-files.ts'

/**
 * Bytes on disk: `originals/ab/<sha256>` and `variants/ab/<sha256>` in the images folder. Write
 * order for originals: temporary file, fsync, rename, fsync of the folder. The database row comes
 * after all of that, so a crash leaves at most a file without a row, never a row without its file.
 */
export function createFileStore<Kind extends string = StoredKind>(root: string): BlobStore<Kind> {
  const temporary = createTempFiles(join(root, 'tmp'))
  const pathOf = (kind: Kind, sha256: string) => join(root, kind, sha256.slice(0, 2), sha256)
  const made = new Set<string>()

  async function folder(path: string): Promise<void> {
    if (made.has(path)) return
    const first = await mkdir(path, { recursive: true })
    // A folder that is lost in a machine crash takes its files with it.
    for (let at = dirname(path); first && at.length >= dirname(first).length; at = dirname(at)) await fsyncPath(at)
    made.add(path)
  }

  return {
    backend: 'file',
    temporaryPath: () => temporary.path(),
    sweep: () => temporary.sweep(),
    localPath: pathOf,
    async keep(kind, from, sha256) {
      const to = pathOf(kind, sha256)
      await folder(dirname(to))
      if ((kind as string) === 'variants') return rename(from, to)
      await fsyncPath(from)
      // Of two concurrent writes the first file stays, since an item link may point to it; a
      // damaged file is replaced.
      const failure = await link(from, to).then(
        () => null,
        (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
      )
      const exists = failure === null || (failure === 'EEXIST' && (await hashFile(to).catch(() => null)) === sha256)
      if (exists) await rm(from, { force: true })
      else await rename(from, to)
      await fsyncPath(dirname(to))
    },
    async open(kind, sha256, range) {
      try {
        const file = await open(pathOf(kind, sha256))
        const { size } = await file.stat()
        return { size, stream: file.createReadStream(range) }
      } catch (cause) {
        throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? fileMissing(cause) : cause
      }
    },
    async openLocal(kind, sha256) {
      const path = pathOf(kind, sha256)
      await stat(path).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === 'ENOENT' ? fileMissing(cause) : cause
      })
      return { path, [Symbol.asyncDispose]: async () => {} }
    },
    sizeOf: (kind, sha256) =>
      stat(pathOf(kind, sha256)).then(
        ({ size }) => size,
        (error: NodeJS.ErrnoException) => {
          // A disk that does not answer must not look like a missing image.
          if (error.code === 'ENOENT') return null
          throw error
        },
      ),
    remove: (kind, sha256) => rm(pathOf(kind, sha256), { force: true }),
    async *list(kind, only) {
      for (const shard of only === undefined ? SHARDS : [only]) {
        const path = join(root, kind, shard)
        const entries = await opendir(path).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return null
          throw error
        })
        if (!entries) continue
        for await (const { name } of entries) {
          if (!isContentName(name)) continue
          const facts = await stat(join(path, name)).catch(() => null) // deleted since the folder was read
          if (facts) yield { sha256: name, size: facts.size, modified_at: facts.ctime } // the time of the rename
        }
      }
    },
    async space() {
      await folder(root)
      const { bavail, blocks, bsize } = await statfs(root)
      return { free: bavail * bsize, total: blocks * bsize }
    },
  }
}

export const fileMissing = (cause: unknown) => new NotFoundError('image_file_missing', {}, { cause })
