import { readsHiddenFields } from '../../catalog/custom-fields.ts'
import type { Db } from '../../database/client.ts'
import { INVENTORY_PARTS } from '../../facts/inventory-parts.ts'
import type { FollowUp } from '../../runs/run-handler.ts'
import { hasFieldsDue } from './stock-queries.ts'
import { STOCK_SYNC } from './stock-run.ts'

/**
 * Returns the runs that follow a sync of items: after a full one every part of Inventory, after any
 * other only the hidden custom fields of what changed.
 */
export async function afterItems(db: Db, mode: 'full' | 'incremental', { stockPercent }: { stockPercent: number }): Promise<FollowUp[]> {
  const hidden = await readsHiddenFields(db)
  if (mode === 'incremental') return hidden && (await hasFieldsDue(db)) ? [{ kind: STOCK_SYNC, params: { after: mode } }] : []
  const parts = INVENTORY_PARTS.filter((part) => part !== STOCK_SYNC || stockPercent > 0 || hidden)
  return parts.map((kind) => ({ kind, params: { after: mode } }))
}
