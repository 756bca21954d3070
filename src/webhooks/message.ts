import type { WebhookDelivery } from '../generated/client.ts'

/** What moves with every change is named only alone, as in the change feed. */
const QUIET = new Set(['raw', 'updated_at'])

/** What a delivery says. Of products only where they are and what changed: the receiver reads the rest when it wants to. */
export function messageOf(delivery: WebhookDelivery, publicUrl: string) {
  const { type, occurred_at, product_id, zoho_item_id, sku, seq, fields, data } = delivery
  const of = (facts: object) => ({ type, timestamp: occurred_at.toISOString(), data: facts as Record<string, unknown> })
  if (product_id === null) return of((data ?? {}) as object)
  const named = fields.filter((field) => !QUIET.has(field))
  const changed_fields = fields.includes('*') ? ['*'] : (named.length > 0 ? named : fields).toSorted()
  return of({ id: product_id, zoho_item_id, sku, seq: Number(seq), changed_fields, url: `${publicUrl}/api/products/${product_id}` })
}
