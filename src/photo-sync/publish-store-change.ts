import type { Db } from '../database/client.ts'
import type { Store } from '../generated/client.ts'
import type { Assortment } from '../schemas/stores.ts'

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
const effectiveVariant = (variant: string | null): string => variant ?? 'original'

/**
 * Publishes an edited store in its feed. Another variant means other bytes for every photo, so its
 * readers begin again; for another assortment or location the feed shows only what enters or
 * leaves. Takes the feed's lock first, as every numbering does.
 */
export async function publishStoreChange(
  tx: Db,
  store: Store,
  after: { variant: string | null; assortment: Assortment | null; location_id: string | null },
): Promise<void> {
  const before = json(store.assortment)
  const now = json(after.assortment)
  if (before !== now || store.location_id !== after.location_id)
    await tx.$queryRaw`
      select number_assortment(${store.id}::uuid, ${before}::jsonb, ${store.location_id}, ${now}::jsonb, ${after.location_id})::int`
  if (effectiveVariant(store.variant) !== effectiveVariant(after.variant)) await resetStoreCursors(tx, store.id)
}

/**
 * Resets what the store has read and reported: its cursors read everything again, its digest
 * changes, and every photo is outdated.
 */
export async function resetStoreCursors(tx: Db, storeId: string): Promise<void> {
  await tx.$executeRaw`
    with ticked as (
      update feed_state set clock_at = greatest(clock_at, date_trunc('milliseconds', clock_timestamp())) + interval '1 millisecond' returning clock_at)
    update store set generation = generation + 1, resynced_at = ticked.clock_at - interval '1 millisecond' from ticked where store.id = ${storeId}::uuid`
}
