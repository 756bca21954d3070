import { ServiceUnavailableError } from '../../lib/errors.ts'
import type { BlobStore } from './blob-store.ts'

/** Kept free for the database and the logs beside the pictures: a disk that is full to the last byte stops more than pictures. */
const RESERVE_BYTES = 1024 ** 3
const RESERVE_SHARE = 0.05

/** No room for another picture; everything that is there stays and is served. */
export class StorageFullError extends ServiceUnavailableError<'storage_full'> {
  constructor(cause?: unknown) {
    super('storage_full', {}, { cause, retryAfterMs: 60_000 })
  }
}

/** The place for pictures does not take or give them just now, whatever picture it is: a bucket that does not answer, or refuses our keys. */
export class StorageUnavailableError extends ServiceUnavailableError<'storage_unavailable'> {
  constructor(reason: string, cause: unknown) {
    super('storage_unavailable', { problem: reason }, { cause, retryAfterMs: 30_000 })
  }
}

/** Not the fault of the picture at hand: every other would meet it too. */
export const isStorageError = (error: unknown): error is StorageFullError | StorageUnavailableError =>
  error instanceof StorageFullError || error instanceof StorageUnavailableError

/** The smaller of 1 GiB and a twentieth of the disk. 0 where space has no end. */
export function minFreeBytes(space: { total: number } | null): number {
  return space ? Math.min(RESERVE_BYTES, Math.floor(space.total * RESERVE_SHARE)) : 0
}

/** A picture brings its variants along: measured with 54 photographs, 0.22 of the original's size in the middle and 0.55 at most. */
const WITH_VARIANTS = 1.6

/** Bytes that this process takes in for a store: all that were ever promised, and those of them that are written or given up. */
const promises = new WeakMap<BlobStore, { promised: number; over: number }>()

/**
 * Room for `bytes` and what is made of them, until it is disposed. What others take in at the same moment counts, too: together they would fill the
 * disk to its last byte though each alone leaves the reserve. Throws StorageFullError when it would eat into the reserve.
 */
export async function reserveDiskSpace(store: BlobStore, bytes: number): Promise<Disposable> {
  const counts = promises.get(store) ?? { promised: 0, over: 0 }
  promises.set(store, counts)
  // What ends while the disk is looked at may not be in its figure yet.
  const overBefore = counts.over
  const space = await store.space()
  const need = Math.ceil(bytes * WITH_VARIANTS)
  if (space && space.free - (counts.promised - overBefore) - need < minFreeBytes(space)) throw new StorageFullError()
  counts.promised += need
  return {
    [Symbol.dispose]() {
      counts.over += need
    },
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** A disk that filled up in the middle of a write, in our words. */
export const toStorageError = (error: unknown): unknown =>
  error instanceof Error && FULL.has(String((error as NodeJS.ErrnoException).code)) ? new StorageFullError(error) : error
