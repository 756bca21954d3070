import { z } from 'zod'
import { noteListedFields } from '../../catalog/custom-fields.ts'
import { recordDifferences } from '../../catalog/diff-items.ts'
import { applyFieldOwnership } from '../../catalog/field-ownership.ts'
import type { ItemRow } from '../../catalog/item-fields.ts'
import { saveRawItems } from '../../catalog/raw-items.ts'
import type { Database, RawDb } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { listItems } from '../../zoho/inventory.ts'
import { followKeyset, KeysetCursor } from '../../zoho/keyset-cursor.ts'
import { LIST_LAG_MS } from '../../zoho/paginate.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { CLOCKS_MS, capCursor } from '../../zoho/server-clock.ts'
import { confirmImages } from '../images/confirm-images.ts'
import { countsFrom, type ListCounts } from './item-sync-result.ts'
import { type ItemMapping, reportUnreadable, toItemRows } from './to-item-row.ts'

/**
 * Position of a pass: saved in one transaction with the rows it has written, so a crash repeats at
 * most one page and counts nothing twice.
 */
export const ListCheckpoint = KeysetCursor.extend({
  phase: z.enum(['items', 'removals', 'images']),
  mode: z.enum(['full', 'incremental']),
  pages: z.number(),
  newest: z.iso.datetime().nullable(),
  /** How often in a row the run was paused because Zoho did not answer. */
  outages: z.number().default(0),
})
export type ListCheckpoint = z.infer<typeof ListCheckpoint>

export interface SyncListDeps {
  db: Database
  zoho: ZohoClient
  clock: Clock
  mapping: ItemMapping
}

export interface SyncListOptions {
  /** Only records what would change. */
  dryRun: boolean
  /** When the run began. */
  began: Date
}

/** The checkpoint of a new pass. */
export function firstCheckpoint(mode: 'full' | 'incremental', upTo: Date | null): ListCheckpoint {
  const from = mode === 'incremental' && upTo ? new Date(upTo.getTime() - LIST_LAG_MS).toISOString() : null
  // A full pass corrects the cursor, whatever it was.
  return { phase: 'items', mode, from, taken: [], pages: 0, newest: from === null ? null : upTo!.toISOString(), outages: 0 }
}

/**
 * Lists the items from the checkpoint on and writes each page in one transaction. Returns the
 * checkpoint at a clean end.
 */
export async function syncList(
  run: RunContext,
  { db, zoho, clock, mapping }: SyncListDeps,
  start: ListCheckpoint,
  { dryRun, began }: SyncListOptions,
): Promise<ListCheckpoint> {
  const counts = countsFrom(run.statistics)
  let at = start
  const walk = followKeyset<ZohoItem>(start, { idOf: (item) => item.item_id, modifiedOf: (item) => item.last_modified_time ?? null })
  const unreadable: unknown[] = []
  const noted = new Set<string>()
  const groups = new Set<string>()
  const from = at.from ? new Date(at.from) : null
  for await (const page of listItems(zoho, { from, runId: run.id, onUnreadable: (row) => unreadable.push(row) }, run.signal)) {
    const fresh = walk.fresh(page)
    const bad = unreadable.splice(0)
    if (fresh.length === 0 && bad.length === 0) continue
    if (fresh.length > 0) {
      const after = walk.after(fresh)
      const newest = capCursor(after.from!, { zoho: zoho.serverTime(), ours: clock.now() })
      at = { ...at, ...after, pages: at.pages + 1, newest: at.newest === null || newest > at.newest ? newest : at.newest }
    }
    for (const { group_id: id } of fresh) if (id) groups.add(id)
    const items = [...new Map(fresh.map((item) => [item.item_id, item])).values()]
    await confirmImages({ db, zoho, runId: run.id, signal: run.signal }, items)
    // These may be listed twice in one run.
    const late = fresh.filter((item) => (item.last_modified_time?.getTime() ?? 0) > began.getTime() - CLOCKS_MS).map((item) => item.item_id)
    await run.fencedRaw(async (tx) => {
      const mapped = await toItemRows(tx, items, mapping)
      const rows = mapped.map(({ row }) => row)
      const again = await listedBefore(tx, run.id, late)
      await writePage(run, tx, { rows, counts, dryRun, again, at: clock.now() })
      if (!dryRun) await saveRawItems(tx, items)
      if (!dryRun) await noteListedFields(tx, items, { runId: run.id, noted })
      await noteUnreadable(run, tx, bad)
      await reportUnreadable(run, tx, mapped, clock.now())
      if (!dryRun) await forgetImageFailures(tx, fresh, clock.now())
      counts.failed += bad.length
      counts.total += rows.length - again.size + bad.length
      if (rows.length > 0) await upsertListed(tx, { runId: run.id, number: at.pages, rows })
      await run.saveCheckpoint(tx, at, counts)
    })
    run.report({ statistics: counts, progress: { phase: 'items', done: counts.total, waiting: null } })
  }
  run.report({ statistics: { ...counts, ...(dryRun && { groups_listed: groups.size }) } })
  return at
}

interface PageWrite {
  rows: ItemRow[]
  counts: ListCounts
  dryRun: boolean
  /** Ids that an earlier page of this run had already; they count once. */
  again: Set<string>
  at: Date
}

/** Records what differs, writes it unless this is a dry run, and counts. */
export async function writePage(run: RunContext, tx: RawDb, { rows, counts, dryRun, again, at }: PageWrite): Promise<void> {
  const found = await recordDifferences(tx, await applyFieldOwnership(tx, rows), { runId: run.id, again, writeAt: dryRun ? null : at })
  counts.new += found.new
  counts.updated += found.updated
  counts.restored += found.restored
  counts.unchanged += found.unchanged
  counts.images_listed_missing += found.images_missing
  counts.images_listed_stored += found.images_stored
  counts.images_to_fetch += found.images_to_fetch
  counts.images_to_recheck += found.images_to_recheck
}

/** Records which items a page has listed: what no page lists is removed. */
export async function upsertListed(tx: RawDb, { runId, number, rows }: { runId: string; number: number; rows: ItemRow[] }): Promise<void> {
  const ids = rows.map((row) => row.zoho_item_id)
  await tx.$executeRaw`insert into run_page (run_id, number, ids) values (${runId}::uuid, ${number}, ${ids})`
}

/**
 * Returns which of these ids an earlier page of the run has listed: an item that is edited during
 * the listing comes again at its end.
 */
export async function listedBefore(tx: RawDb, runId: string, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select distinct seen.id from (select unnest(ids) as id from run_page where run_id = ${runId}::uuid) seen where seen.id = any(${ids})`
  return new Set(rows.map((row) => row.id))
}

/** An image that was removed in Zoho can no longer fail, so its failures are closed. */
async function forgetImageFailures(tx: RawDb, items: ZohoItem[], at: Date): Promise<void> {
  await tx.$executeRaw`
    update failure f set resolved_at = ${at} from product p
    where p.zoho_item_id = any(${items.map((item) => item.item_id)}) and p.image_state = 'none'
      and f.product_id = p.id and f.stage = 'image' and f.resolved_at is null`
}

/** A row that cannot be read is named as far as possible and stops nothing. */
async function noteUnreadable(run: RunContext, tx: RawDb, rows: unknown[]): Promise<void> {
  const text = (row: unknown, key: string) => {
    const value = typeof row === 'object' && row !== null ? (row as Record<string, unknown>)[key] : undefined
    return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 200) : undefined
  }
  await run.fail(
    tx,
    rows.map((row) => ({
      stage: 'item',
      ...failure('invalid_item.no_id', { name: text(row, 'name') }),
      zoho_item_id: text(row, 'item_id'),
      sku: text(row, 'sku'),
    })),
  )
}
