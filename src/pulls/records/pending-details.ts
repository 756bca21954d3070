import type { Db } from '../../database/client.ts'
import { asJson, NOTHING_WRITTEN, type RecordCounts, type RecordRow, type RecordScope, type WriteOptions } from './upsert.ts'

/**
 * Records the list's rows of documents whose detail is wanted: new and changed ones are pending
 * until `upsertRecords` writes their detail. A known document keeps its data until then, so that
 * nobody reads a partial one.
 */
export async function upsertListed(
  db: Db,
  { app, module }: RecordScope,
  rows: RecordRow[],
  { runId, at }: Pick<WriteOptions, 'runId' | 'at'>,
): Promise<RecordCounts> {
  if (rows.length === 0) return NOTHING_WRITTEN
  const noted = await db.$queryRaw<{ inserted: boolean }[]>`
    insert into zoho_record as r (app, module, record_id, data, raw, modified_at, listed_modified_at, search, detailed, needs_detail, run_id, created_at, updated_at)
    select ${app}, ${module}, t.record_id, coalesce(t.clean, t.raw)::jsonb, t.raw, t.modified_at, t.modified_at, t.search, false, true, ${runId}::uuid, ${at}, ${at}
    from jsonb_to_recordset(${asJson(rows)}::jsonb) as t(record_id text, raw text, clean text, modified_at timestamptz, search text)
    on conflict (app, module, record_id) do update set
      listed_modified_at = excluded.listed_modified_at, needs_detail = true, deleted_at = null, run_id = excluded.run_id, updated_at = excluded.updated_at
    -- A list without times does not show what changed, so every detail is fetched.
    where r.listed_modified_at is distinct from excluded.listed_modified_at or excluded.listed_modified_at is null
      or r.deleted_at is not null or not (r.detailed or r.needs_detail)
    returning (xmax = 0) as inserted`
  const inserted = noted.filter((row) => row.inserted).length
  return { new: inserted, updated: noted.length - inserted, unchanged: rows.length - noted.length, restored: 0 }
}

/**
 * Writes list rows of documents whose detail is not wanted now: it stays pending. An unchanged
 * document keeps its detail. Returns which were new or changed.
 */
export async function upsertListRows(
  db: Db,
  { app, module }: RecordScope,
  rows: RecordRow[],
  { runId, at, changedIn = 0 }: WriteOptions,
): Promise<RecordCounts & { changed: string[] }> {
  if (rows.length === 0) return { ...NOTHING_WRITTEN, changed: [] }
  const written = await db.$queryRaw<{ record_id: string; inserted: boolean }[]>`
    insert into zoho_record as r (app, module, record_id, data, raw, modified_at, listed_modified_at, search, detailed, needs_detail, changed_in, run_id, created_at, updated_at)
    select ${app}, ${module}, t.record_id, coalesce(t.clean, t.raw)::jsonb, t.raw, t.modified_at, t.modified_at, t.search, false, true, ${changedIn}, ${runId}::uuid, ${at}, ${at}
    from jsonb_to_recordset(${asJson(rows)}::jsonb) as t(record_id text, raw text, clean text, modified_at timestamptz, search text)
    on conflict (app, module, record_id) do update set
      data = excluded.data, raw = excluded.raw, modified_at = excluded.modified_at, listed_modified_at = excluded.listed_modified_at, search = excluded.search,
      detailed = false, needs_detail = true, deleted_at = null, changed_in = excluded.changed_in, run_id = excluded.run_id, updated_at = excluded.updated_at
    where r.listed_modified_at is distinct from excluded.listed_modified_at or r.deleted_at is not null or (not r.detailed and r.data is distinct from excluded.data)
    returning record_id, (xmax = 0) as inserted`
  const inserted = written.filter((row) => row.inserted).length
  return {
    new: inserted,
    updated: written.length - inserted,
    unchanged: rows.length - written.length,
    restored: 0,
    changed: written.map((row) => row.record_id),
  }
}

/**
 * Returns which of a module's documents still need their detail, in the order of their ids;
 * `among`: only those that pages of this run have listed.
 */
export async function idsNeedingDetail(
  db: Db,
  { app, module }: RecordScope,
  { after, limit, among }: { after: string; limit: number; among?: { runId: string; from: number; to: number } | undefined },
): Promise<string[]> {
  const rows = among
    ? await db.$queryRaw<{ record_id: string }[]>`
        select record_id from zoho_record where app = ${app} and module = ${module} and needs_detail and deleted_at is null and record_id > ${after}
          and record_id in (select unnest(ids) from run_page where run_id = ${among.runId}::uuid and number between ${among.from} and ${among.to})
        order by record_id limit ${limit}`
    : await db.zohoRecord.findMany({
        where: { app, module, needs_detail: true, deleted_at: null, record_id: { gt: after } },
        select: { record_id: true },
        orderBy: { record_id: 'asc' },
        take: limit,
      })
  return rows.map((row) => row.record_id)
}
