import { upsertItems } from '../../catalog/upsert-items.ts'
import type { Db } from '../../database/client.ts'
import type { RunContext, RunOutcome } from '../../runs/run-handler.ts'
import { itemsById } from '../../zoho/inventory.ts'
import { confirmImages } from '../images/confirm-images.ts'
import { countPending } from '../images/pending-images.ts'
import { syncImages } from '../images/sync-images.ts'
import { finalizeStatistics } from './item-sync-result.ts'
import type { ItemSyncParams } from './params.ts'
import { reportSkuConflicts } from './sku-conflicts.ts'
import { type ApiSyncDeps, mappingFor, openClient } from './sync-from-api.ts'
import { reportRefusedIds, reportUnreadable, toItemRows } from './to-item-row.ts'

/**
 * Works on failed items and images only: reads the items again by their ids, checks again whether
 * SKUs are shared, and retries the images.
 */
export async function retryFailed(
  run: RunContext,
  deps: ApiSyncDeps,
  { items, products, again }: NonNullable<ItemSyncParams['retry']>,
): Promise<RunOutcome> {
  const { db, clock } = deps
  if (again) await run.fenced((tx) => forgetFetched(tx, run.id, products))
  const urlsOnly = { runId: run.id, zoho: false, only: products }
  // Images behind a file's URLs need no credentials.
  const needsZoho = items.length > 0 || (await countPending(db, { ...urlsOnly, zoho: true })) > (await countPending(db, urlsOnly))
  const zoho = needsZoho ? await openClient(run, deps) : null
  if (zoho && items.length > 0) {
    const mapping = await mappingFor(zoho, deps, run.signal)
    const { found, refused } = await itemsById(zoho, { ids: items, runId: run.id }, run.signal)
    await confirmImages({ db, zoho, runId: run.id, signal: run.signal }, [...found.values()], { areDetails: true })
    await run.fenced(async (tx) => {
      const mapped = await toItemRows(tx, [...found.values()], mapping)
      await upsertItems(
        tx,
        mapped.map(({ row }) => row),
        { at: clock.now() },
      )
      await tx.failure.updateMany({
        where: { stage: 'item', code: { not: 'sku_conflict' }, zoho_item_id: { in: [...found.keys()] }, resolved_at: null },
        data: { resolved_at: clock.now() },
      })
      await reportRefusedIds(run, tx, refused)
      await reportUnreadable(run, tx, mapped, clock.now())
    })
  }
  run.report({ statistics: { conflicts: await reportSkuConflicts(run, { clock }) } })
  await syncImages(run, { ...deps, zoho }, { ...urlsOnly, zoho: zoho !== null })
  return { state: await finalizeStatistics(run, db, { withImages: true }) }
}

/**
 * The products' images count as not fetched, except those that this run has tried already: it may
 * resume after a crash. The shown image stays until the bytes differ.
 */
async function forgetFetched(tx: Db, runId: string, productIds: string[]): Promise<void> {
  await tx.product.updateMany({
    where: { id: { in: productIds }, OR: [{ image_run: null }, { image_run: { not: runId } }] },
    data: { image_fetched_id: null, image_source_fetched: null, image_state: 'untried', image_attempts: 0 },
  })
}
