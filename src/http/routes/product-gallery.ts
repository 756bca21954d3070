import fastifyMultipart from '@fastify/multipart'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyRequest } from 'fastify'
import pLimit from 'p-limit'
import { z } from 'zod'
import { findProduct } from '../../catalog/find-product.ts'
import { serializeImage } from '../../catalog/serialize-image.ts'
import type { Database } from '../../database/client.ts'
import { type GalleryPhoto, type OnChange, restoreUntil } from '../../images/gallery/bulk-edit.ts'
import { type AddedPhoto, addPhotos, changePhoto, deletePhoto, listGallery, orderPhotos, restorePhoto } from '../../images/gallery/edit.ts'
import { cleanFilename } from '../../images/gallery/filename.ts'
import { type IngestDeps, ingestImage } from '../../images/processing/ingest.ts'
import type { ImageUrls } from '../../images/serving/signed-url.ts'
import type { ItemLinks } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError, NotFoundError, ServiceUnavailableError } from '../../lib/errors.ts'
import {
  CompareResponse,
  DeletedResponse,
  type GalleryImage,
  GalleryResponse,
  ImageOrder,
  ImagePatch,
  ImageResponse,
  UploadResponse,
} from '../../schemas/images.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { parseMultipart } from '../multipart.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ProductGalleryDeps {
  db: Database
  clock: Clock
  ingest: IngestDeps
  imageUrls: ImageUrls
  itemLinks: ItemLinks
}

const tags = ['images']
const FILES = 10
const FORM_FIELDS = ['is_primary', 'alt_en', 'alt_ar']
/** A form may be as large as four of the largest files: ten usual photographs. */
const FORM_FACTOR = 4
/**
 * Uploads that are read in parallel, and those that may wait with their bytes still at the sender.
 */
const UPLOADS_AT_ONCE = 8
const MAX_WAITING = 256
const MAX_WAIT_MS = 60_000

const OfProduct = z.object({ id: z.string().min(1).max(250) })
const OfImage = OfProduct.extend({ image_id: z.string().max(100) })
const UUID = z.uuid()
const YesNo = z.stringbool()

export const productGalleryRoutes: FastifyPluginAsyncZod<ProductGalleryDeps> = async (app, { db, clock, ingest, imageUrls, itemLinks }) => {
  await app.register(fastifyMultipart)
  const inTurn = createUploadQueue()
  const gallery = { db, clock }
  type Named = { id: string; zoho_item_id: string | null }
  const shown = (product: Named, photo: GalleryPhoto): GalleryImage => ({
    ...serializeImage(product, photo, { imageUrl: imageUrls.build, now: clock.now() }),
    deleted_at: photo.deleted_at?.toISOString() ?? null,
    restore_until: photo.deleted_at ? restoreUntil(photo.deleted_at).toISOString() : null,
  })
  /** Records who changed whose images, in the transaction of the change. */
  const audited =
    (request: FastifyRequest, action: string, product: Named, fields: string[] = []): OnChange =>
    (tx) =>
      recordAudit(tx, { ...actorOf(request), action: `image.${action}`, target: `product:${product.id}`, fields })
  const one = (product: Named, photo: GalleryPhoto) => ({ status: 'success' as const, data: shown(product, photo) })
  const list = (product: Named, photos: GalleryPhoto[]) => ({
    status: 'success' as const,
    data: photos.map((photo) => shown(product, photo)),
    next_cursor: null,
  })

  app.post(
    '/api/products/:id/images/upload',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write', largeBody: true },
      schema: {
        tags,
        operationId: 'uploadProductImage',
        summary: 'Upload one or more images of a product (multipart, parts named file); either all are stored or none',
        consumes: ['multipart/form-data'],
        params: OfProduct,
        response: { 201: UploadResponse },
      },
    },
    async (request, reply) => {
      const product = await findProduct(db, request.params.id)
      const signal = requestSignal(reply)
      const { maxBytes } = ingest.limits
      const photos: AddedPhoto[] = []
      const fields = await inTurn(signal, () =>
        parseMultipart(
          request,
          { fileBytes: maxBytes, totalBytes: maxBytes * FORM_FACTOR, files: FILES, fields: FORM_FIELDS },
          async ({ filename, bytes }) => {
            const blob = await ingestImage(ingest, bytes, signal)
            photos.push({ source: 'upload', filename: cleanFilename(filename ?? '', `image.${blob.ext}`), sha256: blob.sha256 })
          },
        ),
      )
      if (photos.length === 0) throw new BadRequestError('bad_request.no_file')
      const { alt_en, alt_ar } = readWords(fields)
      const added = await addPhotos(
        gallery,
        {
          productId: product.id,
          photos: photos.map((photo) => ({ ...photo, alt_en, alt_ar })),
          primary: readYesNo(fields, 'is_primary'),
        },
        audited(request, 'upload', product),
      )
      await itemLinks.refresh(db, product.id)
      const images = added.map((photo) => shown(product, photo))
      return reply.code(201).send({ status: 'success', data: images[0]!, images })
    },
  )

  app.get(
    '/api/products/:id/images',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'listProductImages',
        summary: 'List the images of a product in order; is_primary marks the primary one',
        params: OfProduct,
        querystring: z.object({ include_deleted: z.stringbool().default(false) }),
        response: { 200: GalleryResponse },
      },
    },
    async ({ params, query }) => {
      const product = await findProduct(db, params.id)
      return list(product, await listGallery(db, product.id, { withDeleted: query.include_deleted, now: clock.now() }))
    },
  )

  app.patch(
    '/api/products/:id/images/:image_id',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'changeProductImage',
        summary: 'Update an image: set as primary, change its position or alt text',
        params: OfImage,
        body: ImagePatch,
        response: { 200: ImageResponse },
      },
    },
    async (request) => {
      const { params, body } = request
      const product = await findProduct(db, params.id)
      const change = { productId: product.id, photoId: imageId(params.image_id), change: body }
      const photo = await changePhoto(gallery, change, audited(request, 'change', product, Object.keys(body)))
      if (body.is_primary) await itemLinks.refresh(db, product.id)
      return one(product, photo)
    },
  )

  app.put(
    '/api/products/:id/images/order',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'orderProductImages',
        summary: 'Reorder the images with a JSON array of their IDs',
        params: OfProduct,
        body: ImageOrder,
        response: { 200: GalleryResponse },
      },
    },
    async (request) => {
      const product = await findProduct(db, request.params.id)
      const order = { productId: product.id, ids: request.body }
      return list(product, await orderPhotos(gallery, order, audited(request, 'order', product)))
    },
  )

  app.delete(
    '/api/products/:id/images/:image_id',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'deleteProductImage',
        summary: 'Delete an image; it can be restored for seven days',
        params: OfImage,
        response: { 200: DeletedResponse },
      },
    },
    async (request) => {
      const product = await findProduct(db, request.params.id)
      const photoId = imageId(request.params.image_id)
      const { deleted_at, restore_until } = await deletePhoto(
        gallery,
        { productId: product.id, photoId },
        audited(request, 'delete', product),
      )
      await itemLinks.refresh(db, product.id)
      return {
        status: 'success' as const,
        data: { id: photoId, deleted_at: deleted_at.toISOString(), restore_until: restore_until.toISOString() },
      }
    },
  )

  app.post(
    '/api/products/:id/images/:image_id/restore',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'restoreProductImage',
        summary: 'Restore a deleted image',
        params: OfImage,
        response: { 200: ImageResponse },
      },
    },
    async (request) => {
      const product = await findProduct(db, request.params.id)
      const which = { productId: product.id, photoId: imageId(request.params.image_id) }
      const photo = await restorePhoto(gallery, which, audited(request, 'restore', product))
      await itemLinks.refresh(db, product.id)
      return one(product, photo)
    },
  )

  app.get(
    '/api/products/:id/images/compare',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'compareProductImages',
        summary: 'Compare the primary image with the one in Zoho',
        params: OfProduct,
        response: { 200: CompareResponse },
      },
    },
    async ({ params }) => {
      const product = await findProduct(db, params.id)
      const photos = await listGallery(db, product.id, { withDeleted: false, now: clock.now() })
      const ours = photos.find((it) => it.is_primary)
      const theirs = photos.find((it) => it.source === 'zoho' && it.kind === 'main')
      return {
        status: 'success' as const,
        data: {
          ours: ours ? shown(product, ours) : null,
          zoho: {
            document_id: product.zoho_image_id,
            name: product.zoho_image_name,
            state: product.image_state,
            error: product.image_error,
            image: theirs ? shown(product, theirs) : null,
          },
          same_bytes: ours !== undefined && ours.sha256 === theirs?.sha256,
        },
      }
    },
  )
}

/** An id of another format belongs to no image. */
function imageId(text: string): string {
  if (UUID.safeParse(text).success) return text
  throw new NotFoundError('image_not_found')
}

function readYesNo(fields: Record<string, string>, name: string): boolean {
  const value = fields[name]
  if (value === undefined || value === '') return false
  const read = YesNo.safeParse(value)
  if (!read.success) throw new BadRequestError('bad_request.not_boolean', { field: name })
  return read.data
}

function readWords(fields: Record<string, string>): { alt_en: string | null; alt_ar: string | null } {
  const read = (name: 'alt_en' | 'alt_ar') => {
    const words = ImagePatch.shape[name].safeParse(fields[name] ?? null)
    if (!words.success) throw new BadRequestError('bad_request.too_long', { field: name })
    return words.data || null
  }
  return { alt_en: read('alt_en'), alt_ar: read('alt_ar') }
}

/**
 * Limits the uploads that are read and those that wait: more of them get a 503 instead of memory.
 */
function createUploadQueue() {
  const limit = pLimit(UPLOADS_AT_ONCE)
  const tooMany = () => new ServiceUnavailableError('overloaded', {}, { retryAfterMs: 5_000 })
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    if (limit.pendingCount >= MAX_WAITING) throw tooMany()
    const late = Promise.withResolvers<never>()
    const waited = AbortSignal.any([signal, AbortSignal.timeout(MAX_WAIT_MS)])
    const giveUp = () => late.reject(signal.aborted ? signal.reason : tooMany())
    waited.addEventListener('abort', giveUp, { once: true })
    const turn = limit(async () => {
      waited.removeEventListener('abort', giveUp)
      if (waited.aborted) return late.promise
      return work()
    })
    return Promise.race([turn, late.promise])
  }
}
