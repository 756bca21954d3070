import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import type { StoredKind } from '../images/storage/blob-store.ts'

/** The folders of files beside the database and the images, by their names in a backup. */
export interface BackupFolders {
  settings: string
  sync_sessions: string
  raw_json: string
  reports: string
  imports: string
}

/** A image that the rows of the snapshot name. */
export interface WantedImage {
  kind: StoredKind
  sha256: string
}

/** Yields them by hash, a page at a time; inside the transaction of the dump. */
export async function* imagesIn(client: pg.Client): AsyncGenerator<WantedImage[]> {
  await client.query(`declare backup_images no scroll cursor for
    select 'originals' as kind, sha256 from blob where removed_at is null
    union select 'received', received_sha256 from blob where received_sha256 is not null and removed_at is null
    union select 'variants', sha256 from variant
    union select 'imports', archive from image_import where archive is not null
    order by sha256, kind`)
  for (;;) {
    const { rows } = await client.query<WantedImage>('fetch 5000 from backup_images')
    if (rows.length === 0) return
    yield rows
  }
}

/** Key files, and what a rotation that was killed left of them. */
const KEY_FILE = /\.key(\..*)?$/

/** Yields the files below the folders with their names in the backup; links are left out. */
export async function* filesIn(folders: BackupFolders): AsyncGenerator<{ name: string; path: string }> {
  for (const [folder, root] of Object.entries(folders)) yield* walk(folder, root, folder === 'settings')
}

async function* walk(name: string, path: string, isSettings: boolean): AsyncGenerator<{ name: string; path: string }> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = { name: `${name}/${entry.name}`, path: join(path, entry.name) }
    if (entry.isDirectory()) yield* walk(at.name, at.path, isSettings)
    else if (entry.isFile() && !(isSettings && KEY_FILE.test(entry.name))) yield at
  }
}

/** Returns the folders of an installation. */
export const backupFolders = (
  dataDir: string,
  { sessionsDir, rawDir, reportsDir }: { sessionsDir: string; rawDir: string; reportsDir: string },
): BackupFolders => ({
  settings: join(dataDir, 'settings'),
  sync_sessions: sessionsDir,
  raw_json: rawDir,
  reports: reportsDir,
  imports: join(dataDir, 'imports'),
})
