import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyRequest } from 'fastify'
import pLimit from 'p-limit'
import type { Database } from '../../database/client.ts'
import {
  deletePhotos,
  describePhotos,
  imageNotFound,
  type OnChange,
  type PhotoOutcome,
  productDeleted,
  restorePhotos,
  restoreUntil,
} from '../../images/gallery/bulk-edit.ts'
import { MEDIA_REGENERATE } from '../../images/processing/regenerate-run.ts'
import type { RegenerateParams } from '../../images/processing/variant-jobs.ts'
import type { ItemLinks } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { type AppError, ConflictError, NotFoundError } from '../../lib/errors.ts'
import type { Runs } from '../../runs/runs.ts'
import { BulkAltText, BulkImages, type BulkOutcome, BulkProducts, BulkQueued, BulkResponse } from '../../schemas/images.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { ITEM_SYNC } from '../../sync/items/item-sync-run.ts'
import { refetchParams } from '../../sync/items/retry-params.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'

export interface BulkImagesDeps {
  db: Database
  clock: Clock
  runs: Runs
  itemLinks: ItemLinks
}

const tags = ['images']
const RUNS = '/api/settings/integrations/zoho/sync/runs'
const VIEWS_AT_ONCE = 4

/**
 * The operations on one image, for up to a thousand of any products; the response has the outcome
 * for each.
 */
export const bulkImageRoutes: FastifyPluginAsyncZod<BulkImagesDeps> = async (app, { db, clock, runs, itemLinks }) => {
  const audited =
    (request: FastifyRequest, action: string): OnChange =>
    async (tx, photos) => {
      const products = [...new Set(photos.map((it) => it.product_id))]
      await recordAudit(tx, ...products.map((id) => ({ ...actorOf(request), action: `image.${action}`, target: `product:${id}` })))
    }
  const response = async (outcomes: PhotoOutcome[]) => {
    const products = new Set(outcomes.flatMap(({ photo }) => photo?.product_id ?? []))
    const limit = pLimit(VIEWS_AT_ONCE)
    await Promise.all([...products].map((id) => limit(() => itemLinks.refresh(db, id))))
    return {
      status: outcomes.some(({ error }) => error) ? ('partial' as const) : ('success' as const),
      data: outcomes.map(({ id, photo, error }): BulkOutcome => {
        if (error) return failed(id, error)
        return { id, status: 'done', ...(photo.deleted_at && { restore_until: restoreUntil(photo.deleted_at).toISOString() }) }
      }),
    }
  }

  app.post(
    '/api/products/images/delete',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'deleteImages',
        summary: 'Delete many images; they can be restored for seven days',
        body: BulkImages,
        response: { 200: BulkResponse },
      },
    },
    async (request) => response(await deletePhotos({ db, clock }, request.body, audited(request, 'delete'))),
  )
  app.post(
    '/api/products/images/restore',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'restoreImages',
        summary: 'Restore many deleted images',
        body: BulkImages,
        response: { 200: BulkResponse },
      },
    },
    async (request) => response(await restorePhotos({ db, clock }, request.body, audited(request, 'restore'))),
  )
  app.post(
    '/api/products/images/alt-text',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'setImageAltTexts',
        summary: 'Set the alt text of many images, or fill missing ones with the names of their products',
        body: BulkAltText,
        response: { 200: BulkResponse },
      },
    },
    async (request) => {
      const { from_product_name, alt_en, alt_ar } = request.body
      const texts = from_product_name ? { fromProductName: true as const } : { alt_en, alt_ar }
      return response(await describePhotos({ db, clock }, request.body, texts, audited(request, 'change')))
    },
  )

  app.post(
    '/api/products/images/regenerate',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'regenerateVariantsOf',
        summary: 'Start a run that regenerates the thumbnails of many images',
        body: BulkImages,
        response: { 202: BulkQueued },
      },
    },
    async (request, reply) => {
      const ids = [...new Set(request.body.ids)]
      const photos = await db.photo.findMany({ where: { id: { in: ids }, deleted_at: null }, select: { id: true, sha256: true } })
      const known = new Map(photos.map((it) => [it.id, it.sha256]))
      if (known.size === 0) throw imageNotFound()
      const params: RegenerateParams = { which: 'all', sha256: [...new Set(known.values())] }
      const { run_id } = await runs.start(MEDIA_REGENERATE, params, { startedBy: requireIdentity(request).username })
      const data = ids.map((id): BulkOutcome => (known.has(id) ? { id, status: 'done' } : failed(id, imageNotFound())))
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id, data })
    },
  )
  app.post(
    '/api/products/images/refetch',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'refetchImages',
        summary: 'Start a run that downloads the images of many products again, from Zoho (one API call each) or their URL',
        body: BulkProducts,
        response: { 202: BulkQueued },
      },
    },
    async (request, reply) => {
      const ids = [...new Set(request.body.product_ids)]
      const { params, products } = await refetchParams(db, ids)
      const refused = (id: string): AppError | null => {
        const product = products.get(id)
        if (!product) return new NotFoundError('product_not_found')
        if (product.deleted) return productDeleted()
        return product.hasSource ? null : noSource()
      }
      if (params.retry?.products.length === 0) throw refused(ids[0]!)
      const { run_id } = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
      const data = ids.map((id): BulkOutcome => {
        const error = refused(id)
        return error ? failed(id, error) : { id, status: 'done' }
      })
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id, data })
    },
  )
}

const failed = (id: string, { code, message, params }: AppError): BulkOutcome => ({ id, status: 'failed', code, message, params })
const noSource = () => new ConflictError('no_remote_source')
