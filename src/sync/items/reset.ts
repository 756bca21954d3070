import type { Database } from '../../database/client.ts'
import { ConflictError } from '../../lib/errors.ts'
import { UNFINISHED } from '../../runs/runs.ts'
import { ITEM_SYNC } from './item-sync-run.ts'
import { WATERMARK } from './sync-from-api.ts'

/**
 * Makes the next sync a first one: every item is read again, and with `images` every Zoho image is
 * fetched again. Products and images stay; equal ones are not written. Throws ConflictError
 * `sync_running`.
 */
export async function resetItemSync(db: Database, { images }: { images: boolean }): Promise<{ pictures: number }> {
  const running = await db.run.findFirst({ where: { exclusive_key: ITEM_SYNC, state: { in: UNFINISHED } }, select: { id: true } })
  if (running) {
    throw new ConflictError('sync_running.reset', { run_id: running.id })
  }
  return db.$transaction(async (tx) => {
    await tx.watermark.deleteMany({ where: { name: WATERMARK } })
    if (!images) return { pictures: 0 }
    const { count } = await tx.product.updateMany({
      where: { deleted_at: null, zoho_image_id: { not: null } },
      data: { image_fetched_id: null, image_state: 'untried', image_attempts: 0 },
    })
    return { pictures: count }
  })
}
