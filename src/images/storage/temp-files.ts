import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Temporary files of this machine, in one folder; each name begins with the id of the process that
 * created it.
 */
export function createTempFiles(folder: string) {
  let made: Promise<unknown> | undefined
  return {
    async path(): Promise<string> {
      made ??= mkdir(folder, { recursive: true })
      await made
      return join(folder, `${process.pid}-${randomUUID()}`)
    },
    /** Removes the files of dead processes. */
    async sweep(): Promise<number> {
      let removed = 0
      for (const name of await readdir(folder).catch(() => [])) {
        const pid = Number(name.split('-')[0])
        if (pid === process.pid || isAlive(pid)) continue
        await rm(join(folder, name), { force: true, recursive: true })
        removed++
      }
      return removed
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
