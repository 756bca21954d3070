import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NotFound } from '../errors.ts'
import type { PhotoStore } from './store.ts'

/**
 * Bytes on disk: `originals/ab/<sha256>` and `variants/ab/<sha256>` under the pictures' folder.
 * Write order for originals: temporary file, fsync, rename, fsync of the folder; the database row comes after all of that,
 * so a kill at any point leaves at most a file without a row, never a row without its file.
 */
export function createFileStore(root: string): PhotoStore {
  const temporary = join(root, 'tmp')
  const pathOf: PhotoStore['pathOf'] = (kind, sha256) => join(root, kind, sha256.slice(0, 2), sha256)
  const made = new Set<string>()

  async function folder(path: string): Promise<void> {
    if (made.has(path)) return
    await mkdir(path, { recursive: true })
    made.add(path)
  }
  async function sync(path: string): Promise<void> {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  return {
    pathOf,
    async temporaryPath() {
      await folder(temporary)
      return join(temporary, `${process.pid}-${randomUUID()}`)
    },
    async keepOriginal(from, sha256) {
      const to = pathOf('originals', sha256)
      await folder(dirname(to))
      await chmod(from, 0o444) // the view links to it, and nobody should edit a picture through a link
      await sync(from)
      await rename(from, to)
      await sync(dirname(to))
    },
    async keepVariant(from, sha256) {
      const to = pathOf('variants', sha256)
      await folder(dirname(to))
      await rename(from, to)
    },
    async open(kind, sha256, range) {
      try {
        const file = await open(pathOf(kind, sha256))
        const { size } = await file.stat()
        return { size, stream: file.createReadStream(range) }
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
        throw new NotFound('picture_file_missing', 'The picture is known but its file is missing', {
          cause,
          remedy: 'Run `zinc images verify --repair`.',
        })
      }
    },
    has: (kind, sha256) =>
      stat(pathOf(kind, sha256)).then(
        () => true,
        () => false,
      ),
    async sweep() {
      let removed = 0
      for (const name of await readdir(temporary).catch(() => [])) {
        const pid = Number(name.split('-')[0])
        if (pid !== process.pid && isAlive(pid)) continue
        await rm(join(temporary, name), { force: true })
        removed++
      }
      return removed
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
