import type { Db } from '../../database/client.ts'
import { Prisma } from '../../generated/client.ts'
import type { RecordScope } from './upsert.ts'

export interface RecordFilter {
  search?: string | undefined
  /** Inclusive. Records without a modified time are always included, since their age is unknown. */
  modifiedSince?: Date | undefined
  /** Also those deleted in Zoho; with `modifiedSince`, those deleted since then. */
  includeDeleted?: boolean | undefined
  /** The last record of the page before. */
  after?: { modified_at: Date | null; record_id: string } | undefined
  limit: number
}

export interface StoredRecord {
  record_id: string
  /** The record's JSON as Zoho wrote it. */
  raw: string
  modified_at: Date | null
  deleted_at: Date | null
}

/**
 * Returns a page of records in the order of modification, those without a time last: a record that
 * changes between two pages comes again later, and none is missed.
 */
export function listRecords(
  db: Db,
  { app, module }: RecordScope,
  { search, modifiedSince, includeDeleted, after, limit }: RecordFilter,
): Promise<StoredRecord[]> {
  const conditions = [
    Prisma.sql`app = ${app}`,
    Prisma.sql`module = ${module}`,
    ...(includeDeleted ? [] : [Prisma.sql`deleted_at is null`]),
    ...(search ? [Prisma.sql`search like ${`%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`}`] : []),
    ...(modifiedSince
      ? [
          includeDeleted
            ? Prisma.sql`(coalesce(modified_at, 'infinity') >= ${modifiedSince} or deleted_at >= ${modifiedSince})`
            : Prisma.sql`coalesce(modified_at, 'infinity') >= ${modifiedSince}`,
        ]
      : []),
    ...(after
      ? [
          Prisma.sql`(coalesce(modified_at, 'infinity'), record_id) > (coalesce(${after.modified_at}::timestamptz, 'infinity'), ${after.record_id})`,
        ]
      : []),
  ]
  return db.$queryRaw<StoredRecord[]>`
    select record_id, coalesce(raw, data::text) as raw, modified_at, deleted_at from zoho_record
    where ${Prisma.join(conditions, ' and ')}
    order by coalesce(modified_at, 'infinity'), record_id
    limit ${limit}`
}

/** Returns how many records of each module exist, and when they changed last. */
export async function countRecords(db: Db, app: RecordScope['app']): Promise<Map<string, { records: number; newest: Date | null }>> {
  const rows = await db.zohoRecord.groupBy({ by: ['module'], where: { app, deleted_at: null }, _count: true, _max: { modified_at: true } })
  return new Map(rows.map((row) => [row.module, { records: row._count, newest: row._max.modified_at }]))
}
