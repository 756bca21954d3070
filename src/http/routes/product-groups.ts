import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { findProductGroup, listProductGroups } from '../../catalog/product-groups.ts'
import type { Database } from '../../database/client.ts'
import type { ImageUrls } from '../../images/serving/signed-url.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { ProductGroupResponse, ProductGroupsQuery, ProductGroupsResponse } from '../../schemas/product-groups.ts'
import { requireRole } from '../plugins/authentication.ts'

const tags = ['products']

export interface ProductGroupRoutes {
  db: Database
  clock: Clock
  imageUrls: ImageUrls
}

/** Item groups with variants. */
export const productGroupRoutes: FastifyPluginAsyncZod<ProductGroupRoutes> = async (app, { db, clock, imageUrls }) => {
  const shown = () => ({ imageUrl: imageUrls.build, now: clock.now() })
  app.get(
    '/api/product-groups',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'listProductGroups',
        summary: 'List item groups that have variants',
        querystring: ProductGroupsQuery,
        response: { 200: ProductGroupsResponse },
      },
    },
    async ({ query: { cursor, limit, search } }) => {
      const after = cursor === undefined ? undefined : readGroupCursor(cursor)
      const { groups, next } = await listProductGroups(db, { after, search, limit }, shown())
      return { status: 'success' as const, data: groups, next_cursor: next === null ? null : writeGroupCursor(next) }
    },
  )
  app.get(
    '/api/product-groups/:id',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'getProductGroup',
        summary: 'Return one item group with its products and images',
        params: z.object({ id: z.string().min(1).max(500) }),
        response: { 200: ProductGroupResponse },
      },
    },
    async ({ params }) => ({ status: 'success' as const, data: await findProductGroup(db, params.id, shown()) }),
  )
}

const Position = z.tuple([z.literal('group'), z.string()])
const writeGroupCursor = (id: string): string => Buffer.from(JSON.stringify(['group', id])).toString('base64url')

function readGroupCursor(cursor: string): string {
  try {
    return Position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))[1]
  } catch (cause) {
    throw new BadRequestError('invalid_cursor.sorted', { fields: [{ field: 'cursor', message: 'is invalid' }] }, { cause })
  }
}
