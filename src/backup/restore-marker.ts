import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../lib/errors.ts'
import { fsyncPath } from '../lib/fsync.ts'

const NAME = '.zinc-restore.json'

/** Which backup a restore of this data folder has begun with. */
const Marker = z.object({ backup_id: z.string(), target: z.string(), new_keys: z.boolean() })
export type RestoreMarker = z.infer<typeof Marker>

/** Null: no restore has begun, or it was finished. */
export async function readRestoreMarker(dataDir: string): Promise<RestoreMarker | null> {
  const text = await readFile(join(dataDir, NAME), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : Marker.parse(JSON.parse(text))
}

export async function writeRestoreMarker(dataDir: string, marker: RestoreMarker): Promise<void> {
  await writeFile(join(dataDir, NAME), `${JSON.stringify(marker)}\n`, { mode: 0o600 })
  await fsyncPath(join(dataDir, NAME))
  await fsyncPath(dataDir)
}

export const removeRestoreMarker = (dataDir: string): Promise<void> => rm(join(dataDir, NAME), { force: true })

/** Half of a shop must not be served. Throws StartupError `restore_unfinished` (exit status 1). */
export async function refuseUnfinishedRestore(dataDir: string): Promise<void> {
  const marker = await readRestoreMarker(dataDir)
  if (marker) throw new StartupError('restore_unfinished', { target: marker.target, backup_id: marker.backup_id }, { exitStatus: 1 })
}
