import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Larger than any file that is read this way. */
const MAX_BYTES = 64 * 1024

/**
 * Opens a file in a folder that another account may write to. A link of either kind, a pipe or a
 * device could be planted there to make zinc read, write or reveal something else, or wait for
 * ever; those are refused with an error whose code is `ELOOP` or `EINVAL`.
 */
export async function openNoFollow(path: string, flags: number, mode?: number): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode)
  const stats = await handle.stat()
  if (stats.isFile() && stats.nlink === 1) return handle
  await handle.close()
  throw Object.assign(new Error(`${path} is not a plain file`), { code: 'EINVAL' })
}

/**
 * Returns the text of a small file in a folder that another account may write to; null where there
 * is no regular file.
 */
export async function readNoFollow(path: string): Promise<string | null> {
  try {
    await using handle = await openNoFollow(path, constants.O_RDONLY)
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return null
  }
}
