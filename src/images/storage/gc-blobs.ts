import type { Database } from '../../database/client.ts'
import { advisoryXactLock } from '../../database/locks.ts'
import { blobLock } from '../processing/ingest.ts'
import type { BlobStore } from './blob-store.ts'

export interface BlobGcDeps {
  db: Database
  store: BlobStore
}

const BATCH = 200

/**
 * Deletes bytes that nothing has referred to since `before`, with their variants. Each is checked
 * again under the lock of its hash, which storing and restoring wait for, so bytes that came back
 * into use stay. A row that a tombstone still names stays too, without its bytes. After a crash
 * between file and row, the row says that the file exists, and the next put of these bytes sees
 * that it does not.
 */
export async function deleteUnreferencedBlobs(
  { db, store }: BlobGcDeps,
  before: Date,
  signal: AbortSignal,
): Promise<{ removed: number; bytes: number }> {
  let removed = 0
  let bytes = 0
  for (let after = ''; ; ) {
    const candidates = await db.blob.findMany({
      where: { orphaned_at: { lt: before }, removed_at: null, sha256: { gt: after } },
      select: { sha256: true, size: true },
      orderBy: { sha256: 'asc' },
      take: BATCH,
    })
    for (const { sha256, size } of candidates) {
      signal.throwIfAborted()
      if (!(await removeOne({ db, store }, sha256, before))) continue
      removed++
      bytes += Number(size)
    }
    const last = candidates.at(-1)
    if (!last) return { removed, bytes }
    after = last.sha256
  }
}

function removeOne({ db, store }: BlobGcDeps, sha256: string, before: Date): Promise<boolean> {
  return db.$transaction(
    async (tx) => {
      await advisoryXactLock(tx, blobLock(sha256))
      const [still] = await tx.$queryRaw<{ sha256: string; received_sha256: string | null }[]>`
        select sha256, received_sha256 from blob where sha256 = ${sha256} and orphaned_at < ${before} and removed_at is null
          and not blob_is_used(sha256)
        for update`
      if (!still) return false
      const variants = await tx.$queryRaw<{ sha256: string }[]>`
        delete from variant where source_sha256 = ${sha256} returning sha256`
      // Two images can have the same small variant (two white squares, for example).
      for (const variant of variants) {
        if ((await tx.variant.count({ where: { sha256: variant.sha256 } })) === 0) await store.remove('variants', variant.sha256)
      }
      await store.remove('originals', sha256)
      if (still.received_sha256) await store.remove('received', still.received_sha256)
      const named = await tx.photo.count({ where: { sha256 } })
      if (named === 0) await tx.blob.delete({ where: { sha256 } })
      else await tx.blob.update({ where: { sha256 }, data: { removed_at: new Date() } })
      return true
    },
    { timeout: 60_000, maxWait: 30_000 },
  )
}

/**
 * Deletes variants of other settings than the current ones, once they are older than `before`;
 * requests make the new ones.
 */
export async function deleteOutdatedVariants(
  { db, store }: BlobGcDeps,
  settingsId: string,
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0
  for (;;) {
    signal.throwIfAborted()
    const old = await db.$queryRaw<{ sha256: string }[]>`
      delete from variant where ctid in (select ctid from variant where settings_id <> ${settingsId} and created_at < ${before} limit ${BATCH}) returning sha256`
    for (const { sha256 } of old) if ((await db.variant.count({ where: { sha256 } })) === 0) await store.remove('variants', sha256)
    removed += old.length
    if (old.length < BATCH) return removed
  }
}
