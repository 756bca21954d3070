import { callsOf, dayLimitInForce, shareOf } from '../../connection/call-purposes.ts'
import type { Db } from '../../database/client.ts'
import { cleanFilename } from '../../images/gallery/filename.ts'
import { putSourcePhoto } from '../../images/gallery/gallery.ts'
import { linkName } from '../../images/storage/item-links.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { RateLimitedError, ZohoNotFoundError } from '../../zoho/errors.ts'
import { fetchImage } from './fetch-image.ts'
import { nextRechecks, type PendingImage } from './pending-images.ts'
import { isRunLevelError, type SyncImagesDeps } from './sync-images.ts'

/** For the rotation: daily full runs get through a catalogue of 2,200 images in a month. */
const ROTATION_A_RUN = 100
const DAY_MS = 86_400_000

export interface RecheckDeps extends SyncImagesDeps {
  zoho: ZohoClient
  /** The operator's own limit for a day; undefined: Zoho's. */
  requestsPerDay?: number | undefined
}

/**
 * Returns how many stored images may be fetched again now: a share of the day's calls, minus those
 * made in the last 24 hours.
 */
export async function recheckAllowance(
  db: Db,
  { organization, requestsPerDay, now }: { organization: string | null; requestsPerDay: number | undefined; now: Date },
): Promise<number> {
  const known = organization === null ? null : await db.zohoRateLimit.findUnique({ where: { organization }, select: { day_limit: true } })
  const share = shareOf('rechecks', dayLimitInForce(known?.day_limit ?? null, requestsPerDay)) ?? Number.MAX_SAFE_INTEGER
  if (organization === null) return share
  return Math.max(0, share - (await callsOf(db, { organization, purpose: 'rechecks', since: new Date(now.getTime() - DAY_MS) })))
}

/**
 * Fetches images whose id did not change again, since Zoho may keep the id when an image is
 * replaced and only the bytes tell, or may name one before it can send it. These are the images of
 * items edited since, and in a full run a few not checked for a month. What exceeds the share is
 * left to the following runs. Webhook runs leave it to the next item sync, so that a changed price
 * costs one call.
 */
export async function recheckImages(run: RunContext, deps: RecheckDeps, { rotation }: { rotation: boolean }): Promise<void> {
  const { db, clock, zoho, requestsPerDay } = deps
  const allowed = await recheckAllowance(db, { organization: zoho.organizationId, requestsPerDay, now: clock.now() })
  const edited = await nextRechecks(db, { runId: run.id, now: clock.now(), limit: allowed, rotation: false })
  const left = rotation ? Math.min(ROTATION_A_RUN, allowed - edited.length) : 0
  const old = left > 0 ? await nextRechecks(db, { runId: run.id, now: clock.now(), limit: left, rotation: true }) : []
  const known = new Set(edited.map(({ id }) => id))
  let { images_rechecked: checked = 0, images_replaced: replaced = 0 } = run.statistics
  for (const work of [...edited, ...old.filter(({ id }) => !known.has(id))]) {
    run.signal.throwIfAborted()
    try {
      if (await recheck(run, deps, work)) replaced++
    } catch (error) {
      // The day's calls are used up: the stored image stays, and the rest is left to another day.
      if (error instanceof RateLimitedError) return
      if (run.signal.aborted || isRunLevelError(error)) throw error
      // An image of the rotation gets its next turn; one of an edited item is fetched by the next
      // run, unless Zoho still has none.
      const stillMissing = work.was_missing && error instanceof ZohoNotFoundError
      await db.product.updateMany({
        where: { id: work.id },
        data: {
          // Without this run's mark: its list has counted the image already.
          image_tried_at: clock.now(),
          ...(stillMissing && { image_checked_modified_at: work.zoho_modified_at }),
        },
      })
    }
    checked++
    run.report({ statistics: { images_rechecked: checked, images_replaced: replaced } })
  }
}

async function recheck(run: RunContext, deps: RecheckDeps, work: PendingImage): Promise<boolean> {
  const blob = await fetchImage(deps, work, { runId: run.id, signal: run.signal, job: 'recheck' })
  const { photo, changed } = await run.fenced(async (tx) => {
    const put = await putSourcePhoto(tx, {
      product_id: work.id,
      source: 'zoho',
      document_id: work.zoho_image_id,
      filename: cleanFilename(work.zoho_image_name ?? `${work.zoho_item_id}.${blob.ext}`, `image.${blob.ext}`),
      sha256: blob.sha256,
    })
    await tx.product.updateMany({
      where: { id: work.id },
      data: {
        image_tried_at: deps.clock.now(),
        image_checked_modified_at: work.zoho_modified_at,
        ...(work.was_missing && { image_state: 'stored', image_fetched_id: work.zoho_image_id }),
      },
    })
    return put
  })
  if (changed && photo.is_primary) await deps.itemLinks.show(linkName(work), blob)
  return changed
}
