import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { listCategories } from '../../catalog/categories.ts'
import { findProduct, listProducts } from '../../catalog/products.ts'
import { countProducts } from '../../catalog/search-products.ts'
import { serializeProduct } from '../../catalog/serialize-product.ts'
import { patchProduct } from '../../catalog/update-product.ts'
import type { ImageUrls } from '../../images/serving/signed-url.ts'
import { CoverageKey } from '../../schemas/coverage.ts'
import { ProductPatch } from '../../schemas/mapping.ts'
import { CategoriesResponse, Product, ProductsResponse } from '../../schemas/products.ts'
import { type DeleteProductDeps, deleteProduct } from '../../sync/items/delete-product.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const tags = ['products']
const Query = z.object({
  search: z.string().max(200).optional(),
  has_image: z.stringbool().optional(),
  /** Only products that lack this; see GET …/coverage. */
  coverage: CoverageKey.optional(),
  cursor: z.string().max(500).optional(),
  /** Instead of a cursor: so many products are left out. */
  offset: z.coerce.number().int().min(0).max(10_000_000).optional(),
  /** Also say how many products match. */
  total: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

export const productRoutes: FastifyPluginAsyncZod<DeleteProductDeps & { imageUrls: ImageUrls }> = async (
  app,
  { db, imageUrls, clock, itemLinks, openZoho },
) => {
  const shown = () => ({ imageUrl: imageUrls.build, now: clock.now() })

  app.get(
    '/api/products',
    {
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        summary: 'Products, oldest first',
        querystring: Query,
        response: { 200: ProductsResponse },
      },
    },
    async ({ query }) => {
      const filter = { search: query.search, hasImage: query.has_image, coverage: query.coverage }
      const [rows, total] = await Promise.all([
        listProducts(db, {
          ...filter,
          after: query.cursor === undefined ? undefined : readCursor(query.cursor),
          offset: query.offset,
          limit: query.limit + 1,
        }),
        query.total ? countProducts(db, filter) : undefined,
      ])
      const page = rows.slice(0, query.limit)
      const last = page.at(-1)
      return {
        status: 'success' as const,
        data: page.map((row) => serializeProduct(row, shown())),
        next_cursor: rows.length > page.length && last ? writeCursor(last) : null,
        ...(total !== undefined && { total }),
      }
    },
  )
  app.get(
    '/api/products/categories',
    {
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        summary: 'The categories that products stand in, by name, each with its number of products',
        response: { 200: CategoriesResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listCategories(db), next_cursor: null }),
  )
  app.patch(
    '/api/products/:id',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        summary: 'Change fields that the mapping gives to the ERP; what Zoho owns is refused with 409 owned_by_zoho',
        params: z.object({ id: z.string().min(1).max(250) }),
        body: ProductPatch,
        response: { 200: z.object({ status: z.literal('success'), data: Product }) },
      },
    },
    async ({ params, body }) => ({
      status: 'success' as const,
      data: serializeProduct(await patchProduct(db, params.id, body, { at: clock.now() }), shown()),
    }),
  )
  app.delete(
    '/api/products/:id',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        summary: 'Delete a product that Zoho does not know; one that it has is refused with 409 product_in_zoho',
        params: z.object({ id: z.string().min(1).max(250) }),
        response: { 200: z.object({ status: z.literal('success'), data: z.object({ id: z.uuid(), deleted_at: z.iso.datetime() }) }) },
      },
    },
    async (request, reply) => {
      const deps = { db, clock, itemLinks, openZoho }
      const { id, deleted_at } = await deleteProduct(deps, { ref: request.params.id, actor: actorOf(request) }, requestSignal(reply))
      return { status: 'success' as const, data: { id, deleted_at: deleted_at.toISOString() } }
    },
  )
  app.get(
    '/api/products/:id',
    {
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        summary: 'One product, by id, sku:… or zoho:…',
        params: z.object({ id: z.string().min(1).max(250) }),
        response: { 200: z.object({ status: z.literal('success'), data: Product }) },
      },
    },
    async ({ params }) => ({ status: 'success' as const, data: serializeProduct(await findProduct(db, params.id), shown()) }),
  )
}
