import pLimit from 'p-limit'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { cleanFilename } from '../../images/gallery/filename.ts'
import { lockProduct, putSourcePhoto, removePhoto } from '../../images/gallery/gallery.ts'
import { type IngestDeps, ingestImage } from '../../images/processing/ingest.ts'
import { isStorageError } from '../../images/storage/disk-space.ts'
import type { ItemLinks } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError } from '../../lib/errors.ts'
import { message } from '../../messages/say.ts'
import { failure, failureOf } from '../../runs/because.ts'
import type { RunContext, RunHandler } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ConfigurationError, RateLimitedError, ZohoUnavailableError } from '../../zoho/errors.ts'
import { documentImage, IDS_PER_CALL, itemsById } from '../../zoho/inventory.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { NO_IMAGE } from '../../zoho/read-item.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'

export const ZOHO_GALLERY = 'zoho_gallery'
/**
 * `dry_run` fetches only the details, and so tells exactly how many calls the images would take.
 */
export const GalleryParams = z.object({ dry_run: z.boolean().default(false) })
const Checkpoint = z.object({ after: z.uuid() })

export interface GalleryRunDeps {
  db: Database
  clock: Clock
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
  ingest: IngestDeps
  itemLinks: ItemLinks
  concurrency: number
}

/** Items that can have further images: those with a main one. */
const WITH_IMAGE = { deleted_at: null, zoho_item_id: { not: null }, zoho_image_id: { not: null } }
/** Returns how many calls the details take; the number of images is known only from them. */
export async function planGallery(db: Database): Promise<{ items: number; detail_calls: number; stored: number }> {
  const items = await db.product.count({ where: WITH_IMAGE })
  const stored = await db.photo.count({ where: { source: 'zoho', kind: 'gallery', deleted_at: null } })
  return { items, detail_calls: Math.ceil(items / IDS_PER_CALL), stored }
}

/**
 * Fetches the further images of all items: the details of a hundred items per call, then one call
 * for each image that is not stored yet. Images that Zoho no longer has are removed. Crash-safe: it
 * resumes after the last hundred, and stored images are known by their document.
 */
export function createGalleryRun(deps: GalleryRunDeps): RunHandler {
  return {
    kind: ZOHO_GALLERY,
    exclusiveKey: ZOHO_GALLERY,
    async execute(run) {
      try {
        return await downloadAll(run, deps)
      } catch (error) {
        const paused = await pauseOnOutage(run, deps, error)
        if (paused) return paused
        throw error
      }
    },
  }
}

interface Todo {
  product: { id: string; zoho_item_id: string | null; sku: string | null }
  documentId: string
  name: string | null
  /** Position among the item's images, as Zoho shows them. */
  order: number
}

async function downloadAll(run: RunContext, deps: GalleryRunDeps): Promise<{ state: 'success' | 'partial' }> {
  const { db } = deps
  const { dry_run } = GalleryParams.parse(run.params)
  const zoho = await deps.openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  const total = await db.product.count({ where: WITH_IMAGE })
  let after = run.checkpoint ? Checkpoint.parse(run.checkpoint).after : null
  const counts = { items: 0, found: 0, downloaded: 0, removed: 0, failed: 0, unreadable: 0, without_list: 0, ...run.statistics }
  for (;;) {
    const products = await db.product.findMany({
      where: { ...WITH_IMAGE, ...(after !== null && { id: { gt: after } }) },
      select: {
        id: true,
        zoho_item_id: true,
        sku: true,
        zoho_image_id: true,
        photos: { where: { source: 'zoho', kind: 'gallery', deleted_at: null } },
      },
      orderBy: { id: 'asc' },
      take: IDS_PER_CALL,
    })
    const last = products.at(-1)
    if (!last) return { state: counts.failed + counts.unreadable > 0 ? 'partial' : 'success' }
    const ids = products.map((it) => it.zoho_item_id ?? '')
    const { found: details } = await itemsById(zoho, { ids, runId: run.id, job: 'image' }, run.signal)
    const todo: Todo[] = []
    const unreadable: Todo['product'][] = []
    for (const product of products) {
      const item = details.get(product.zoho_item_id ?? '')
      if (!item) continue // deleted in Zoho: the item sync removes it with its images
      const main = item.image_document_id ?? product.zoho_image_id
      if (!item.documents_readable) {
        counts.unreadable++
        unreadable.push(product)
      }
      if (item.documents === undefined) {
        // A missing list says nothing about the stored images.
        if (item.documents_readable) counts.without_list++
        continue
      }
      const further = item.documents.filter((it) => it.document_id !== main && !NO_IMAGE.test(it.file_name?.trim() ?? ''))
      counts.found += further.length
      const named = new Set(further.map((it) => it.document_id))
      const here = new Set(product.photos.map((it) => it.document_id))
      todo.push(
        ...further
          .filter((it) => !here.has(it.document_id))
          .map((it) => ({ product, documentId: it.document_id, name: it.file_name, order: it.attachment_order })),
      )
      const gone = product.photos.filter((it) => it.document_id === null || !named.has(it.document_id))
      // Only a list whose entries are all readable proves that an image was removed.
      if (dry_run || gone.length === 0 || !item.documents_readable) continue
      await run.fenced(async (tx) => {
        await lockProduct(tx, product.id)
        for (const photo of await tx.photo.findMany({ where: { id: { in: gone.map((it) => it.id) }, deleted_at: null } }))
          await removePhoto(tx, photo, deps.clock.now())
      })
      await deps.itemLinks.refresh(db, product.id)
      counts.removed += gone.length
    }
    counts.items += products.length
    if (dry_run) counts.downloaded += todo.length
    else await fetchAll(run, deps, zoho, todo, counts)
    after = last.id
    const checkpoint = { after }
    await run.fenced(async (tx) => {
      await run.fail(
        tx,
        unreadable.map(({ id, zoho_item_id, sku }) => ({
          stage: 'item',
          ...failure('invalid_item', { field: message('field.images'), name: sku || (zoho_item_id ?? '') }),
          product_id: id,
          zoho_item_id: zoho_item_id ?? undefined,
          sku: sku ?? undefined,
        })),
      )
      await run.saveCheckpoint(tx, checkpoint, counts)
    })
    run.report({ progress: { phase: 'gallery', done: Math.min(counts.items, total), total, waiting: null } })
  }
}

type Counts = Record<'items' | 'found' | 'downloaded' | 'removed' | 'failed' | 'unreadable' | 'without_list', number>

async function fetchAll(run: RunContext, deps: GalleryRunDeps, zoho: ZohoClient, todo: Todo[], counts: Counts): Promise<void> {
  const limit = pLimit(deps.concurrency)
  let stopped: unknown
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  await Promise.all(
    todo.map((it) =>
      limit(async () => {
        if (signal.aborted) return
        try {
          await fetchOne(run, deps, zoho, it, signal)
          counts.downloaded++
        } catch (error) {
          if (signal.aborted) return
          const isRunLevelError =
            error instanceof RateLimitedError || error instanceof ConfigurationError || error instanceof ZohoUnavailableError
          if (isRunLevelError || !(error instanceof AppError) || isStorageError(error)) {
            stopped = error
            stop.abort(error)
            return
          }
          counts.failed++
          const { id, zoho_item_id, sku } = it.product
          const failed = {
            stage: 'image',
            ...failureOf(error),
            product_id: id,
            zoho_item_id: zoho_item_id ?? undefined,
            sku: sku ?? undefined,
          }
          await run.fenced((tx) => run.fail(tx, [failed]))
        }
      }),
    ),
  )
  run.signal.throwIfAborted()
  if (stopped) throw stopped
}

async function fetchOne(
  run: RunContext,
  { ingest, db, itemLinks }: GalleryRunDeps,
  zoho: ZohoClient,
  { product, documentId, name, order }: Todo,
  signal: AbortSignal,
): Promise<void> {
  const { body, contentLength, done } = await documentImage(zoho, { documentId, runId: run.id }, signal)
  try {
    const blob = await ingestImage(ingest, body, signal, { expectedBytes: contentLength })
    const photo = {
      product_id: product.id,
      source: 'zoho' as const,
      kind: 'gallery' as const,
      document_id: documentId,
      filename: cleanFilename(name ?? '', `${documentId}.${blob.ext}`),
      sha256: blob.sha256,
      sort_order: order,
    }
    const put = await run.fenced((tx) => putSourcePhoto(tx, photo))
    if (put.photo.is_primary) await itemLinks.refresh(db, product.id)
  } finally {
    body.destroy()
    await done()
  }
}
