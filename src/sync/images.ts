import pLimit from 'p-limit'
import type { Clock } from '../clock.ts'
import type { Database } from '../db.ts'
import { AppError } from '../errors.ts'
import type { RunContext } from '../jobs/run-handler.ts'
import { putSourcePhoto, removeSourcePhoto } from '../photos/gallery.ts'
import { type IngestDeps, ingestPicture } from '../photos/ingest.ts'
import { type View, viewName } from '../photos/view.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { DayQuotaSpent, NeedsPerson, NothingThere } from '../zoho/failures.ts'
import { itemImage } from '../zoho/inventory.ts'

export interface ImagePassDeps {
  db: Database
  zoho: ZohoClient
  clock: Clock
  ingest: IngestDeps
  view: View
  /** How many pictures are under way at once; the call budget holds them back where Zoho's limits do. */
  concurrency: number
}

const BATCH = 200
/** The rate that is shown is that of the last while, not of the whole run: after a pause it is true again soon. */
const RATE_WINDOW_MS = 30_000

interface Todo {
  id: string
  zoho_item_id: string | null
  sku: string | null
  zoho_image_id: string | null
  zoho_image_name: string | null
}

export interface ImageCounts {
  downloaded: number
  missing: number
  failed: number
}

/** What this run has done with pictures, from the rows themselves: right also after a kill. */
export async function countImages(db: Database, runId: string): Promise<ImageCounts> {
  const groups = await db.product.groupBy({ by: ['image_state'], where: { image_run: runId }, _count: true })
  const count = (state: string) => groups.find((group) => group.image_state === state)?._count ?? 0
  return { downloaded: count('stored'), missing: count('none'), failed: count('failed') }
}

/**
 * Fetches every picture that is untried, failed or changed, each once a run. One that fails is noted and does not stop the others.
 * Killed at any line: the product's row still says untried, and the bytes, if they are stored already, are known by their hash.
 */
export async function imagePass(run: RunContext, deps: ImagePassDeps): Promise<ImageCounts> {
  const { db, clock } = deps
  const where = {
    deleted_at: null,
    zoho_item_id: { not: null },
    zoho_image_id: { not: null },
    image_state: { in: ['untried', 'failed'] },
    OR: [{ image_run: null }, { image_run: { not: run.id } }],
  }
  const counts = await countImages(db, run.id)
  const before = counts.downloaded + counts.missing + counts.failed
  const total = before + (await db.product.count({ where }))
  const times: number[] = []
  const limit = pLimit(deps.concurrency)
  /** The first failure that concerns all pictures: quota, credentials, disk, or a stop. */
  const stopped = new AbortController()
  const signal = AbortSignal.any([run.signal, stopped.signal])

  const report = () => {
    const done = counts.downloaded + counts.missing + counts.failed
    const now = clock.now().getTime()
    times.push(now)
    while (now - times[0]! > RATE_WINDOW_MS) times.shift()
    const spanMs = now - times[0]!
    const rate = spanMs > 0 ? ((times.length - 1) * 1000) / spanMs : 0
    run.report({
      statistics: { images_downloaded: counts.downloaded, images_failed: counts.failed },
      progress: {
        phase: 'images',
        done,
        total,
        rate: Math.round(rate * 10) / 10,
        eta_ms: rate > 0 ? Math.round(((total - done) / rate) * 1000) : null,
        waiting: null,
      },
    })
  }

  for (;;) {
    const batch: Todo[] = await db.product.findMany({
      where,
      orderBy: [{ image_attempts: 'asc' }, { id: 'asc' }],
      take: BATCH,
      select: { id: true, zoho_item_id: true, sku: true, zoho_image_id: true, zoho_image_name: true },
    })
    if (batch.length === 0) return counts
    await Promise.all(
      batch.map((product) =>
        limit(async () => {
          if (signal.aborted) return
          try {
            counts[await fetchOne(run, deps, product, signal)]++
            report()
          } catch (error) {
            stopped.abort(error)
          }
        }),
      ),
    )
    signal.throwIfAborted()
  }
}

/** Throws only what concerns all pictures. */
async function fetchOne(
  run: RunContext,
  { zoho, clock, ingest, view }: ImagePassDeps,
  product: Todo,
  signal: AbortSignal,
): Promise<keyof ImageCounts> {
  // The state is written only if Zoho still names the same picture: it may have been replaced while this one was under way.
  const tried = {
    where: { id: product.id, zoho_image_id: product.zoho_image_id },
    base: { image_run: run.id, image_tried_at: clock.now() },
  }
  try {
    const blob = await download(zoho, ingest, product, run.id, signal)
    const primary = await run.fenced(async (tx) => {
      const { photo } = await putSourcePhoto(tx, {
        product_id: product.id,
        source: 'zoho',
        document_id: product.zoho_image_id,
        filename: product.zoho_image_name ?? `${product.zoho_item_id}.${blob.ext}`,
        sha256: blob.sha256,
      })
      await tx.product.updateMany({
        where: tried.where,
        data: {
          ...tried.base,
          image_state: 'stored',
          image_fetched_id: product.zoho_image_id,
          image_error: null,
          image_error_code: null,
          image_attempts: 0,
        },
      })
      await tx.failure.updateMany({
        where: { product_id: product.id, stage: 'image', resolved_at: null },
        data: { resolved_at: clock.now() },
      })
      return photo.is_primary
    })
    if (primary) await view.show(viewName(product), blob)
    return 'downloaded'
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof NothingThere) {
      await run.fenced(async (tx) => {
        await removeSourcePhoto(tx, product.id, 'zoho')
        await tx.product.updateMany({ where: tried.where, data: { ...tried.base, image_state: 'none' } })
      })
      return 'missing'
    }
    if (error instanceof DayQuotaSpent || error instanceof NeedsPerson || isStorageFailure(error)) throw error
    const code = error instanceof AppError ? error.code : 'download_failed'
    const message = error instanceof AppError ? error.message : 'The picture did not arrive whole'
    await run.fenced(async (tx) => {
      await tx.product.updateMany({
        where: tried.where,
        data: { ...tried.base, image_state: 'failed', image_error_code: code, image_error: message, image_attempts: { increment: 1 } },
      })
      await tx.failure.updateMany({
        where: { product_id: product.id, stage: 'image', resolved_at: null },
        data: { resolved_at: clock.now() },
      })
      await run.fail(tx, [
        {
          stage: 'image',
          code,
          message,
          product_id: product.id,
          zoho_item_id: product.zoho_item_id ?? undefined,
          sku: product.sku ?? undefined,
        },
      ])
    })
    return 'failed'
  }
}

async function download(zoho: ZohoClient, ingest: IngestDeps, product: Todo, runId: string, signal: AbortSignal) {
  const { body, contentLength, done } = await itemImage(zoho, { itemId: product.zoho_item_id ?? '', runId }, signal)
  try {
    return await ingestPicture(ingest, body, signal, { expectedBytes: contentLength })
  } finally {
    body.destroy()
    await done()
  }
}

const STORAGE_CODES = new Set(['storage_full', 'ENOSPC', 'EROFS', 'EDQUOT', 'EIO', 'EACCES', 'EMFILE'])
export const isStorageFailure = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && STORAGE_CODES.has(String(error.code))
