import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { listCategories } from '../../catalog/categories.ts'
import { listFacets } from '../../catalog/facets.ts'
import { findProduct } from '../../catalog/find-product.ts'
import type { ProductReader } from '../../catalog/product-reader.ts'
import { listLocations } from '../../catalog/product-stock.ts'
import { findPagePositions, type ProductFilter } from '../../catalog/search-products.ts'
import { patchProduct } from '../../catalog/update-product.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { listRecordHistory } from '../../runs/run-records.ts'
import { LocationsResponse } from '../../schemas/locations.ts'
import { ProductPatch } from '../../schemas/mapping.ts'
import {
  CategoriesResponse,
  Include,
  Product,
  ProductCursorsQuery,
  ProductCursorsResponse,
  ProductFacetsResponse,
  type ProductFilterQuery,
  ProductHistoryResponse,
  ProductsQuery,
  ProductsResponse,
} from '../../schemas/products.ts'
import { type DeleteProductDeps, deleteProduct } from '../../sync/items/delete-product.ts'
import { readSortCursor, writeSortCursor } from '../cursor.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const tags = ['products']
/** A long description in Arabic, with each letter escaped as some programs do. */
const MAX_PRODUCT_BYTES = 256 * 1024
const Params = z.object({ id: z.string().min(1).max(600) })
const IncludeQuery = z.object({ include: Include.optional() })
const OneResponse = z.object({ status: z.literal('success'), data: Product })

export interface ProductRouteDeps extends DeleteProductDeps {
  productReader: ProductReader
}

const filterOf = (query: ProductFilterQuery): ProductFilter => ({
  search: query.search,
  hasImage: query.has_image,
  coverage: query.coverage,
  status: query.status,
  category: query.category,
  brand: query.brand,
  groupId: query.group_id,
  priceListId: query.price_list_id,
  inStock: query.in_stock,
  locationId: query.location_id,
  modifiedSince: query.modified_since === undefined ? undefined : parseTimestamp('modified_since', query.modified_since),
  includeDeleted: query.include_deleted,
})

/** A body that is JSON already: Zoho's rows keep their digits. */
const sendJson = (reply: FastifyReply, text: string) =>
  reply
    .type('application/json; charset=utf-8')
    .serializer((body: unknown) => body as string)
    .send(text as never)

export const productRoutes: FastifyPluginAsyncZod<ProductRouteDeps> = async (app, { db, clock, itemLinks, openZoho, productReader }) => {
  app.get(
    '/api/locations',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listLocations',
        summary: 'List the locations of Zoho, or its warehouses, the primary one first',
        response: { 200: LocationsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listLocations(db), next_cursor: null }),
  )
  app.get(
    '/api/products',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProducts',
        summary: 'List products, oldest first by default',
        querystring: ProductsQuery,
        response: { 200: ProductsResponse },
      },
    },
    async ({ query }, reply) => {
      const { sort, cursor, offset, limit, total: counted, include } = query
      const filter = filterOf(query)
      const after = cursor === undefined ? undefined : readSortCursor(sort, cursor)
      const [{ records, next }, total] = await Promise.all([
        productReader.list({ ...filter, sort, after, offset, limit }, { raw: include === 'raw' }),
        counted ? productReader.count(filter) : undefined,
      ])
      const rest = { next_cursor: next && writeSortCursor(sort, next), ...(total !== undefined && { total }) }
      if (include === 'raw') {
        const data = records.map((record) => record.json()).join(',')
        return sendJson(reply, `{"status":"success","data":[${data}],${JSON.stringify(rest).slice(1)}`)
      }
      return { status: 'success' as const, data: records.map(({ product }) => product), ...rest }
    },
  )
  app.get(
    '/api/products/cursors',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProductCursors',
        summary: 'The cursors at which the pages of a list begin, for jumping to any of them',
        querystring: ProductCursorsQuery,
        response: { 200: ProductCursorsResponse },
      },
    },
    async ({ query }) => {
      const { sort, limit } = query
      const positions = await findPagePositions(db, { ...filterOf(query), sort, every: limit })
      return { status: 'success' as const, data: positions.map((position) => writeSortCursor(sort, position)), next_cursor: null }
    },
  )
  app.get(
    '/api/products/facets',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProductFacets',
        summary: 'The categories, brands and groups of products, each with its number of products',
        response: { 200: ProductFacetsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listFacets(db) }),
  )
  app.get(
    '/api/products/categories',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listCategories',
        summary: 'List categories by name, each with its number of products',
        response: { 200: CategoriesResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listCategories(db), next_cursor: null }),
  )
  app.get(
    '/api/products/:id/history',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProductHistory',
        summary: 'What the runs of the last 30 days changed of a product, newest first',
        params: Params,
        response: { 200: ProductHistoryResponse },
      },
    },
    async ({ params }) => {
      const { zoho_item_id: item } = await findProduct(db, params.id)
      const rows = item === null ? [] : await listRecordHistory(db, item)
      return { status: 'success' as const, data: rows.map((row) => ({ ...row, at: row.at.toISOString() })), next_cursor: null }
    },
  )
  app.patch(
    '/api/products/:id',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'products:write' },
      bodyLimit: MAX_PRODUCT_BYTES,
      schema: {
        tags,
        operationId: 'changeProduct',
        summary:
          'Update fields that the mapping gives to the ERP; fields that Zoho owns are refused with 409 owned_by_zoho; of a product that Zoho does not know, all can be changed',
        params: Params,
        body: ProductPatch,
        response: { 200: OneResponse },
      },
    },
    async ({ params, body }) => {
      const { id } = await patchProduct(db, params.id, body, { at: clock.now() })
      return { status: 'success' as const, data: (await productReader.one(id, { raw: false })).product }
    },
  )
  app.delete(
    '/api/products/:id',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'products:write' },
      schema: {
        tags,
        operationId: 'deleteProduct',
        summary: 'Delete a product that is not in Zoho; others are refused with 409 product_in_zoho',
        params: Params,
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
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'getProduct',
        summary: 'Return one product by id, or by a reference such as sku:A-1 (also zoho: ean: upc: isbn: part:)',
        params: Params,
        querystring: IncludeQuery,
        response: { 200: OneResponse },
      },
    },
    async ({ params, query }, reply) => {
      const record = await productReader.one(params.id, { raw: query.include === 'raw' })
      if (query.include === 'raw') return sendJson(reply, `{"status":"success","data":${record.json()}}`)
      return { status: 'success' as const, data: record.product }
    },
  )
}
