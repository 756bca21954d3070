import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Database } from '../db.ts'
import { Gone, NotFound } from '../errors.ts'
import type { VariantMaker } from '../photos/make-variant.ts'
import type { Recipes } from '../photos/recipe.ts'
import { findServedPicture } from '../photos/served-picture.ts'
import type { ImageUrls } from '../photos/signed-url.ts'
import type { PhotoStore } from '../photos/store.ts'
import { requireIdentity } from './auth.ts'
import { noneMatchHits, readRange } from './conditional.ts'

export interface ProductImagesDeps {
  db: Database
  store: PhotoStore
  recipes: Recipes
  makeVariant: VariantMaker
  imageUrls: ImageUrls
  clock: Clock
}

/** A header that came twice counts as not sent: which of the two is meant nobody knows. */
const oneHeader = (value: string | string[] | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

const Query = z.object({
  variant: z.enum(['thumb', 'medium', 'original']).default('original'),
  v: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  exp: z.coerce.number().int().optional(),
  sig: z.string().max(64).optional(),
})

export const productImageRoutes: FastifyPluginAsyncZod<ProductImagesDeps> = async (
  app,
  { db, store, recipes, makeVariant, imageUrls, clock },
) => {
  app.get(
    '/api/data/images/item/:filename',
    {
      config: { signed: true },
      schema: {
        tags: ['pictures'],
        summary: "A product's primary picture, or a variant of it",
        params: z.object({ filename: z.string().min(3).max(120) }),
        querystring: Query,
      },
    },
    async (request, reply) => {
      const { filename } = request.params
      const { variant, v, exp, sig } = request.query
      // A signed address carries its own permission; everybody else shows who they are, before anything is looked up.
      let secondsLeft: number | null = null
      if (sig !== undefined && v !== undefined && exp !== undefined)
        secondsLeft = imageUrls.check({ file: filename, version: v, exp, sig, now: clock.now() })
      else requireIdentity(request)

      const dot = filename.lastIndexOf('.')
      const picture =
        dot > 0
          ? await findServedPicture(
              { db, store, recipes, makeVariant },
              { name: filename.slice(0, dot), variant, accept: request.headers.accept ?? '' },
            )
          : null
      if (!picture || filename.slice(dot + 1) !== picture.originalExt)
        throw new NotFound('picture_not_found', 'There is no such picture', {
          remedy: 'The product says in image_url where its picture is.',
        })
      if (v !== undefined && v !== imageUrls.versionOf(picture.originalSha256))
        throw new Gone('picture_replaced', 'The picture was replaced since this address was made', {
          remedy: 'Read the product again; it carries the new image_url.',
        })

      const etag = `"${picture.sha256}"`
      reply.headers({
        etag,
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'cross-origin-resource-policy': 'cross-origin',
        vary: variant === 'original' ? 'Authorization' : 'Accept, Authorization',
        'cache-control': secondsLeft === null ? 'private, no-cache' : `private, max-age=${secondsLeft}, immutable`,
      })
      if (noneMatchHits(request.headers['if-none-match'], etag)) return reply.code(304).send()
      const range = readRange(request.headers.range, oneHeader(request.headers['if-range']), { size: picture.size, etag })
      if (range.kind === 'unsatisfiable') return reply.code(416).header('content-range', `bytes */${picture.size}`).send()
      const part = range.kind === 'part' ? { start: range.start, end: range.end } : undefined
      const { size, stream } = await store.open(picture.kind, picture.sha256, part)
      if (size !== picture.size) {
        stream.destroy()
        throw new NotFound('picture_file_damaged', 'The file of this picture is damaged', { remedy: 'Run `zinc images verify --repair`.' })
      }
      if (part) reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${size}`)
      reply.type(picture.contentType).header('content-length', part ? part.end - part.start + 1 : size)
      return reply.send(stream)
    },
  )
}
