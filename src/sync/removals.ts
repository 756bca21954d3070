import type { Clock } from '../clock.ts'
import type { Database } from '../db.ts'
import type { RunContext } from '../jobs/run-handler.ts'
import { removeSourcePhoto } from '../photos/gallery.ts'
import { type View, viewName } from '../photos/view.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { itemsById } from '../zoho/inventory.ts'

export interface RemovalDeps {
  db: Database
  zoho: ZohoClient
  clock: Clock
  view: View
}

/** More than this share, and more than a handful, is taken for Zoho's mistake rather than the shop's will. */
const BRAKE_SHARE = 0.2
const BRAKE_COUNT = 10

export interface RemovalResult {
  removed: number
  /** Set when the brake held: how many would have gone. */
  stopped?: number
}

/**
 * Soft-deletes what a complete full pass did not list, each confirmed by asking Zoho for it by id; its photos become tombstones.
 * Never called after a pass that broke off: absence in half a list means nothing.
 */
export async function removeGone(
  run: RunContext,
  { db, zoho, clock, view }: RemovalDeps,
  { confirmed, dryRun }: { confirmed: boolean; dryRun: boolean },
): Promise<RemovalResult> {
  const suspects = await db.$queryRaw<{ id: string; zoho_item_id: string }[]>`
    select p.id, p.zoho_item_id from product p
    where p.zoho_item_id is not null and p.deleted_at is null
      -- Unnested, so that PostgreSQL hashes the ids once instead of searching every page for every product.
      and not exists (select 1 from (select unnest(ids) as id from run_page where run_id = ${run.id}::uuid) seen where seen.id = p.zoho_item_id)`
  if (suspects.length === 0) return { removed: 0 }
  const still = await itemsById(zoho, { ids: suspects.map((it) => it.zoho_item_id), runId: run.id }, run.signal)
  const gone = suspects.filter((it) => !still.has(it.zoho_item_id))
  const all = await db.product.count({ where: { zoho_item_id: { not: null }, deleted_at: null } })
  if (gone.length > BRAKE_COUNT && gone.length > all * BRAKE_SHARE && !confirmed) return { removed: 0, stopped: gone.length }
  if (dryRun) return { removed: gone.length }
  for (const product of gone) {
    await run.fenced(async (tx) => {
      await removeSourcePhoto(tx, product.id, 'zoho')
      const at = clock.now()
      // What people uploaded goes with the product; it comes back when the product is restored.
      await tx.photo.updateMany({
        where: { product_id: product.id, deleted_at: null },
        data: { deleted_at: at, updated_at: at, is_primary: false, feed_pending: true },
      })
      await tx.product.update({
        where: { id: product.id },
        data: { deleted_at: at, updated_at: at, image_fetched_id: null, image_state: 'none' },
      })
    })
    await view.hide(viewName(product))
  }
  return { removed: gone.length }
}

/** Pictures that Zoho's list no longer names are taken away here too. Needs no call. */
export async function dropRemovedPictures(run: RunContext, { db, view }: { db: Database; view: View }): Promise<void> {
  const stale = await db.product.findMany({
    where: { zoho_item_id: { not: null }, zoho_image_id: null, photos: { some: { source: 'zoho', deleted_at: null } } },
    select: { id: true, zoho_item_id: true },
  })
  for (const product of stale) {
    await run.fenced(async (tx) => {
      await removeSourcePhoto(tx, product.id, 'zoho')
      await tx.product.update({ where: { id: product.id }, data: { image_fetched_id: null } })
    })
    const primary = await db.photo.findFirst({
      where: { product_id: product.id, is_primary: true, deleted_at: null },
      include: { blob: true },
    })
    if (primary) await view.show(viewName(product), primary.blob)
    else await view.hide(viewName(product))
  }
}
