import type { Db } from '../database/client.ts'
import type { FeedPosition } from './serialize-product.ts'

/**
 * Returns the change feed's numbers of these products; `number` is called when one was changed just
 * now and has none yet.
 */
export async function readFeedPositions(db: Db, ids: string[], number: () => Promise<unknown>): Promise<Map<string, FeedPosition>> {
  for (let again = false; ; again = true) {
    const rows = await db.productChange.findMany({
      where: { product_id: { in: ids } },
      select: { product_id: true, seq: true, changed_at: true },
    })
    const positions = new Map(rows.map(({ product_id, seq, changed_at }) => [product_id, { seq: Number(seq), changed_at }]))
    const missing = ids.filter((id) => !positions.has(id))
    if (missing.length === 0) return positions
    if (again) throw new Error(`Products without a number in the change feed: ${missing.slice(0, 5).join(', ')}`)
    await number()
  }
}
