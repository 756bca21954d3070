import { NotFoundError } from '../../lib/errors.ts'
import type { BlobStore, StoredKind } from './blob-store.ts'

/**
 * Two storages as one, while images move from the old to the new: writes go to the new one, what is
 * missing there is read from the old one. So every image stays readable during the move, also after
 * a crash.
 */
export function createMigratingStore(to: BlobStore, from: BlobStore): BlobStore {
  /**
   * The bytes of a name never change, so either copy will do. One that moves at this moment is in
   * the new storage when it is missing from the old.
   */
  async function read<T>(kind: StoredKind, sha256: string, work: (store: BlobStore) => Promise<T>): Promise<T> {
    if ((await to.sizeOf(kind, sha256)) !== null) return work(to)
    return work(from).catch((error: unknown) => {
      if (error instanceof NotFoundError) return work(to)
      throw error
    })
  }
  return {
    backend: to.backend,
    temporaryPath: () => to.temporaryPath(),
    sweep: async () => (await to.sweep()) + (await from.sweep()),
    space: () => to.space(),
    keep: (kind, temporary, sha256) => to.keep(kind, temporary, sha256),
    open: (kind, sha256, range) => read(kind, sha256, (store) => store.open(kind, sha256, range)),
    openLocal: (kind, sha256, signal) => read(kind, sha256, (store) => store.openLocal(kind, sha256, signal)),
    localPath: (kind, sha256) => to.localPath(kind, sha256),
    sizeOf: async (kind, sha256) => (await to.sizeOf(kind, sha256)) ?? (await from.sizeOf(kind, sha256)) ?? to.sizeOf(kind, sha256),
    remove: async (kind, sha256) => {
      await to.remove(kind, sha256)
      await from.remove(kind, sha256)
    },
    async *list(kind, shard) {
      const seen = new Set<string>()
      for await (const entry of to.list(kind, shard)) {
        seen.add(entry.sha256)
        yield entry
      }
      for await (const entry of from.list(kind, shard)) if (!seen.has(entry.sha256)) yield entry
    },
  }
}
