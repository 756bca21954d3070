import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * The keys of one purpose, newest first: from the environment, else from `file`, which is made at the first start (32 random bytes, mode 0600).
 * Two processes that start at once end with the same key: the file is linked into place, and the second finds it there.
 */
export async function loadOrCreateKeys(file: string, fromEnvironment: string[]): Promise<Buffer[]> {
  if (fromEnvironment.length > 0) return fromEnvironment.map((value) => Buffer.from(value, 'base64'))
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}.new`
  await writeFile(fresh, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  await link(fresh, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(fresh)
  return [Buffer.from((await readFile(file, 'utf8')).trim(), 'base64')]
}
