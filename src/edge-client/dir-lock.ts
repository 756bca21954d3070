import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Allows one pull at a time in a folder; the lock of a dead process is taken over. */
export async function lockDir(dir: string): Promise<AsyncDisposable> {
  const path = join(dir, '.zinc-lock')
  for (;;) {
    try {
      const handle = await open(path, 'wx', 0o600)
      try {
        await handle.writeFile(String(process.pid))
      } catch (error) {
        // A full disk has no room for the process id, but photos that will be removed make room:
        // the lock is held all the same.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        await handle.close()
      }
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const owner = Number(await readFile(path, 'utf8').catch(() => ''))
      if (owner !== process.pid && isAlive(owner)) throw new LockedError(dir, owner)
      await rm(path, { force: true })
    }
  }
}

export class LockedError extends Error {
  constructor(dir: string, owner: number) {
    super(`Another pull (process ${owner}) works in ${dir}`)
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
