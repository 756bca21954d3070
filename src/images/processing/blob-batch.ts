import type { Database } from '../../database/client.ts'
import type { Blob } from '../../generated/client.ts'
import type { MadeVariant } from './worker-pool.ts'

export interface BlobInfo {
  sha256: string
  md5: string
  size: number
  content_type: string
  ext: string
  width: number
  height: number
  frames: number
  damaged: boolean
  /** Set when the bytes were converted from other bytes, which are stored too. */
  received_sha256?: string
  transparent?: boolean
}

export interface BlobRows {
  facts: BlobInfo
  settingsId: string
  variants: MadeVariant[]
}

/**
 * Writes the rows of any number of blobs and their variants in one statement. Nothing refers to
 * them yet, so they begin as orphans with a new date: those never given to a product are deleted
 * after the grace period. Throws when a row cannot be written; then none is.
 */
export async function writeBlobs(db: Pick<Database, '$queryRaw'>, rows: BlobRows[]): Promise<Map<string, Blob>> {
  const blobs = rows.map(({ facts }) => facts)
  const variants = rows.flatMap(({ facts, settingsId, variants: made }) =>
    made.map((variant) => ({ ...variant, source_sha256: facts.sha256, settings_id: settingsId, content_type: `image/${variant.format}` })),
  )
  const written = await db.$queryRaw<Blob[]>`
    with incoming as (
      select distinct on (sha256) * from jsonb_to_recordset(${JSON.stringify(blobs)}::jsonb) as t(
        sha256 text, md5 text, size bigint, content_type text, ext text, width integer, height integer, frames integer, damaged boolean, received_sha256 text, transparent boolean)
      order by sha256),
    written as (
      insert into blob (sha256, md5, size, content_type, ext, width, height, frames, damaged, received_sha256, transparent, orphaned_at)
      select sha256, md5, size, content_type, ext, width, height, frames, damaged, received_sha256, coalesce(transparent, false), clock_timestamp() from incoming
      on conflict (sha256) do update set
        received_sha256 = coalesce(blob.received_sha256, excluded.received_sha256), transparent = excluded.transparent,
        removed_at = null, orphaned_at = case when blob.orphaned_at is null then null else excluded.orphaned_at end
      returning *),
    smaller as (
      insert into variant (source_sha256, name, format, settings_id, sha256, md5, size, content_type, width, height)
      select distinct on (source_sha256, name, format, settings_id)
        source_sha256, name, format, settings_id, t.sha256, t.md5, t.size, t.content_type, t.width, t.height
      from jsonb_to_recordset(${JSON.stringify(variants)}::jsonb) as t(
        source_sha256 text, name text, format text, settings_id text, sha256 text, md5 text, size bigint, content_type text, width integer, height integer)
      -- Joined, so that a blob is locked before its variants, as garbage collection does.
      join written on written.sha256 = t.source_sha256
      order by source_sha256, name, format, settings_id
      on conflict (source_sha256, name, format, settings_id) do update set
        sha256 = excluded.sha256, md5 = excluded.md5, size = excluded.size, width = excluded.width, height = excluded.height)
    select * from written`
  return new Map(written.map((blob) => [blob.sha256, blob]))
}

export type BlobWriter = ReturnType<typeof createBlobWriter>

/**
 * Rows that arrive during a statement are written together in the next one: many images at once
 * take few statements, and a single one does not wait.
 */
export function createBlobWriter(db: Database) {
  let waiting: { rows: BlobRows; resolve(blob: Blob): void; reject(error: unknown): void }[] = []
  let busy = false
  async function work(): Promise<void> {
    busy = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const written = await writeBlobs(
          db,
          batch.map(({ rows }) => rows),
        )
        for (const { rows, resolve, reject } of batch) {
          const blob = written.get(rows.facts.sha256)
          if (blob) resolve(blob)
          else reject(new Error('the row of an image was not written'))
        }
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    busy = false
  }
  return (rows: BlobRows): Promise<Blob> =>
    new Promise((resolve, reject) => {
      waiting.push({ rows, resolve, reject })
      if (!busy) void work()
    })
}
