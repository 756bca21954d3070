import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { EdgeToken, Store } from '../../generated/client.ts'
import type { EdgeTokens } from '../../photo-sync/edge-tokens.ts'
import type { Stores } from '../../photo-sync/stores.ts'
import {
  Assortment,
  EdgeTokenBody,
  EdgeTokenMadeResponse,
  EdgeTokenResponse,
  EdgeTokensResponse,
  StoreBody,
  StorePatch,
  StorePatchQuery,
  type Store as StoreRecord,
  StoreResponse,
  StoreSavedResponse,
  StoresResponse,
  StoreVariant,
} from '../../schemas/stores.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['stores']
const Id = z.object({ id: z.string().max(200) })
const TokenId = z.object({ id: z.string().max(200), token_id: z.uuid() })
/** An assortment may name every SKU of a shop: 100,000 of the usual length. */
const MAX_STORE_BYTES = 2 * 1024 * 1024

const storeAnswer = (store: Store): StoreRecord => ({
  id: store.id,
  code: store.code,
  name: store.name,
  variant: StoreVariant.nullable().parse(store.variant),
  assortment: Assortment.nullable().parse(store.assortment),
  location_id: store.location_id,
  created_at: store.created_at.toISOString(),
  updated_at: store.updated_at.toISOString(),
  last_seen_at: store.last_seen_at?.toISOString() ?? null,
  paused_at: store.paused_at?.toISOString() ?? null,
  rate_limit: store.rate_limit,
  share: store.share,
  tags: store.tags,
})
const tokenAnswer = ({ id, name, created_at, expires_at, revoked_at, last_used_at }: EdgeToken) => ({
  id,
  name,
  created_at: created_at.toISOString(),
  expires_at: expires_at?.toISOString() ?? null,
  revoked_at: revoked_at?.toISOString() ?? null,
  last_used_at: last_used_at?.toISOString() ?? null,
})

export const storeRoutes: FastifyPluginAsyncZod<{ stores: Stores; edgeTokens: EdgeTokens }> = async (app, { stores, edgeTokens }) => {
  const onRequest = requireRole('admin')
  const success = <T>(data: T) => ({ status: 'success' as const, data })
  async function saved(store: Store) {
    const warnings = await stores.warnings(store)
    return { ...success(storeAnswer(store)), ...(warnings.length > 0 && { warnings }) }
  }

  app.get(
    '/',
    {
      onRequest,
      config: { keyScope: 'stores:read' },
      schema: { tags, operationId: 'listStores', summary: 'List stores, oldest first', response: { 200: StoresResponse } },
    },
    async () => ({
      ...success((await stores.list()).map(storeAnswer)),
      next_cursor: null,
    }),
  )
  app.post(
    '/',
    {
      onRequest,
      config: { keyScope: 'stores:manage' },
      bodyLimit: MAX_STORE_BYTES,
      schema: { tags, operationId: 'createStore', summary: 'Create a store', body: StoreBody, response: { 201: StoreSavedResponse } },
    },
    async (request, reply) => reply.code(201).send(await saved(await stores.create(request.body, actorOf(request)))),
  )
  app.get(
    '/:id',
    {
      onRequest,
      config: { keyScope: 'stores:read' },
      schema: { tags, operationId: 'getStore', summary: 'Return one store', params: Id, response: { 200: StoreResponse } },
    },
    async ({ params }) => success(storeAnswer(await stores.find(params.id))),
  )
  app.patch(
    '/:id',
    {
      onRequest,
      config: { keyScope: 'stores:manage' },
      bodyLimit: MAX_STORE_BYTES,
      schema: {
        tags,
        operationId: 'changeStore',
        summary: 'Update a store; its photo list changes immediately',
        params: Id,
        querystring: StorePatchQuery,
        body: StorePatch,
        response: { 200: StoreSavedResponse },
      },
    },
    async (request) => {
      const { params, body, query } = request
      const options = { confirmRemovals: query.confirm_removals }
      return saved(await stores.change(params.id, body, actorOf(request), options))
    },
  )
  app.delete(
    '/:id',
    {
      onRequest,
      config: { keyScope: 'stores:manage' },
      schema: {
        tags,
        operationId: 'deleteStore',
        summary: 'Delete a store with its tokens and reports',
        params: Id,
        response: { 200: StoreResponse },
      },
    },
    async (request) => success(storeAnswer(await stores.remove(request.params.id, actorOf(request)))),
  )

  app.get(
    '/:id/tokens',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'listStoreTokens',
        summary: 'List the tokens of a store, without their secrets',
        params: Id,
        response: { 200: EdgeTokensResponse },
      },
    },
    async ({ params }) => ({ ...success((await edgeTokens.list(params.id)).map(tokenAnswer)), next_cursor: null }),
  )
  app.post(
    '/:id/tokens',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'createStoreToken',
        summary: 'Create a token for the store’s edge server; it is returned only once',
        params: Id,
        body: EdgeTokenBody,
        response: { 201: EdgeTokenMadeResponse },
      },
    },
    async (request, reply) => {
      const { token, row } = await edgeTokens.issue(request.params.id, request.body, actorOf(request))
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(success({ id: row.id, name: row.name, token, expires_at: row.expires_at?.toISOString() ?? null }))
    },
  )
  app.delete(
    '/:id/tokens/:token_id',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'revokeStoreToken',
        summary: 'Revoke a token; it stops working immediately',
        params: TokenId,
        response: { 200: EdgeTokenResponse },
      },
    },
    async (request) => success(tokenAnswer(await edgeTokens.revoke(request.params.id, request.params.token_id, actorOf(request)))),
  )
}
