import type { WebhookDelivery } from '../generated/client.ts'

/**
 * Fields that change with every update are named only when they are the only ones, as in the change
 * feed.
 */
const QUIET = new Set(['raw', 'updated_at'])

/**
 * Returns the body of a delivery. For products it has only their URL and what changed: the receiver
 * reads the rest when it needs it.
 */
export function messageOf(delivery: WebhookDelivery, publicUrl: string) {
  const { type, occurred_at, product_id, zoho_item_id, sku, seq, fields, data } = delivery
  const of = (facts: object) => ({ type, timestamp: occurred_at.toISOString(), data: facts as Record<string, unknown> })
  if (product_id === null) return of((data ?? {}) as object)
  const named = fields.filter((field) => !QUIET.has(field))
  const changed_fields = fields.includes('*') ? ['*'] : (named.length > 0 ? named : fields).toSorted()
  return of({ id: product_id, zoho_item_id, sku, seq: Number(seq), changed_fields, url: `${publicUrl}/api/products/${product_id}` })
}
