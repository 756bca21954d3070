import { saveRawItems } from '../../catalog/raw-items.ts'
import { upsertItems } from '../../catalog/upsert-items.ts'
import type { Database, Db } from '../../database/client.ts'
import { choosePrimaries, lockProduct, removeSourcePhoto } from '../../images/gallery/gallery.ts'
import { type ItemLinks, linkName } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { itemsById } from '../../zoho/inventory.ts'
import { confirmImages } from '../images/confirm-images.ts'
import { type ItemMapping, reportRefusedIds, reportUnreadable, toItemRows } from './to-item-row.ts'

export interface RemovalDeps {
  db: Database
  zoho: ZohoClient
  clock: Clock
  itemLinks: ItemLinks
  mapping: ItemMapping
}

/**
 * A loss of more than this share, and of more than a few, is treated as Zoho's mistake rather than
 * the shop's intention.
 */
const MAX_DELETE_RATIO = 0.2
const BRAKE_COUNT = 10
/** Products removed in one transaction: few enough not to block others. */
const BATCH = 200

export interface RemovalResult {
  /** Removed, or in a dry run: would be removed. */
  removed: number
  /** Set when the limit stopped the removal: how many of how many would have been removed. */
  stopped?: { count: number; of: number }
  /** Items that the list lacked although Zoho still has them. */
  leftOut: number
}

/**
 * Soft-deletes what Zoho once had and a complete full pass did not list, after asking Zoho for each
 * by id; its photos become tombstones. Never called after an incomplete pass: absence from half a
 * list means nothing. Items that Zoho still has are written from their details. After a crash the
 * next worker finds the rest by the same query.
 */
export async function removeGone(
  run: RunContext,
  { db, zoho, clock, itemLinks, mapping }: RemovalDeps,
  { confirmed, dryRun }: { confirmed: boolean; dryRun: boolean },
): Promise<RemovalResult> {
  const candidates = await db.$queryRaw<{ id: string; zoho_item_id: string }[]>`
    -- Not "not exists": right after a large load the table has no statistics yet, and PostgreSQL
    -- might compare each row with each.
    with unlisted as materialized (
      select zoho_item_id from product where zoho_item_id is not null and deleted_at is null and origin = 'zoho'
      except select unnest(ids) from run_page where run_id = ${run.id}::uuid)
    select p.id, p.zoho_item_id from unlisted join product p using (zoho_item_id) where p.deleted_at is null`
  if (candidates.length === 0) return { removed: 0, leftOut: 0 }
  const { found: still, refused } = await itemsById(zoho, { ids: candidates.map((it) => it.zoho_item_id), runId: run.id }, run.signal)
  if (still.size > 0 && !dryRun) {
    const items = [...still.values()]
    for (let at = 0; at < items.length; at += BATCH) {
      const batch = items.slice(at, at + BATCH)
      await confirmImages({ db, zoho, runId: run.id, signal: run.signal }, batch, { areDetails: true })
      await run.fencedRaw(async (tx) => {
        const mapped = await toItemRows(tx, batch, mapping)
        await upsertItems(
          tx,
          mapped.map(({ row }) => row),
          { at: clock.now() },
        )
        await saveRawItems(tx, batch)
        await reportUnreadable(run, tx, mapped, clock.now())
      })
    }
  }
  if (refused.length > 0) await run.fenced((tx) => reportRefusedIds(run, tx, refused))
  const gone = candidates.filter((it) => !still.has(it.zoho_item_id) && !refused.includes(it.zoho_item_id))
  const all = await db.product.count({ where: { zoho_item_id: { not: null }, deleted_at: null, origin: 'zoho' } })
  if (gone.length > BRAKE_COUNT && gone.length > all * MAX_DELETE_RATIO && !confirmed)
    return { removed: 0, stopped: { count: gone.length, of: all }, leftOut: still.size }
  await removeProducts(run, { clock, itemLinks }, gone, { dryRun })
  // Counted from the records: right also after a crash between two batches.
  const removed = await db.runRecord.count({ where: { run_id: run.id, outcome: 'removed' } })
  return { removed, leftOut: still.size }
}

/**
 * Soft-deletes products that Zoho confirmed as deleted, and records it for the run. A dry run only
 * records it.
 */
export async function removeProducts(
  run: RunContext,
  { clock, itemLinks }: { clock: Clock; itemLinks: ItemLinks },
  gone: { id: string; zoho_item_id: string | null }[],
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<void> {
  for (let at = 0; at < gone.length; at += BATCH) {
    const batch = gone.slice(at, at + BATCH)
    const ids = batch.map((it) => it.id)
    await run.fenced(async (tx) => {
      await tx.$executeRaw`
        insert into run_record (run_id, record_id, outcome, sku, name)
        select ${run.id}::uuid, zoho_item_id, 'removed', sku, name from product where id = any(${ids}::uuid[])
        on conflict (run_id, record_id) do update set outcome = 'removed'`
      if (!dryRun) await softDelete(tx, ids, clock.now())
    })
    if (!dryRun) for (const product of batch) await itemLinks.hide(linkName(product))
  }
}

/** People's uploads are deleted with the product and come back when it is restored. */
export async function softDelete(tx: Db, ids: string[], at: Date): Promise<void> {
  await tx.$executeRaw`select 1 from product where id = any(${ids}::uuid[]) order by id for update`
  await tx.photo.updateMany({
    where: { product_id: { in: ids }, deleted_at: null },
    data: { deleted_at: at, updated_at: at, is_primary: false, feed_pending: true },
  })
  await tx.product.updateMany({
    where: { id: { in: ids } },
    data: { deleted_at: at, updated_at: at, image_fetched_id: null, image_source_fetched: null, image_state: 'none' },
  })
  await tx.failure.updateMany({ where: { product_id: { in: ids }, stage: 'image', resolved_at: null }, data: { resolved_at: at } })
}

/**
 * Items that came back in this run get back the uploads that the removal took away; Zoho's own
 * image is fetched again. Bytes whose grace period has ended stay deleted.
 */
export async function restorePhotos(
  run: RunContext,
  { db, clock, itemLinks }: { db: Database; clock: Clock; itemLinks: ItemLinks },
): Promise<void> {
  const back = await db.$queryRaw<{ id: string; zoho_item_id: string; photos: string[] }[]>`
    select p.id, p.zoho_item_id, array_agg(photo.id::text) as photos
    from run_record r join product p on p.zoho_item_id = r.record_id
    join photo on photo.product_id = p.id and photo.source <> 'zoho'
      and photo.deleted_at = (r.changes -> 'deleted_at' ->> 0)::timestamptz
    join blob on blob.sha256 = photo.sha256 and blob.removed_at is null
    where r.run_id = ${run.id}::uuid and r.outcome = 'restored' and p.deleted_at is null
    group by p.id, p.zoho_item_id`
  for (const product of back) {
    await run.fenced(async (tx) => {
      await lockProduct(tx, product.id)
      const at = clock.now()
      await tx.photo.updateMany({ where: { id: { in: product.photos } }, data: { deleted_at: null, updated_at: at, feed_pending: true } })
      await choosePrimaries(tx, [product.id], at)
    })
    await showPrimary(db, itemLinks, product)
  }
}

/** Removes images that Zoho's list no longer names, of items that Zoho has. Makes no call. */
export async function dropRemovedImages(run: RunContext, { db, itemLinks }: { db: Database; itemLinks: ItemLinks }): Promise<void> {
  const stale = await db.product.findMany({
    where: { zoho_item_id: { not: null }, origin: 'zoho', zoho_image_id: null, photos: { some: { source: 'zoho', deleted_at: null } } },
    select: { id: true, zoho_item_id: true },
  })
  for (const product of stale) {
    await run.fenced(async (tx) => {
      await removeSourcePhoto(tx, product.id, 'zoho')
      await tx.product.update({ where: { id: product.id }, data: { image_fetched_id: null } })
    })
    await showPrimary(db, itemLinks, product)
  }
}

async function showPrimary(db: Database, itemLinks: ItemLinks, product: { id: string; zoho_item_id: string | null }): Promise<void> {
  const primary = await db.photo.findFirst({
    where: { product_id: product.id, is_primary: true, deleted_at: null },
    include: { blob: true },
  })
  if (primary) await itemLinks.show(linkName(product), primary.blob)
  else await itemLinks.hide(linkName(product))
}
