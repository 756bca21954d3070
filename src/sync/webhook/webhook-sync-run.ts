import { saveStock } from '../../catalog/product-stock.ts'
import { saveRawItems } from '../../catalog/raw-items.ts'
import { because } from '../../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../../runs/run-handler.ts'
import { pausedUntil } from '../../runs/run-handler.ts'
import { RateLimitedError } from '../../zoho/errors.ts'
import { itemsById } from '../../zoho/inventory.ts'
import { confirmImages } from '../images/confirm-images.ts'
import { syncImages } from '../images/sync-images.ts'
import { countsFrom, finalizeStatistics } from '../items/item-sync-result.ts'
import { ITEM_SYNC } from '../items/item-sync-run.ts'
import { reportSkuConflicts } from '../items/sku-conflicts.ts'
import { dropRemovedImages, removeProducts, restorePhotos } from '../items/sync-deletions.ts'
import { type ApiSyncDeps, mappingFor, openClient } from '../items/sync-from-api.ts'
import { writePage } from '../items/sync-list.ts'
import { reportRefusedIds, reportUnreadable, toItemRows } from '../items/to-item-row.ts'
import { completeEvents, dueNotifications, postponeNotifications, WEBHOOK_SYNC } from './queue.ts'

/** The limit of ids in one Zoho call. */
const AT_ONCE = 100
const WAIT_FOR_SYNC_MS = 5_000
const MOST_GONE = 10

/**
 * Reads the items that Zoho's webhooks named, by their ids, and writes their present state; one
 * that Zoho no longer has is removed, as after a full pass. Crash-safe: the events are still due.
 */
export function createWebhookSync(deps: ApiSyncDeps): RunHandler {
  return {
    kind: WEBHOOK_SYNC,
    exclusiveKey: WEBHOOK_SYNC,
    async execute(run) {
      const { db, clock } = deps
      // A page that a sync listed before the webhook must not be written after it.
      if (await db.run.findFirst({ where: { kind: ITEM_SYNC, state: 'running' }, select: { id: true } })) {
        return {
          state: 'paused',
          resumes_at: new Date(clock.now().getTime() + WAIT_FOR_SYNC_MS),
          ...because('sync_running.webhook'),
        }
      }
      try {
        return await readNoticed(run, deps)
      } catch (error) {
        if (error instanceof RateLimitedError) return pausedUntil(error)
        if (!run.signal.aborted) await postponeNotifications(db, clock.now())
        throw error
      }
    },
  }
}

async function readNoticed(run: RunContext, deps: ApiSyncDeps): Promise<RunOutcome> {
  const { db, clock, itemLinks } = deps
  const zoho = await openClient(run, deps)
  const mapping = await mappingFor(zoho, deps, run.signal)
  const counts = countsFrom(run.statistics)
  const seen: string[] = []
  for (;;) {
    const readAt = clock.now()
    const ids = await dueNotifications(db, { at: readAt, limit: AT_ONCE })
    if (ids.length === 0) break
    const { found, refused } = await itemsById(zoho, { ids, runId: run.id }, run.signal)
    await confirmImages({ db, zoho, runId: run.id, signal: run.signal }, [...found.values()], { areDetails: true })
    const gone = await confirmedGone(ids.filter((id) => !found.has(id) && !refused.includes(id)))
    await removeProducts(run, { clock, itemLinks }, gone)
    await run.fenced(async (tx) => {
      const mapped = await toItemRows(tx, [...found.values()], mapping)
      const rows = mapped.map(({ row }) => row)
      await writePage(run, tx, { rows, counts, dryRun: false, again: new Set(), at: clock.now() })
      await saveRawItems(tx, [...found.values()])
      // Details have the stock by location, so it costs no further call.
      await saveStock(tx, [...found.values()], { at: readAt })
      counts.total += rows.length
      await reportRefusedIds(run, tx, refused)
      await reportUnreadable(run, tx, mapped, clock.now())
      counts.removed += gone.length
      await completeEvents(tx, ids, { readAt })
      await run.saveCheckpoint(tx, {}, counts)
    })
    seen.push(...ids)
    run.report({ statistics: counts, progress: { phase: 'items', done: counts.total, waiting: null } })
  }
  await restorePhotos(run, { db, clock, itemLinks })
  await dropRemovedImages(run, { db, itemLinks })
  run.report({ statistics: { conflicts: await reportSkuConflicts(run, { clock }) } })
  const products = await db.product.findMany({ where: { zoho_item_id: { in: seen }, deleted_at: null }, select: { id: true } })
  await syncImages(run, { ...deps, zoho }, { runId: run.id, zoho: true, only: products.map((product) => product.id) })
  return { state: await finalizeStatistics(run, db, { withImages: true }) }

  /**
   * Asked once more, since one wrong response must not remove a product; large numbers are left to
   * the full pass and its limit.
   */
  async function confirmedGone(ids: string[]): Promise<{ id: string; zoho_item_id: string | null }[]> {
    if (ids.length === 0 || ids.length > MOST_GONE) return []
    const still = await itemsById(zoho, { ids, runId: run.id }, run.signal)
    const where = { zoho_item_id: { in: ids.filter((id) => !still.found.has(id) && !still.refused.includes(id)) }, deleted_at: null }
    return db.product.findMany({ where, select: { id: true, zoho_item_id: true } })
  }
}
