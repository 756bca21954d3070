import { cleanFilename } from '../../images/gallery/filename.ts'
import { putSourcePhoto } from '../../images/gallery/gallery.ts'
import { linkName } from '../../images/storage/item-links.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import { fetchImage } from './fetch-image.ts'
import { nextRechecks, type PendingImage } from './pending-images.ts'
import { isRunLevelError, type SyncImagesDeps } from './sync-images.ts'

/** So few a run that they cost a small part of a day's quota: a catalogue of 2,200 pictures is through in a month of hourly runs. */
const RECHECKS_A_RUN = 10

/**
 * Looks again at a few stored pictures whose id did not change: Zoho may keep the id when a picture is replaced, so only the bytes tell.
 * One that cannot be had now keeps its place; its turn comes again.
 */
export async function recheckImages(run: RunContext, deps: SyncImagesDeps): Promise<void> {
  const { db, clock } = deps
  let checked = 0
  let replaced = 0
  for (const work of await nextRechecks(db, clock.now(), RECHECKS_A_RUN)) {
    run.signal.throwIfAborted()
    try {
      if (await recheck(run, deps, work)) replaced++
    } catch (error) {
      if (run.signal.aborted || isRunLevelError(error)) throw error
      await db.product.updateMany({ where: { id: work.id }, data: { image_tried_at: clock.now() } })
    }
    checked++
  }
  if (checked > 0) run.report({ statistics: { images_rechecked: checked, images_replaced: replaced } })
}

async function recheck(run: RunContext, deps: SyncImagesDeps, work: PendingImage): Promise<boolean> {
  const blob = await fetchImage(deps, work, { runId: run.id, signal: run.signal })
  const { photo, changed } = await run.fenced(async (tx) => {
    const put = await putSourcePhoto(tx, {
      product_id: work.id,
      source: 'zoho',
      document_id: work.zoho_image_id,
      filename: cleanFilename(work.zoho_image_name ?? `${work.zoho_item_id}.${blob.ext}`, `image.${blob.ext}`),
      sha256: blob.sha256,
    })
    await tx.product.updateMany({ where: { id: work.id }, data: { image_tried_at: deps.clock.now() } })
    return put
  })
  if (changed && photo.is_primary) await deps.itemLinks.show(linkName(work), blob)
  return changed
}
