import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PRIVATE_FILE_MODE } from '../../lib/data-dir.ts'
import { fsyncPath } from '../../lib/fsync.ts'

export interface WrittenFile {
  rows: number
  bytes: number
  sha256: string
}

/** Bytes are written when this much has collected: few system calls, little memory. */
const BUFFER_CHARS = 256 * 1024

/**
 * Creates a file with a JSON array, one record a line, each as it was given. It is written under a
 * name with a dot and renamed when it is complete and on the disk: a crash leaves the whole file or
 * none.
 */
export async function createJsonArrayFile(path: string) {
  const partial = join(dirname(path), `.${basename(path)}.part`)
  const handle = await open(partial, 'w', PRIVATE_FILE_MODE)
  const hash = createHash('sha256')
  let waiting = '[\n'
  let rows = 0
  let bytes = 0

  async function flush(): Promise<void> {
    const chunk = Buffer.from(waiting, 'utf8')
    waiting = ''
    hash.update(chunk)
    bytes += chunk.length
    await handle.writeFile(chunk)
  }

  return {
    async add(raw: string): Promise<void> {
      waiting += rows === 0 ? raw : `,\n${raw}`
      rows++
      if (waiting.length > BUFFER_CHARS) await flush()
    },
    async finish(): Promise<WrittenFile> {
      waiting += rows === 0 ? ']\n' : '\n]\n'
      await flush()
      await handle.sync()
      await handle.close()
      await rename(partial, path)
      await fsyncPath(dirname(path))
      return { rows, bytes, sha256: hash.digest('hex') }
    },
    async abandon(): Promise<void> {
      await handle.close()
      await rm(partial, { force: true })
    },
  }
}

export type JsonArrayFile = Awaited<ReturnType<typeof createJsonArrayFile>>

/** Replaces a small file in one step. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.part`)
  const handle = await open(partial, 'w', PRIVATE_FILE_MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, path)
  await fsyncPath(dirname(path))
}
