import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { productAnswer } from '../catalog/product-answer.ts'
import { findProduct, listProducts } from '../catalog/products.ts'
import type { Clock } from '../clock.ts'
import { Product } from '../contract/products.ts'
import type { Database } from '../db.ts'
import type { ImageUrls } from '../photos/signed-url.ts'
import { allow } from './auth.ts'
import { readCursor, writeCursor } from './cursor.ts'

const tags = ['products']
const Query = z.object({
  search: z.string().max(200).optional(),
  has_image: z.stringbool().optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

export const productRoutes: FastifyPluginAsyncZod<{ db: Database; imageUrls: ImageUrls; clock: Clock }> = async (
  app,
  { db, imageUrls, clock },
) => {
  const shown = () => ({ imageUrl: imageUrls.build, now: clock.now() })

  app.get(
    '/api/products',
    {
      onRequest: allow('viewer'),
      schema: {
        tags,
        summary: 'Products, oldest first',
        querystring: Query,
        response: { 200: z.object({ status: z.literal('success'), data: z.array(Product), next_cursor: z.string().nullable() }) },
      },
    },
    async ({ query }) => {
      const rows = await listProducts(db, {
        search: query.search,
        hasImage: query.has_image,
        after: query.cursor === undefined ? undefined : readCursor(query.cursor),
        limit: query.limit + 1,
      })
      const page = rows.slice(0, query.limit)
      const last = page.at(-1)
      return {
        status: 'success' as const,
        data: page.map((row) => productAnswer(row, shown())),
        next_cursor: rows.length > page.length && last ? writeCursor(last) : null,
      }
    },
  )
  app.get(
    '/api/products/:id',
    {
      onRequest: allow('viewer'),
      schema: {
        tags,
        summary: 'One product, by id, sku:… or zoho:…',
        params: z.object({ id: z.string().min(1).max(250) }),
        response: { 200: z.object({ status: z.literal('success'), data: Product }) },
      },
    },
    async ({ params }) => ({ status: 'success' as const, data: productAnswer(await findProduct(db, params.id), shown()) }),
  )
}
