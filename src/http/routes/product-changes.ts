import { hash } from 'node:crypto'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { readChangeCursor, writeChangeCursor } from '../../catalog/product-changes.ts'
import type { ProductFeed } from '../../catalog/product-feed.ts'
import type { ProductReader } from '../../catalog/product-reader.ts'
import type { Clock } from '../../lib/clock.ts'
import { ProductChangesQuery, ProductChangesResponse } from '../../schemas/products.ts'
import { matchesIfNoneMatch } from '../conditional-requests.ts'
import { requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ProductChangesDeps {
  clock: Clock
  productFeed: ProductFeed
  productReader: ProductReader
}

/**
 * `GET /api/products/changes`: every product once in the order of change, then the changes, now or
 * next month.
 */
export const productChangeRoutes: FastifyPluginAsyncZod<ProductChangesDeps> = async (app, { clock, productFeed, productReader }) => {
  app.get(
    '/api/products/changes',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags: ['products'],
        operationId: 'listProductChanges',
        summary: 'List products that changed after a cursor, each once in its newest state; `wait` holds the response until one changes',
        querystring: ProductChangesQuery,
        response: {
          200: ProductChangesResponse,
          304: z.unknown().describe('Nothing of it has changed since the response with that ETag'),
        },
      },
    },
    async ({ query, headers }, reply) => {
      const { limit } = query
      const signal = requestSignal(reply)
      const until = performance.now() + query.wait * 1000
      let snapshot = await productFeed.now()
      let cursor = readChangeCursor(snapshot, query.cursor)
      let page = await productReader.changes(snapshot, cursor, { limit, raw: query.include === 'raw' })
      while (page.entries.length === 0 && !signal.aborted) {
        const ms = until - performance.now()
        if (ms <= 0) break
        cursor = page.next
        await productFeed.waitBeyond(cursor.seq, { ms, signal })
        if (productFeed.isStopped()) break
        snapshot = await productFeed.now()
        page = await productReader.changes(snapshot, cursor, { limit, raw: query.include === 'raw' })
      }
      const rest = `"next_cursor":"${writeChangeCursor(snapshot, page.next)}","has_more":${page.hasMore}`
      const data = `[${page.entries.join(',')}]`
      // Everything but the time of the response.
      const etag = `"${hash('sha256', data + rest, 'base64url').slice(0, 27)}"`
      reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization').header('etag', `W/${etag}`)
      if (matchesIfNoneMatch(headers['if-none-match'], etag)) return reply.code(304).send()
      return reply
        .type('application/json; charset=utf-8')
        .serializer((body: unknown) => body as string)
        .send(`{"status":"success","data":${data},${rest},"server_time":"${clock.now().toISOString()}"}` as never)
    },
  )
}
