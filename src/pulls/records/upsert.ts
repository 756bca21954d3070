import type { Db } from '../../database/client.ts'
import { sanitizeForJsonb } from '../../lib/jsonb.ts'

/** A Zoho app and one of its modules, for example books/invoices or crm/Contacts. */
export interface RecordScope {
  app: 'books' | 'invoice' | 'inventory' | 'crm'
  module: string
}

export interface RecordRow {
  record_id: string
  /** The record's JSON as Zoho wrote it. */
  raw: string
  modified_at: Date | null
  /** What people may search it by; see `searchText`. */
  search: string
}

export interface WriteOptions {
  /** The run that writes, if any. */
  runId: string | null
  at: Date
  /** These are detail records, not rows of a list. */
  detailed?: boolean | undefined
  /**
   * For pulls with files: the number of the module's current pull, stored with the records that it
   * changes.
   */
  changedIn?: number | undefined
}

export interface RecordCounts {
  new: number
  updated: number
  unchanged: number
  /** Was deleted and exists again; also counted in `updated`. */
  restored: number
}

export const NOTHING_WRITTEN: RecordCounts = { new: 0, updated: 0, unchanged: 0, restored: 0 }

/**
 * For jsonb_to_recordset: `t(record_id text, raw text, clean text, modified_at timestamptz, search
 * text)`.
 */
export const asJson = (rows: RecordRow[]): string =>
  JSON.stringify(
    rows.map(({ record_id, raw, modified_at, search }) => {
      const clean = sanitizeForJsonb(raw)
      return { record_id, raw: raw.toWellFormed(), modified_at, search, ...(clean !== raw && { clean }) }
    }),
  )

/**
 * Writes any number of records in one statement; equal ones are not written. A deleted one that is
 * back is restored. Ids must differ.
 */
export async function upsertRecords(
  db: Db,
  { app, module }: RecordScope,
  rows: RecordRow[],
  { runId, at, detailed = false, changedIn = 0 }: WriteOptions,
): Promise<RecordCounts> {
  if (rows.length === 0) return NOTHING_WRITTEN
  const ids = rows.map((row) => row.record_id)
  const gone = await db.zohoRecord.count({ where: { app, module, record_id: { in: ids }, deleted_at: { not: null } } })
  const written = await db.$queryRaw<{ inserted: boolean }[]>`
    insert into zoho_record as r (app, module, record_id, data, raw, modified_at, listed_modified_at, search, detailed, needs_detail, changed_in, run_id, created_at, updated_at)
    select ${app}, ${module}, t.record_id, coalesce(t.clean, t.raw)::jsonb, t.raw, t.modified_at, t.modified_at, t.search, ${detailed}, false, ${changedIn}, ${runId}::uuid, ${at}, ${at}
    from jsonb_to_recordset(${asJson(rows)}::jsonb) as t(record_id text, raw text, clean text, modified_at timestamptz, search text)
    on conflict (app, module, record_id) do update set
      data = excluded.data, raw = excluded.raw, modified_at = coalesce(excluded.modified_at, r.listed_modified_at), search = excluded.search,
      -- A detail keeps the time from the list: the next listing finds a change between the two.
      listed_modified_at = case when ${detailed} then coalesce(r.listed_modified_at, excluded.listed_modified_at) else excluded.listed_modified_at end,
      detailed = excluded.detailed, needs_detail = false, deleted_at = null, changed_in = excluded.changed_in, run_id = excluded.run_id, updated_at = excluded.updated_at
    where (r.data, r.detailed, r.needs_detail, r.deleted_at, r.listed_modified_at) is distinct from
      (excluded.data, excluded.detailed, false, null::timestamptz, case when ${detailed} then r.listed_modified_at else excluded.listed_modified_at end)
    returning (xmax = 0) as inserted`
  const inserted = written.filter((row) => row.inserted).length
  return { new: inserted, updated: written.length - inserted, unchanged: rows.length - written.length, restored: gone }
}

/** Marks these records as deleted; returns how many were not deleted yet. */
export async function markDeleted(
  db: Db,
  { app, module }: RecordScope,
  ids: string[],
  { runId, at }: { runId: string | null; at: Date },
): Promise<number> {
  if (ids.length === 0) return 0
  const { count } = await db.zohoRecord.updateMany({
    where: { app, module, record_id: { in: ids }, deleted_at: null },
    data: { deleted_at: at, updated_at: at, run_id: runId, needs_detail: false },
  })
  return count
}
