import { type Database, queryPrepared } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { BadRequestError, GoneError } from '../lib/errors.ts'
import { readSignedCursor, writeSignedCursor } from '../lib/signed-cursor.ts'
import type { ProductFeedSnapshot } from './product-feed.ts'

/** A reader's position in the order of change. */
export interface ChangeCursor {
  /** Every change up to this number has been read. */
  seq: number
  /**
   * During the first load: the newest number when it began. Earlier deletions are left out, and
   * every product is new to the reader.
   */
  start: number | null
}

export interface ProductChangeRow {
  product_id: string
  seq: number
  change: 'upsert' | 'delete'
  changed_at: Date
  zoho_item_id: string | null
  sku: string | null
  changed_fields: string[]
}

export interface ChangePage {
  rows: ProductChangeRow[]
  next: ChangeCursor
  hasMore: boolean
}

const SCOPE = 'products'
const EPOCH_LENGTH = 8

export function writeChangeCursor({ epoch, cursorKey }: ProductFeedSnapshot, { seq, start }: ChangeCursor): string {
  const loading = start !== null && start > seq ? [start] : []
  return writeSignedCursor(cursorKey, SCOPE, [epoch.slice(0, EPOCH_LENGTH), seq, ...loading])
}

/**
 * Returns the position to resume from. Without a cursor the first load begins; `latest` is the
 * present end. Throws BadRequestError `invalid_cursor`, GoneError `cursor_expired` when deletions
 * after it are no longer kept, GoneError `epoch_changed` when another database issued it.
 */
export function readChangeCursor(snapshot: ProductFeedSnapshot, given: string | undefined): ChangeCursor {
  if (given === undefined) return { seq: 0, start: snapshot.lastSeq }
  if (given === 'latest') return { seq: snapshot.lastSeq, start: null }
  const parts = readSignedCursor(snapshot.cursorKey, SCOPE, given)
  if (parts === null || parts.length < 2 || parts.length > 3)
    throw new BadRequestError('invalid_cursor.list', { fields: [{ field: 'cursor', message: 'is invalid' }] })
  const [seq = 0, start = null] = parts.slice(1).map(Number)
  const known = Math.max(seq, start ?? 0)
  if (parts[0] !== snapshot.epoch.slice(0, EPOCH_LENGTH) || known > snapshot.lastSeq) throw new GoneError('epoch_changed.products')
  if (snapshot.prunedSeq > known) throw new GoneError('cursor_expired.products')
  return { seq, start }
}

/** Reads one index range, with the row after the page: the cost does not grow with the depth. */
export const changePageQuery = (
  { seq, start }: ChangeCursor,
  { lastSeq, limit }: { lastSeq: number; limit: number },
): Prisma.Sql => Prisma.sql`
  select product_id, seq, change, changed_at, zoho_item_id, sku, fields_changed_after(field_seqs, ${seq}) as changed_fields
  from product_change where seq > ${seq} and seq <= ${lastSeq} and (seq > ${start ?? 0} or change <> 'delete')
  order by seq limit ${limit + 1}`

/** Returns the changes after a cursor, each product once. */
export async function readChangePage(
  db: Database,
  snapshot: ProductFeedSnapshot,
  cursor: ChangeCursor,
  { limit }: { limit: number },
): Promise<ChangePage> {
  const { seq, start } = cursor
  const end = { rows: [], next: { seq: snapshot.lastSeq, start: null }, hasMore: false }
  if (seq >= snapshot.lastSeq) return end
  const found = await queryPrepared<Omit<ProductChangeRow, 'seq'> & { seq: string }>(
    db,
    changePageQuery(cursor, { lastSeq: snapshot.lastSeq, limit }),
  )
  const everything = start !== null || seq < snapshot.fieldsSeq
  const rows = found
    .slice(0, limit)
    .map((row) => ({ ...row, seq: Number(row.seq), ...(everything && row.change === 'upsert' && { changed_fields: ['*'] }) }))
  if (found.length <= limit) return { ...end, rows }
  return { rows, next: { seq: rows.at(-1)!.seq, start }, hasMore: true }
}
