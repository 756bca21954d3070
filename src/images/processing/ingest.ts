import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Database } from '../../database/client.ts'
import { advisoryXactLock } from '../../database/locks.ts'
import type { Blob } from '../../generated/client.ts'
import { BadGatewayError, PayloadTooLargeError, ServiceUnavailableError } from '../../lib/errors.ts'
import type { BlobStore, StoredKind } from '../storage/blob-store.ts'
import { reserveDiskSpace, toStorageError } from '../storage/disk-space.ts'
import { type BlobRows, type BlobWriter, writeBlobs } from './blob-batch.ts'
import { EFFORT, LARGEST_FIRST, type VariantSettingsStore } from './variant-settings.ts'
import type { VariantJob, WorkerPool } from './worker-pool.ts'

export interface IngestDeps {
  db: Database
  store: BlobStore
  workers: WorkerPool
  variantSettings: VariantSettingsStore
  writeBlob: BlobWriter
  limits: { maxBytes: number; maxPixels: number; maxSide: number }
}

export interface IngestOptions {
  acceptDamaged?: boolean
  /** The announced length; a shorter or longer body is a transfer error. */
  expectedBytes?: number | null
  /** Refuse with `overloaded` when this many images wait for a decoder; without it, wait. */
  maxWaiting?: number
}

/** The lock that storing bytes and deleting unreferenced ones both take. */
export const blobLock = (sha256: string): string => `blob ${sha256}`

/**
 * Stores an image: hashes it while it arrives, checks its bytes, makes its variants, stores the
 * files and then writes the rows. Known bytes are not decoded again. The caller gives the blob to a
 * product; until then nothing refers to it. Throws PayloadTooLargeError, InvalidImageError,
 * UnsupportedMediaTypeError, StorageFullError, BadGatewayError `incomplete`.
 */
export async function ingestImage(
  { db, store, workers, variantSettings, writeBlob, limits }: IngestDeps,
  bytes: Readable,
  signal: AbortSignal,
  { acceptDamaged = false, expectedBytes = null, maxWaiting }: IngestOptions = {},
): Promise<Blob> {
  using _room = await reserveDiskSpace(store, expectedBytes ?? 0)
  const path = await store.temporaryPath()
  /** Temporary files that may exist; those that were stored are removed from the set. */
  const leftover = new Set([path])
  const keep = async (kind: StoredKind, temporary: string, sha256: string) => {
    await store.keep(kind, temporary, sha256)
    leftover.delete(temporary)
  }
  try {
    const received = await saveToTemp(bytes, path, { maxBytes: limits.maxBytes, expectedBytes, signal })
    // A look into the store is cheaper than a query, and new bytes are the usual case. Without a
    // file there is nothing that garbage collection could delete meanwhile.
    const there = await store.sizeOf('originals', received.sha256)
    const known = there === null ? null : await db.blob.findUnique({ where: { sha256: received.sha256 } })
    if (known && (await isReady(db, known, there))) return known

    const variantConfig = await variantSettings.current()
    const variants: VariantJob[] = []
    for (const name of LARGEST_FIRST) {
      const output = await store.temporaryPath()
      leftover.add(output)
      variants.push({
        name,
        side: variantConfig.sizes[name],
        format: 'webp' as const,
        quality: variantConfig.quality.webp,
        effort: EFFORT.webp,
        output,
      })
    }
    const convertedTo = await store.temporaryPath()
    leftover.add(convertedTo)
    const job = { path, variants, convertedTo, maxPixels: limits.maxPixels, maxSide: limits.maxSide, acceptDamaged }
    const { image, variants: made } = await workers.decode(job, signal, maxWaiting === undefined ? {} : { maxWaiting })
    const { converted, ...info } = image
    const facts = { ...info, ...(converted ? { ...converted, received_sha256: received.sha256 } : received) }
    const keepVariants = made.map((variant, n) => keep('variants', variants[n]!.output, variant.sha256))
    const rows: BlobRows = { facts, settingsId: variantConfig.id, variants: made }
    if (known || converted) {
      await Promise.all(keepVariants)
      // Bytes that had a row may be deleted as garbage at this moment: both sides take the lock of
      // the hash.
      return await db.$transaction(
        async (tx) => {
          await advisoryXactLock(tx, blobLock(facts.sha256))
          if ((await store.sizeOf('originals', facts.sha256)) !== facts.size)
            await keep('originals', converted ? convertedTo : path, facts.sha256)
          const blob = (await writeBlobs(tx, [rows])).get(facts.sha256)!
          // Before the row is committed. Another file with the same pixels may have been first;
          // then its received bytes are kept.
          if (converted && blob.received_sha256 === received.sha256) await keep('received', path, received.sha256)
          return blob
        },
        { timeout: 30_000 },
      )
    }
    // New bytes are younger than the grace period, so garbage collection leaves them alone.
    await Promise.all([...keepVariants, keep('originals', path, facts.sha256)])
    const blob = await writeBlob(rows)
    // A repair may have deleted the file because it had no row yet; a row without its file must not
    // remain.
    if ((await store.sizeOf('originals', facts.sha256)) === null) throw new ServiceUnavailableError('image_removed')
    return blob
  } catch (error) {
    throw toStorageError(error)
  } finally {
    await Promise.all([...leftover].map((file) => rm(file, { force: true })))
  }
}

/**
 * Whether known bytes can be used as they are; if nothing refers to them, their grace period starts
 * again.
 */
async function isReady(db: Database, known: Blob, there: number | null): Promise<boolean> {
  if (known.removed_at || there !== Number(known.size)) return false
  if (!known.orphaned_at) return true
  const [saved] = await db.$queryRaw<{ sha256: string }[]>`
    update blob set orphaned_at = case when orphaned_at is null then null else clock_timestamp() end
    where sha256 = ${known.sha256} and removed_at is null returning sha256`
  return saved !== undefined
}

/**
 * Writes the stream to a new read-only file at `path` and returns its hashes. Throws
 * PayloadTooLargeError past `maxBytes`, BadGatewayError `incomplete`.
 */
export async function saveToTemp(
  bytes: Readable,
  path: string,
  { maxBytes, expectedBytes, signal }: { maxBytes: number; expectedBytes: number | null; signal: AbortSignal },
): Promise<{ sha256: string; md5: string }> {
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  let size = 0
  // Read-only from the start: item links point to it, and nobody should edit an image through a
  // link.
  const file = await open(path, 'wx', 0o444)
  const stop = () => bytes.destroy(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      signal.throwIfAborted()
      size += chunk.length
      if (size > maxBytes) {
        throw new PayloadTooLargeError('image_too_large', { max_bytes: maxBytes })
      }
      sha256.update(chunk)
      md5.update(chunk)
      await file.writeFile(chunk)
    }
    signal.throwIfAborted()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await file.close()
  }
  if (expectedBytes !== null && size !== expectedBytes) {
    throw new BadGatewayError('incomplete', { size, expected_bytes: expectedBytes })
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}
