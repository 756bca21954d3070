import type { Database } from '../../database/client.ts'
import type { ItemSyncParams } from './item-sync-run.ts'

/** Which of these products have a picture at Zoho or behind an address, and the parameters of a run that fetches it again; equal bytes change nothing. */
export async function refetchParams(
  db: Database,
  productIds: string[],
): Promise<{ params: Pick<ItemSyncParams, 'retry'>; products: Map<string, { deleted: boolean; hasSource: boolean }> }> {
  const rows = await db.product.findMany({
    where: { id: { in: productIds } },
    select: { id: true, deleted_at: true, zoho_item_id: true, zoho_image_id: true, image_source_key: true },
  })
  const products = new Map(
    rows.map((it) => [
      it.id,
      {
        deleted: it.deleted_at !== null,
        hasSource: it.zoho_item_id !== null && (it.zoho_image_id !== null || it.image_source_key !== null),
      },
    ]),
  )
  const requested = [...products].filter(([, it]) => !it.deleted && it.hasSource).map(([id]) => id)
  return { params: { retry: { items: [], products: requested, again: true } }, products }
}
