import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { IMAGE_SIZES } from '../../facts/variants.ts'
import type { VariantSettingsStore } from '../../images/processing/variant-settings.ts'
import type { VariantMaker } from '../../images/processing/variants.ts'
import { findImage } from '../../images/serving/find-image.ts'
import type { ImageUrls } from '../../images/serving/signed-url.ts'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import type { FileCache } from '../../images/storage/file-cache.ts'
import type { Clock } from '../../lib/clock.ts'
import { GoneError, NotFoundError } from '../../lib/errors.ts'
import { requireIdentity } from '../plugins/authentication.ts'
import { sendFile } from '../send-file.ts'

export interface ProductImagesDeps {
  db: Database
  store: BlobStore
  fileCache: FileCache
  variantSettings: VariantSettingsStore
  makeVariant: VariantMaker
  imageUrls: ImageUrls
  clock: Clock
  publicImages: boolean
}

const Query = z.object({
  variant: z.enum(IMAGE_SIZES).default('original'),
  /**
   * Any text is accepted for these three, so that an altered URL is reported as altered, whichever
   * part it was.
   */
  v: z.string().optional(),
  exp: z.string().optional(),
  sig: z.string().optional(),
})

export const imageFileRoutes: FastifyPluginAsyncZod<ProductImagesDeps> = async (
  app,
  { db, store, fileCache, variantSettings, makeVariant, imageUrls, clock, publicImages },
) => {
  app.get(
    '/images/:filename',
    {
      config: { keyScope: 'images:read', signed: true, produces: ['image/*'] },
      schema: {
        tags: ['images'],
        operationId: 'getImageFile',
        summary: 'Return the primary image of a product at a permanent URL',
        description: [
          'Use the Zoho item ID or the product ID; the extension need not match the current format. With `PUBLIC_IMAGES=1` the URL is',
          'public, except for inactive and deleted products; otherwise it needs a token or the session cookie.',
          '`v`, which `image_url` contains, lets caches keep the current image forever; an outdated one is ignored.',
        ].join(' '),
        params: z.object({ filename: z.string().min(1).max(120) }),
        querystring: Query.pick({ variant: true, v: true }),
      },
    },
    async (request, reply) => {
      if (!publicImages) requireIdentity(request)
      const { filename } = request.params
      const { variant, v } = request.query
      const [name = ''] = filename.split('.')
      const image = await findImage(
        { db, store, variantSettings, makeVariant },
        { name, variant, accept: request.headers.accept ?? '', activeOnly: publicImages },
      )
      if (!image) throw new NotFoundError('image_not_found.file')
      const present = v === imageUrls.versionOf(image.originalSha256)
      reply.headers({
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
        'cache-control': publicImages ? (present ? 'public, max-age=31536000, immutable' : 'public, max-age=300') : 'private, no-cache',
      })
      const vary = [...(variant === 'original' ? [] : ['Accept']), ...(publicImages ? [] : ['Authorization'])]
      if (vary.length > 0) reply.header('vary', vary.join(', '))
      return sendFile(request, reply, fileCache, image)
    },
  )

  app.get(
    '/api/data/images/item/:filename',
    {
      config: { keyScope: 'images:read', signed: true, produces: ['image/*'] },
      schema: {
        tags: ['images'],
        operationId: 'getSignedImageFile',
        summary: 'Return the primary image of a product, or a variant of it',
        params: z.object({ filename: z.string().min(3).max(120) }),
        querystring: Query,
      },
    },
    async (request, reply) => {
      const { filename } = request.params
      const { variant, v, exp, sig } = request.query
      // A signed URL contains its own permission; all other clients must authenticate before
      // anything is read.
      let secondsLeft: number | null = null
      if (sig !== undefined)
        secondsLeft = imageUrls.check({ file: filename, version: v ?? '', exp: Number(exp ?? 0), sig, now: clock.now() })
      else requireIdentity(request)

      const dot = filename.lastIndexOf('.')
      const image =
        dot > 0
          ? await findImage(
              { db, store, variantSettings, makeVariant },
              { name: filename.slice(0, dot), variant, accept: request.headers.accept ?? '' },
            )
          : null
      if (!image || filename.slice(dot + 1) !== image.originalExt) throw new NotFoundError('image_not_found.file')
      if (v !== undefined && v !== imageUrls.versionOf(image.originalSha256)) throw new GoneError('image_replaced')

      reply.headers({
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
        vary: variant === 'original' ? 'Authorization' : 'Accept, Authorization',
        'cache-control': secondsLeft === null ? 'private, no-cache' : `private, max-age=${secondsLeft}, immutable`,
      })
      return sendFile(request, reply, fileCache, image)
    },
  )
}
