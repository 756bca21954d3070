import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { authorizeStore } from '../../photo-sync/authorize-store.ts'
import type { Feed } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import { photoStatusByStore } from '../../photo-sync/photo-store-status.ts'
import type { ServedCounter } from '../../photo-sync/served-counter.ts'
import { storeHistory } from '../../photo-sync/store-history.ts'
import { listStoreStatus, resync } from '../../photo-sync/store-status.ts'
import {
  PhotoStoresResponse,
  ResyncBody,
  ResyncResponse,
  StoreHistoryQuery,
  StoreHistoryResponse,
  StoreStatusListResponse,
  StoreStatusResponse,
} from '../../schemas/photo-sync.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { photoSyncTags as tags } from './photo-sync.ts'

const Id = z.object({ id: z.string().max(200) })

export const storeStatusRoutes: FastifyPluginAsyncZod<{ db: Database; feed: Feed; photoList: PhotoList; served: ServedCounter }> = async (
  app,
  { db, feed, photoList: list, served },
) => {
  app.get(
    '/stores',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: {
        tags,
        operationId: 'listStoreStatuses',
        summary: 'List the sync status of all stores',
        response: { 200: StoreStatusListResponse },
      },
    },
    async () => {
      const moment = await feed.now()
      await served.flush()
      return {
        status: 'success' as const,
        data: await listStoreStatus({ db, list }, moment, [...moment.stores.values()]),
        next_cursor: null,
      }
    },
  )
  app.get(
    '/stores/:id',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: {
        tags,
        operationId: 'getStoreStatus',
        summary: 'Return the sync status of one store',
        params: Id,
        response: { 200: StoreStatusResponse },
      },
    },
    async ({ params }) => {
      const moment = await feed.now()
      await served.flush()
      const [data] = await listStoreStatus({ db, list }, moment, [authorizeStore(moment, params.id, null)])
      return { status: 'success' as const, data: data! }
    },
  )
  app.get(
    '/stores/:id/history',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: {
        tags,
        operationId: 'getStoreHistory',
        summary: 'Return what a store received and reported, by day, newest first',
        params: Id,
        querystring: StoreHistoryQuery,
        response: { 200: StoreHistoryResponse },
      },
    },
    async ({ params, query }) => {
      const store = authorizeStore(await feed.now(), params.id, null)
      await served.flush()
      return { status: 'success' as const, data: await storeHistory(db, store.id, query.days), next_cursor: null }
    },
  )
  app.post(
    '/stores/:id/resync',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'stores:manage' },
      schema: {
        tags,
        operationId: 'resyncStore',
        summary: 'Resync a store: send all photos again, or selected ones',
        params: Id,
        body: ResyncBody,
        response: { 200: ResyncResponse },
      },
    },
    async (request) => {
      const moment = await feed.now()
      const store = authorizeStore(moment, request.params.id, null)
      await recordAudit(db, { ...actorOf(request), action: 'store.resync', target: `store:${store.code}` })
      return { status: 'success' as const, data: { photos: await resync({ db, list }, moment, store, request.body?.photo_ids) } }
    },
  )
  app.get(
    '/photos/:id/stores',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: {
        tags,
        operationId: 'getPhotoStoreStatus',
        summary: 'Return the sync status of one photo in every store',
        params: z.object({ id: z.uuid() }),
        response: { 200: PhotoStoresResponse },
      },
    },
    async ({ params }) => {
      await feed.now() // numbers earlier changes, so that the response includes them
      return { status: 'success' as const, data: await photoStatusByStore(db, params.id), next_cursor: null }
    },
  )
}
