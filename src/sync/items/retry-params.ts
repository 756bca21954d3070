import type { Database } from '../../database/client.ts'
import { ConflictError } from '../../lib/errors.ts'
import { type FailureFilter, listFailures } from '../../runs/failures.ts'
import { causeOf, RETRYABLE_ITEM_CODES } from './failure-causes.ts'
import type { ItemSyncParams } from './params.ts'

/** A larger retry is the work of a full sync. */
const MOST = 100_000

/**
 * Returns the parameters of a run that retries these failures. Throws ConflictError
 * `nothing_to_retry`.
 */
export async function retryParams(db: Database, filter: FailureFilter): Promise<Pick<ItemSyncParams, 'retry'>> {
  const failures = await listFailures(db, filter, { limit: MOST })
  const retryable = failures.filter((it) => causeOf(it).retryable)
  const items = retryable.filter((it) => RETRYABLE_ITEM_CODES.includes(it.code)).flatMap((it) => it.zoho_item_id ?? [])
  const products = retryable.filter((it) => it.stage === 'image').flatMap((it) => it.product_id ?? [])
  if (items.length + products.length === 0) {
    throw new ConflictError('nothing_to_retry')
  }
  return { retry: { items: [...new Set(items)], products: [...new Set(products)], again: false } }
}

/**
 * Returns which of these products have an image in Zoho or behind a URL, and the parameters of a
 * run that fetches it again; equal bytes change nothing.
 */
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
