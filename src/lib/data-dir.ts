import { access, mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartupError } from './errors.ts'
import { describeSystemError } from './startup-error.ts'

/** Makes DATA_DIR where it is missing, and proves that something can be written there. Throws StartupError `data_dir_unusable` (exit status 1). */
export async function openDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir)
    await rmdir(await mkdtemp(join(dataDir, '.try-')))
  } catch (cause) {
    throw dataDirUnusable(dataDir, cause)
  }
}

/** Step by step: Node's own `recursive` goes round for ever on a file system that says of a new folder that it is not there, such as /proc. */
async function makeFolder(folder: string): Promise<void> {
  const parent = dirname(folder)
  const exists = await access(parent).then(
    () => true,
    () => false,
  )
  if (!exists && parent !== folder) await makeFolder(parent)
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

export const dataDirUnusable = (folder: string, cause: unknown): StartupError =>
  new StartupError('data_dir_unusable', `The data folder ${folder} cannot be used: ${describeSystemError(cause) ?? String(cause)}`, {
    exitStatus: 1,
    cause,
    remedy: 'Set DATA_DIR to a folder that this account may write.',
  })
