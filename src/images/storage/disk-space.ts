import { ServiceUnavailableError } from '../../lib/errors.ts'
import type { BlobStore } from './blob-store.ts'

/**
 * Kept free for the database and the logs on the same disk: a completely full disk stops more than
 * images.
 */
const RESERVE_BYTES = 1024 ** 3
const RESERVE_SHARE = 0.05

/** No room for another image; all stored images stay and are served. */
export class StorageFullError extends ServiceUnavailableError<'storage_full'> {
  constructor(cause?: unknown) {
    super('storage_full', {}, { cause, retryAfterMs: 60_000 })
  }
}

/**
 * The storage does not accept or return any image at the moment: for example a bucket that does not
 * answer, or refuses our keys.
 */
export class StorageUnavailableError extends ServiceUnavailableError<'storage_unavailable'> {
  constructor(reason: string, cause: unknown) {
    super('storage_unavailable', { problem: reason }, { cause, retryAfterMs: 30_000 })
  }
}

/** Not an error of the image at hand: every other would meet it too. */
export const isStorageError = (error: unknown): error is StorageFullError | StorageUnavailableError =>
  error instanceof StorageFullError || error instanceof StorageUnavailableError

/** The smaller of 1 GiB and a twentieth of the disk. 0 where space is unlimited. */
export function minFreeBytes(space: { total: number } | null): number {
  return space ? Math.min(RESERVE_BYTES, Math.floor(space.total * RESERVE_SHARE)) : 0
}

/**
 * An image needs room for its variants too: measured with 54 photographs, 0.22 of the original's
 * size on average and 0.55 at most.
 */
const WITH_VARIANTS = 1.6

/**
 * Bytes that this process writes to a store: the total ever reserved, and the part of it that is
 * written or released.
 */
const promises = new WeakMap<BlobStore, { promised: number; over: number }>()

/**
 * Reserves room for `bytes` and their variants until it is disposed. Concurrent reservations count,
 * too: together they could fill the disk completely although each alone leaves the reserve. Throws
 * StorageFullError when it would use the reserve.
 */
export async function reserveDiskSpace(store: BlobStore, bytes: number): Promise<Disposable> {
  const counts = promises.get(store) ?? { promised: 0, over: 0 }
  promises.set(store, counts)
  // A reservation that ends while the disk is read may not be in its figure yet.
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
/** Maps the error of a disk that filled up during a write to ours. */
export const toStorageError = (error: unknown): unknown =>
  error instanceof Error && FULL.has(String((error as NodeJS.ErrnoException).code)) ? new StorageFullError(error) : error
