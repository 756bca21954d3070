import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { findProduct } from '../../catalog/find-product.ts'
import { findPriceList, listPriceLists, readPrices } from '../../catalog/prices.ts'
import type { ConnectionContext } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import { PriceListResponse, PriceListsResponse, PricesResponse } from '../../schemas/price-lists.ts'
import { requireRole } from '../plugins/authentication.ts'

const tags = ['products']

export interface PriceListRoutes {
  db: Database
  connect: Pick<ConnectionContext, 'knownOrganization'>
}

/** Zoho's price lists, and what they say of a product. */
export const priceListRoutes: FastifyPluginAsyncZod<PriceListRoutes> = async (app, { db, connect }) => {
  const ownCurrency = async () => (await connect.knownOrganization())?.currency ?? null
  app.get(
    '/api/price-lists',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listPriceLists',
        summary: 'Return all price lists of Zoho, active ones first',
        response: { 200: PriceListsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listPriceLists(db, await ownCurrency()), next_cursor: null }),
  )
  app.get(
    '/api/price-lists/:id',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'getPriceList',
        summary: 'Return one price list; its prices are with the products',
        params: z.object({ id: z.string().min(1).max(100) }),
        response: { 200: PriceListResponse },
      },
    },
    async ({ params }) => ({ status: 'success' as const, data: await findPriceList(db, params.id, await ownCurrency()) }),
  )
  app.get(
    '/api/products/:id/prices',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProductPrices',
        summary: 'Return what the active price lists say of a product',
        params: z.object({ id: z.string().min(1).max(600) }),
        response: { 200: PricesResponse },
      },
    },
    async ({ params }) => {
      const { id } = await findProduct(db, params.id)
      return { status: 'success' as const, data: (await readPrices(db, [id])).get(id) ?? [], next_cursor: null }
    },
  )
}
