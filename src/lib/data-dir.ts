import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, open, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartupError } from './errors.ts'
import { describeSystemError } from './startup-error.ts'

/**
 * Other accounts may pass through the data folder, as nginx does to the images and PostgreSQL's
 * account to its files, but not list it. Each folder inside has its own rights.
 */
const DATA_DIR_MODE = 0o711
/** Folders with the shop's confidential data. */
const PRIVATE_FOLDERS = ['sync_sessions', 'raw_json', 'reports', 'imports']

/**
 * Creates DATA_DIR where it is missing, checks that it is writable, and restricts what an older
 * zinc left readable. Throws StartupError `data_dir_unusable` (exit status 1).
 */
export async function openDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir, { mode: DATA_DIR_MODE })
    await rmdir(await mkdtemp(join(dataDir, '.try-')))
    for (const name of PRIVATE_FOLDERS) await closeToOthers(join(dataDir, name))
  } catch (cause) {
    throw dataDirUnusable(dataDir, cause)
  }
}

/**
 * Creates a folder and its missing parents, step by step: Node's own `recursive` never ends on a
 * file system that reports a new folder as missing, such as /proc.
 */
export async function makeFolder(
  folder: string,
  { mode, parentMode }: { mode?: number | undefined; parentMode?: number | undefined } = {},
): Promise<void> {
  const parent = dirname(folder)
  const exists = await access(parent).then(
    () => true,
    () => false,
  )
  if (!exists && parent !== folder) await makeFolder(parent, { mode: parentMode, parentMode })
  await mkdir(folder, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/**
 * Removes the rights of all other accounts; those of the group stay, since a program that delivers
 * files there may need them.
 */
async function closeToOthers(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    const { mode } = await handle.stat()
    if ((mode & 0o007) !== 0) await handle.chmod(mode & 0o770)
  } catch {
    // It does not exist, is a link that was made on purpose, or belongs to another account.
  }
}

/** Creates a folder, and its missing parents, for this account only. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await makeFolder(folder, { mode: 0o700, parentMode: 0o700 })
}
/** Mode of files with the shop's business data. */
export const PRIVATE_FILE_MODE = 0o600

export const dataDirUnusable = (folder: string, cause: unknown): StartupError =>
  new StartupError('data_dir_unusable', { folder, problem: describeSystemError(cause) ?? String(cause) }, { exitStatus: 1, cause })
