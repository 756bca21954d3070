import { z } from 'zod'
import { upsertItems } from '../catalog/item-upsert.ts'
import type { Clock } from '../clock.ts'
import type { RunContext } from '../jobs/run-handler.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { listItems } from '../zoho/inventory.ts'
import { followKeyset, KeysetPlace } from '../zoho/keyset-place.ts'
import type { ZohoItem } from '../zoho/wire.ts'
import { toItemRow } from './to-item-row.ts'

/** Zoho's own list may show a row late, so an incremental pass begins a little before the newest row it knows. */
const OVERLAP_MS = 5 * 60_000

/** Where a pass stands: saved in one transaction with the rows it has written, so a kill repeats at most one page and counts nothing twice. */
export const ListCheckpoint = KeysetPlace.extend({
  phase: z.enum(['items', 'removals', 'images']),
  mode: z.enum(['full', 'incremental']),
  pages: z.number(),
  newest: z.iso.datetime().nullable(),
})
export type ListCheckpoint = z.infer<typeof ListCheckpoint>

export interface ListPassDeps {
  zoho: ZohoClient
  clock: Clock
  currency: string | null
}

export interface ListPassOptions {
  withImages: boolean
  dryRun: boolean
}

/** Where a new pass begins. */
export function firstCheckpoint(mode: 'full' | 'incremental', upTo: Date | null): ListCheckpoint {
  const from = mode === 'incremental' && upTo ? new Date(upTo.getTime() - OVERLAP_MS).toISOString() : null
  return { phase: 'items', mode, from, taken: [], pages: 0, newest: upTo?.toISOString() ?? null }
}

const COUNTED = [
  'total',
  'new',
  'updated',
  'unchanged',
  'removed',
  'restored',
  'failed',
  'images_listed_missing',
  'images_listed_stored',
] as const
export type ListCounts = Record<(typeof COUNTED)[number], number>
export const countsFrom = (statistics: Record<string, number>): ListCounts =>
  Object.fromEntries(COUNTED.map((key) => [key, statistics[key] ?? 0])) as ListCounts

class RollBack extends Error {}

/** Lists the items from the checkpoint on and writes each page in one transaction. Answers the checkpoint of a clean end. */
export async function listPass(
  run: RunContext,
  { zoho, clock, currency }: ListPassDeps,
  start: ListCheckpoint,
  { withImages, dryRun }: ListPassOptions,
): Promise<ListCheckpoint> {
  const counts = countsFrom(run.statistics)
  let at = start
  const walk = followKeyset<ZohoItem>(start, { idOf: (item) => item.item_id, modifiedOf: (item) => item.last_modified_time })
  for await (const page of listItems(
    zoho,
    { from: at.from ? new Date(at.from) : null, runId: run.id, onUnreadable: () => {} },
    run.signal,
  )) {
    const fresh = walk.fresh(page)
    if (fresh.length === 0) continue
    const place = walk.after(fresh)
    const newest = at.newest === null || place.from! > at.newest ? place.from : at.newest
    at = { ...at, ...place, pages: at.pages + 1, newest }
    const rows = [...new Map(fresh.map((item) => [item.item_id, toItemRow(item, { currency })])).values()]
    try {
      await run.fenced(async (tx) => {
        const written = await upsertItems(tx, rows, { at: clock.now() })
        counts.total += rows.length
        counts.new += written.new
        counts.updated += written.updated
        counts.unchanged += written.unchanged
        counts.restored += written.restored
        if (withImages) {
          counts.images_listed_missing += rows.filter((row) => row.zoho_image_id === null).length
          counts.images_listed_stored += await tx.product.count({
            where: { zoho_item_id: { in: rows.map((row) => row.zoho_item_id) }, zoho_image_id: { not: null }, image_state: 'stored' },
          })
        }
        if (dryRun) throw new RollBack()
        if (at.mode === 'full')
          await tx.runPage.create({ data: { run_id: run.id, number: at.pages, ids: rows.map((row) => row.zoho_item_id) } })
        await run.saveCheckpoint(tx, at, counts)
      })
    } catch (error) {
      if (!(error instanceof RollBack)) throw error
    }
    run.report({ statistics: counts, progress: { phase: 'items', done: counts.total, waiting: null } })
  }
  run.report({ statistics: counts })
  return at
}
