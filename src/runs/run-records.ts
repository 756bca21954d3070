import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'

export interface RunRecordEntry {
  record_id: string
  outcome: 'new' | 'updated' | 'removed' | 'restored'
  sku: string | null
  name: string | null
  product_id: string | null
  changes: Record<string, [unknown, unknown]>
}

/**
 * Returns a page of what a run did, or would do, to single records, in the order of their ids; its
 * cost does not grow with the depth.
 */
export function listRunRecords(
  db: Db,
  runId: string,
  { outcome, after, limit }: { outcome?: string | undefined; after?: string | undefined; limit: number },
): Promise<RunRecordEntry[]> {
  return db.$queryRaw<RunRecordEntry[]>`
    select r.record_id, r.outcome, r.sku, r.name, p.id as product_id, r.changes
    from run_record r left join product p on p.zoho_item_id = r.record_id
    where r.run_id = ${runId}::uuid
      ${outcome === undefined ? Prisma.empty : Prisma.sql`and r.outcome = ${outcome}`}
      ${after === undefined ? Prisma.empty : Prisma.sql`and r.record_id > ${after}`}
    order by r.record_id limit ${limit}`
}

export interface RecordHistoryEntry extends Pick<RunRecordEntry, 'outcome' | 'changes'> {
  run_id: string
  started_by: string | null
  at: Date
}

/** Runs that are looked at: each is one step in an index. */
const MAX_RUNS = 1_000
const MAX_HISTORY = 100

/** Returns what the latest runs did to one record, the newest first; dry runs did nothing. */
export function listRecordHistory(db: Db, recordId: string): Promise<RecordHistoryEntry[]> {
  return db.$queryRaw<RecordHistoryEntry[]>`
    with latest as materialized (
      select id, started_by, coalesce(started_at, created_at) as at from run
      where kind = 'items' and params->>'dry_run' is distinct from 'true' order by created_at desc limit ${MAX_RUNS}
    )
    select latest.id as run_id, latest.started_by, latest.at, r.outcome, r.changes
    from latest join run_record r on r.run_id = latest.id and r.record_id = ${recordId}
    order by latest.at desc limit ${MAX_HISTORY}`
}

/**
 * Records are useful for a while after a run, and the log of calls as long as a month's quota may
 * be disputed.
 */
const KEPT_DAYS = 30

/** Deletes the records of old runs, and old calls. The runs' own counts stay. */
export async function deleteOldRecords(tx: Db, now: Date): Promise<void> {
  const before = new Date(now.getTime() - KEPT_DAYS * 86_400_000)
  await tx.runRecord.deleteMany({ where: { run: { finished_at: { lt: before } } } })
  await tx.zohoCall.deleteMany({ where: { started_at: { lt: before } } })
}
