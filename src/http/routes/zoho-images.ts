import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { findProduct } from '../../catalog/find-product.ts'
import type { Database } from '../../database/client.ts'
import type { Runs } from '../../runs/runs.ts'
import { GalleryFetch, GalleryPlanResponse, QueuedRun, UploadedImageResponse } from '../../schemas/images.ts'
import { planGallery, ZOHO_GALLERY } from '../../sync/images/gallery-run.ts'
import { type UploadImageDeps, uploadImage } from '../../sync/images/upload-to-zoho.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ZohoImagesDeps {
  db: Database
  runs: Runs
  sendImages: UploadImageDeps
}

const tags = ['images']

/** Further images of Zoho's items, and uploads of our own to Zoho: both only on request. */
export const zohoImageRoutes: FastifyPluginAsyncZod<ZohoImagesDeps> = async (app, { db, runs, sendImages }) => {
  app.get(
    '/api/media/gallery/plan',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'planGalleryFetch',
        summary: 'Estimate the API calls for downloading additional images',
        response: { 200: GalleryPlanResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await planGallery(db) }),
  )
  app.post(
    '/api/media/gallery/fetch',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'fetchGalleries',
        summary: 'Start a run that downloads additional images of items; a dry run counts the exact API calls',
        body: GalleryFetch,
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const { run_id } = await runs.start(ZOHO_GALLERY, request.body, { startedBy: requireIdentity(request).username })
      return reply.code(202).header('location', `/api/settings/integrations/zoho/sync/runs/${run_id}`).send({ status: 'queued', run_id })
    },
  )
  app.post(
    '/api/products/:id/images/send-to-zoho',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'sendImagesToZoho',
        summary: 'Upload the primary image of a product to its item in Zoho',
        params: z.object({ id: z.string().min(1).max(250) }),
        querystring: z.object({ dry_run: z.stringbool().default(false) }),
        response: { 200: UploadedImageResponse },
      },
    },
    async (request, reply) => {
      const { id } = await findProduct(db, request.params.id)
      const what = { productId: id, dryRun: request.query.dry_run, actor: actorOf(request) }
      return { status: 'success' as const, data: await uploadImage(sendImages, what, requestSignal(reply)) }
    },
  )
}
