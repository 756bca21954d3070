import pLimit from 'p-limit'
import type { Database } from '../../database/client.ts'
import { isConnectionError } from '../../database/errors.ts'
import type { Blob, Photo } from '../../generated/client.ts'
import { PlaceholderImageError } from '../../images/fetch/fetch-url.ts'
import { cleanFilename } from '../../images/gallery/filename.ts'
import { putSourcePhoto, removeSourcePhoto } from '../../images/gallery/gallery.ts'
import { isStorageError } from '../../images/storage/disk-space.ts'
import { type ItemLinks, linkName } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError } from '../../lib/errors.ts'
import { say } from '../../messages/say.ts'
import { failureOf } from '../../runs/because.ts'
import { RunAborted, type RunContext } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ConfigurationError, RateLimitedError, ZohoNotFoundError, ZohoUnavailableError } from '../../zoho/errors.ts'
import { ping } from '../../zoho/inventory.ts'
import { OAuthUnavailableError } from '../../zoho/oauth-errors.ts'
import { brokeOff, type FetchImageDeps, fetchImage } from './fetch-image.ts'
import { countImages, countPending, type ImageCounts, nextPending, type PendingImage, type WorkFilter } from './pending-images.ts'

export interface SyncImagesDeps extends FetchImageDeps {
  db: Database
  clock: Clock
  itemLinks: ItemLinks
  /** How many images are fetched in parallel; the rate limiter holds them back at Zoho's limits. */
  concurrency: number
}

const BATCH = 200
/**
 * So many images without an answer from Zoho, and none answered that was asked for after them, are
 * an outage and not an error of the images.
 */
const OUTAGE_AFTER = 10

/**
 * Zoho answers for no image: the run pauses and resumes later, and no image counts as failed for
 * it.
 */
export class ZohoOutage extends Error {}

/**
 * Fetches every image that is untried, failed or changed, each once a run. A failure is recorded
 * and does not stop the others. Crash-safe: the product's row still says untried, and bytes that
 * are stored already are recognised by their hash. Throws what concerns all images:
 * RateLimitedError, ConfigurationError, StorageFullError, ZohoOutage, or the abort.
 */
export async function syncImages(run: RunContext, deps: SyncImagesDeps, filter: WorkFilter): Promise<ImageCounts> {
  const { db } = deps
  const counts = await countImages(db, run.id)
  const total = sumOf(counts) + (await countPending(db, filter))
  const limit = pLimit(deps.concurrency)
  /** The first failure that concerns all images. */
  const stopped = new AbortController()
  const signal = AbortSignal.any([run.signal, stopped.signal])
  /** Counts the events below, so that it is known which came first. */
  let moment = 0
  /** Images without an answer, and none asked for later has been answered. */
  let unanswered: { id: string; at: number }[] = []
  /**
   * Products whose image is stored but whose link could not be made. The link is only for people
   * who browse the folder, so it is made again at the end.
   */
  const unshown: string[] = []

  const report = () => {
    run.report({
      statistics: { images_downloaded: counts.downloaded, images_failed: counts.failed },
      progress: { phase: 'images', done: sumOf(counts), total, waiting: null },
    })
  }

  for (;;) {
    const batch = await nextPending(db, filter, BATCH)
    if (batch.length === 0) {
      if (unanswered.length > 0 && deps.useBreaker && deps.zoho && !(await isAnswering(deps.zoho, run))) {
        await forgetTries(run, unanswered)
        throw new ZohoOutage('Zoho does not answer')
      }
      for (const id of unshown) await deps.itemLinks.refresh(db, id)
      return counts
    }
    await Promise.all(
      batch.map((work) =>
        limit(async () => {
          if (signal.aborted) return
          const began = ++moment
          try {
            const outcome = await syncImage(run, deps, work, { signal, unshown })
            if (outcome.unanswered) unanswered.push({ id: work.id, at: ++moment })
            // An answer to what was asked before the outage says nothing about it.
            else if (work.kind === 'zoho') unanswered = unanswered.filter(({ at }) => at > began)
            counts[outcome.counts]++
            report()
            if (unanswered.length >= OUTAGE_AFTER) stopped.abort(new ZohoOutage('Zoho does not answer'))
          } catch (error) {
            stopped.abort(error)
          }
        }),
      ),
    )
    // Whether these failed by themselves is not known yet.
    if (stopped.signal.aborted && !run.signal.aborted) await forgetTries(run, unanswered)
    signal.throwIfAborted()
  }
}

const sumOf = ({ downloaded, missing, failed }: ImageCounts) => downloaded + missing + failed

/** The outage was not caused by these images: the run tries them again when it resumes. */
async function forgetTries(run: RunContext, unanswered: { id: string }[]): Promise<void> {
  const productIds = unanswered.map(({ id }) => id)
  await run.fenced(async (tx) => {
    await tx.product.updateMany({ where: { id: { in: productIds }, image_run: run.id }, data: { image_run: null } })
    await tx.failure.deleteMany({ where: { run_id: run.id, stage: 'image', product_id: { in: productIds } } })
  })
}

/** Whether the last images failed alone, or Zoho as a whole is away: one small call tells. */
async function isAnswering(zoho: ZohoClient, run: RunContext): Promise<boolean> {
  try {
    await ping(zoho, { runId: run.id }, run.signal)
    return true
  } catch (error) {
    if (error instanceof ZohoUnavailableError) return false
    throw error
  }
}

/** Fetches one image and saves its state. Throws only what concerns all images. */
async function syncImage(
  run: RunContext,
  deps: SyncImagesDeps,
  work: PendingImage,
  { signal, unshown }: { signal: AbortSignal; unshown: string[] },
): Promise<{ counts: keyof ImageCounts; unanswered?: boolean }> {
  try {
    const blob = await fetchImage(deps, work, { runId: run.id, signal })
    const photo = await saveImage(run, deps, work, blob)
    if (photo.is_primary) await deps.itemLinks.show(linkName(work), blob).catch(() => unshown.push(work.id))
    return { counts: 'downloaded' }
  } catch (error) {
    signal.throwIfAborted()
    if (isRunLevelError(error)) throw error
    if (error instanceof ZohoUnavailableError && error.code === 'zoho_circuit_open') throw new ZohoOutage('Zoho does not answer')
    if (error instanceof ZohoNotFoundError) {
      await markWithoutImage(run, deps, work)
      return { counts: 'missing' }
    }
    const failed = failureOf(error instanceof AppError ? error : say('download_failed'))
    const placeholder = error instanceof PlaceholderImageError
    await run.fenced(async (tx) => {
      await tx.product.updateMany({
        where: whereUnchanged(work),
        data: {
          ...attempt(run, deps),
          image_state: placeholder ? 'placeholder' : 'failed',
          image_error_code: failed.code,
          image_error: failed.message,
          ...(placeholder ? { image_source_fetched: work.image_source_key } : { image_attempts: { increment: 1 } }),
        },
      })
      await run.fail(tx, [
        {
          stage: 'image',
          ...failed,
          product_id: work.id,
          zoho_item_id: work.zoho_item_id,
          sku: work.sku ?? undefined,
        },
      ])
    })
    return placeholder
      ? { counts: 'missing' }
      : { counts: 'failed', unanswered: work.kind === 'zoho' && (error instanceof ZohoUnavailableError || brokeOff(error)) }
  }
}

/**
 * The state is written only if the source still names the same image: it may have been replaced
 * during the transfer.
 */
const whereUnchanged = (work: PendingImage) =>
  work.kind === 'zoho' ? { id: work.id, zoho_image_id: work.zoho_image_id } : { id: work.id, image_source_key: work.image_source_key }
const attempt = (run: RunContext, { clock }: SyncImagesDeps) => ({ image_run: run.id, image_tried_at: clock.now() })

async function saveImage(run: RunContext, deps: SyncImagesDeps, work: PendingImage, blob: Blob): Promise<Photo> {
  return run.fenced(async (tx) => {
    const zoho = work.kind === 'zoho'
    const { photo } = await putSourcePhoto(tx, {
      product_id: work.id,
      source: work.kind,
      document_id: zoho ? work.zoho_image_id : null,
      source_url: zoho ? null : work.image_source_url,
      filename: cleanFilename(work.zoho_image_name ?? `${work.zoho_item_id}.${blob.ext}`, `image.${blob.ext}`),
      sha256: blob.sha256,
    })
    // The file's image is stored and Zoho's own is not: the product still waits for Zoho's.
    const waits =
      !zoho &&
      work.zoho_image_id !== null &&
      (await tx.product.count({
        where: { id: work.id, OR: [{ image_fetched_id: null }, { image_fetched_id: { not: work.zoho_image_id } }] },
      })) > 0
    await tx.product.updateMany({
      where: whereUnchanged(work),
      data: {
        ...attempt(run, deps),
        image_state: waits ? 'untried' : 'stored',
        ...(zoho
          ? { image_fetched_id: work.zoho_image_id, image_checked_modified_at: work.zoho_modified_at }
          : { image_source_fetched: work.image_source_key }),
        image_error: null,
        image_error_code: null,
        image_attempts: 0,
      },
    })
    await tx.failure.updateMany({
      where: { product_id: work.id, stage: 'image', resolved_at: null },
      data: { resolved_at: deps.clock.now() },
    })
    return photo
  })
}

async function markWithoutImage(run: RunContext, deps: SyncImagesDeps, work: PendingImage): Promise<void> {
  await run.fenced(async (tx) => {
    await removeSourcePhoto(tx, work.id, 'zoho')
    await tx.product.updateMany({
      where: whereUnchanged(work),
      data: { ...attempt(run, deps), image_state: 'none', image_fetched_id: null, image_checked_modified_at: work.zoho_modified_at },
    })
    await tx.failure.updateMany({
      where: { product_id: work.id, stage: 'image', resolved_at: null },
      data: { resolved_at: deps.clock.now() },
    })
  })
}

const STORAGE_CODES = new Set(['ENOSPC', 'EROFS', 'EDQUOT', 'EIO', 'EACCES', 'EMFILE', 'ENFILE'])
/** The storage accepts no image at all, so the error is not about this one. */
export const isStorageFailure = (error: unknown): boolean =>
  isStorageError(error) || (error instanceof Error && 'code' in error && STORAGE_CODES.has(String(error.code)))

/** Not an error of this image: every other one would meet it too. */
export const isRunLevelError = (error: unknown): boolean =>
  error instanceof RateLimitedError ||
  error instanceof OAuthUnavailableError ||
  error instanceof ConfigurationError ||
  error instanceof RunAborted ||
  isStorageFailure(error) ||
  isConnectionError(error)
