import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PendingDownload } from './state.ts'

/**
 * zinc's own image files, in its own folder. Elsewhere another client may have named its files by
 * ids, too.
 */
const OWN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z0-9]{1,5}$/

export type AdoptableFiles = Awaited<ReturnType<typeof openAdoptableFiles>>

/**
 * Finds the images that another client has left in `from`, whatever their names: by size first,
 * then by the hash of their bytes, so that only files that may match are read. Links are not
 * followed. `dir` is the folder of the pull.
 */
export async function openAdoptableFiles(from: string, dir: string) {
  const bySize = new Map<number, string[]>()
  const hashes = new Map<string, Promise<string | null>>()
  const adopted = new Set<string>()
  async function look(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) await look(path)
      if (!entry.isFile() || entry.name.startsWith('.') || (inPlace && folder === from && OWN.test(entry.name))) continue
      const { size } = await lstat(path)
      bySize.set(size, [...(bySize.get(size) ?? []), path])
    }
  }
  const inPlace = (await realpath(from)) === (await realpath(dir))
  await look(from)

  function hashOf(path: string): Promise<string | null> {
    const known = hashes.get(path)
    if (known) return known
    // A file that cannot be read is downloaded instead.
    const fresh = hashFile(path).catch(() => null)
    hashes.set(path, fresh)
    return fresh
  }

  return {
    /** Returns the wanted bytes from that folder; null: they are not there. */
    async find({ sha256, size }: PendingDownload): Promise<Buffer | null> {
      if (sha256 === null || size === null) return null
      for (const path of bySize.get(size) ?? []) {
        if ((await hashOf(path)) !== sha256) continue
        const bytes = await readFile(path).catch(() => null)
        if (bytes) adopted.add(path)
        return bytes
      }
      return null
    },
    /**
     * When both folders are the same, deletes the files under their old names: the images exist
     * under their new ones.
     */
    async finish(): Promise<number> {
      if (inPlace) for (const path of adopted) await rm(path, { force: true })
      return adopted.size
    },
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
