import type { PhotoStore } from './store.ts'

/**
 * Two places as one, while pictures move from the old to the new: everything new goes to the new one, what is not there yet is read from the old one.
 * So every picture can be read at any moment of the move, whatever is killed.
 */
export function createMovingStore(to: PhotoStore, from: PhotoStore): PhotoStore {
  return {
    place: to.place,
    temporaryPath: () => to.temporaryPath(),
    sweep: async () => (await to.sweep()) + (await from.sweep()),
    space: () => to.space(),
    keep: (kind, temporary, sha256) => to.keep(kind, temporary, sha256),
    // A name never changes its bytes, so the order of looking is only one of speed.
    open: async (kind, sha256, range) =>
      (await to.sizeOf(kind, sha256)) === null ? from.open(kind, sha256, range) : to.open(kind, sha256, range),
    borrow: async (kind, sha256, signal) =>
      (await to.sizeOf(kind, sha256)) === null ? from.borrow(kind, sha256, signal) : to.borrow(kind, sha256, signal),
    localPath: (kind, sha256) => to.localPath(kind, sha256),
    sizeOf: async (kind, sha256) => (await to.sizeOf(kind, sha256)) ?? (await from.sizeOf(kind, sha256)),
    remove: async (kind, sha256) => {
      await to.remove(kind, sha256)
      await from.remove(kind, sha256)
    },
    async *list(kind) {
      const seen = new Set<string>()
      for await (const entry of to.list(kind)) {
        seen.add(entry.sha256)
        yield entry
      }
      for await (const entry of from.list(kind)) if (!seen.has(entry.sha256)) yield entry
    },
  }
}
