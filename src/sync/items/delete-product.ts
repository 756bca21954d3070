import { findProduct } from '../../catalog/find-product.ts'
import type { Database } from '../../database/client.ts'
import { type ItemLinks, linkName } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { ConflictError, NotFoundError } from '../../lib/errors.ts'
import { type Actor, recordAudit } from '../../settings/audit-log.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ConfigurationError } from '../../zoho/errors.ts'
import { ITEM_ID, itemsById } from '../../zoho/inventory.ts'
import { softDelete } from './sync-deletions.ts'

export interface DeleteProductDeps {
  db: Database
  clock: Clock
  itemLinks: ItemLinks
  openZoho(): Promise<ZohoClient>
}

/**
 * Deletes a product that Zoho does not know, as a sync would: its photos become tombstones for the
 * stores. One call asks Zoho, unless the id cannot be one of Zoho's. Throws NotFoundError
 * `product_not_found`, ConflictError `product_in_zoho`, and what the client throws.
 */
export async function deleteProduct(
  { db, clock, itemLinks, openZoho }: DeleteProductDeps,
  { ref, actor }: { ref: string; actor: Actor },
  signal: AbortSignal,
): Promise<{ id: string; deleted_at: Date }> {
  const { id, zoho_item_id, deleted_at } = await findProduct(db, ref)
  if (deleted_at) throw new NotFoundError('product_not_found.deleted')
  if (zoho_item_id !== null && (await isInZoho(zoho_item_id))) throw new ConflictError('product_in_zoho')
  const at = clock.now()
  await db.$transaction(async (tx) => {
    await softDelete(tx, [id], at)
    await recordAudit(tx, { ...actor, action: 'product.delete', target: `product:${id}` })
  })
  await itemLinks.hide(linkName({ id, zoho_item_id }))
  return { id, deleted_at: at }

  async function isInZoho(itemId: string): Promise<boolean> {
    if (!ITEM_ID.test(itemId)) return false
    try {
      return (await itemsById(await openZoho(), { ids: [itemId] }, signal)).found.has(itemId)
    } catch (error) {
      // A shop that only imports files has no Zoho account that could know the product.
      if (error instanceof ConfigurationError && error.code === 'not_set_up') return false
      throw error
    }
  }
}
