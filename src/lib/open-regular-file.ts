import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { BadRequestError } from './errors.ts'
import { describeSystemError } from './startup-error.ts'

/**
 * Opens a regular file. A pipe would be waited for and a device read without end; those and folders
 * are refused with an error whose code is `EINVAL` or `EISDIR`.
 */
export async function openRegularFile(path: string, flags: number = constants.O_RDONLY, mode?: number): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NONBLOCK, mode).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENXIO' ? notRegular(path, 'EINVAL') : cause // a socket
  })
  const stats = await handle.stat()
  if (stats.isFile()) return handle
  await handle.close()
  throw notRegular(path, stats.isDirectory() ? 'EISDIR' : 'EINVAL')
}

const notRegular = (path: string, code: 'EINVAL' | 'EISDIR') => Object.assign(new Error(`${path} is not a regular file`), { code, path })

/** Larger than any file that is read this way. */
const MAX_BYTES = 64 * 1024

/**
 * Opens a file in a folder that another account may write to. A link of either kind, a pipe or a
 * device could be planted there to make zinc read, write or reveal something else, or wait for
 * ever; those are refused with an error whose code is `ELOOP` or `EINVAL`.
 */
export async function openNoFollow(path: string, flags: number, mode?: number): Promise<FileHandle> {
  const handle = await openRegularFile(path, flags | constants.O_NOFOLLOW, mode)
  if ((await handle.stat()).nlink === 1) return handle
  await handle.close()
  throw notRegular(path, 'EINVAL')
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

/**
 * Opens a file that a person named, for reading. Throws BadRequestError `path_not_found`,
 * `file_unusable`.
 */
export const openNamedFile = (path: string): Promise<FileHandle> =>
  openRegularFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new BadRequestError('path_not_found', { path }, { cause })
    throw new BadRequestError('file_unusable.named', { path, problem: describeSystemError(cause) ?? cause.message }, { cause })
  })

/** Returns the text of such a file. Throws what openNamedFile throws. */
export async function readNamedFile(path: string): Promise<string> {
  await using handle = await openNamedFile(path)
  return handle.readFile('utf8')
}
