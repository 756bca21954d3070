import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StartupError } from '../lib/errors.ts'
import { fsyncPath } from '../lib/fsync.ts'

/** The keys of one purpose, newest first. The first one encrypts or signs, all of them read. */
export interface KeyRing {
  keys(): Buffer[]
  /** Null: the keys come from the environment and can be changed only there. */
  file: string | null
}

const read = (text: string): Buffer[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => Buffer.from(line.trim(), 'base64'))

/**
 * Opens the keys of the environment, otherwise of `file`: one key a line, created at the first
 * start (32 random bytes, mode 0600). Two concurrent first starts end with the same key: the file
 * is linked into place, and the second finds it there. A file that changes at run time (`zinc keys
 * rotate`) is read again, so that every process uses the new key immediately.
 */
export async function openKeyRing(file: string, fromEnvironment: string[]): Promise<KeyRing> {
  if (fromEnvironment.length > 0) {
    const keys = fromEnvironment.map((value) => Buffer.from(value, 'base64'))
    return { keys: () => keys, file: null }
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}.new`
  await writeSynced(fresh, `${randomBytes(32).toString('base64')}\n`)
  await link(fresh, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(fresh)
  await fsyncPath(dirname(file))
  let known = { keys: read(await readFile(file, 'utf8')), version: versionOf(file) }
  if (known.keys.length === 0 || known.keys.some((key) => key.length !== 32)) {
    throw new StartupError('invalid_key_file', { file }, { exitStatus: 2 })
  }
  return {
    file,
    keys() {
      const version = versionOf(file)
      // A file that is briefly missing changes nothing: the rows were made with the keys in memory.
      if (version !== null && version !== known.version) known = { keys: read(readFileSync(file, 'utf8')), version }
      return known.keys
    },
  }
}

function versionOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat ? `${stat.ino} ${stat.mtimeMs}` : null
}

/**
 * Adds a new key before the newest one and deletes older ones. Crash-safe: the file is the old one
 * or the new one.
 */
export async function rotateKeyFile(file: string): Promise<void> {
  const [newest] = (await readFile(file, 'utf8')).split('\n')
  const fresh = `${file}.${process.pid}.new`
  await writeSynced(fresh, `${randomBytes(32).toString('base64')}\n${newest}\n`)
  await rename(fresh, file)
  await fsyncPath(dirname(file))
}

/**
 * On the disk before anything is encrypted with it: a key lost in a machine crash would take every
 * secret with it.
 */
async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
