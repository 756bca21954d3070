import type { Logger } from 'pino'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { GRACE_DAYS } from '../gallery/bulk-edit.ts'
import { dropExpiredImports } from '../import/imports.ts'
import type { VariantSettingsStore } from '../processing/variant-settings.ts'
import type { BlobStore } from './blob-store.ts'
import { deleteOutdatedVariants, deleteUnreferencedBlobs } from './gc-blobs.ts'

export interface GarbageCollectionDeps {
  db: Database
  store: BlobStore
  variantSettings: VariantSettingsStore
  clock: Clock
  log: Logger
}

const DAY_MS = 86_400_000

/**
 * Deletes what nothing refers to, after its grace period. Several instances may do so concurrently;
 * locks keep them apart.
 */
export async function collectGarbage(
  { db, store, variantSettings, clock, log }: GarbageCollectionDeps,
  signal: AbortSignal,
): Promise<void> {
  const before = new Date(clock.now().getTime() - GRACE_DAYS * DAY_MS)
  const { removed, bytes } = await deleteUnreferencedBlobs({ db, store }, before, signal)
  const variants = await deleteOutdatedVariants({ db, store }, (await variantSettings.current()).id, before, signal)
  const imports = await dropExpiredImports({ db, store, clock })
  if (removed + variants + imports > 0) log.info({ images: removed, bytes, variants, imports }, 'unreferenced blobs deleted')
}
