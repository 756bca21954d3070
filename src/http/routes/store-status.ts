import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { authorizeStore } from '../../photo-sync/authorize-store.ts'
import type { Feed } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import { photoStatusByStore } from '../../photo-sync/photo-store-status.ts'
import { countArrivals, listStoreStatus, resync } from '../../photo-sync/store-status.ts'
import {
  ArrivalsResponse,
  PhotoStoresResponse,
  ResyncBody,
  ResyncResponse,
  StoreStatusListResponse,
  StoreStatusResponse,
} from '../../schemas/photo-sync.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'
import { photoSyncTags as tags } from './photo-sync.ts'

const Id = z.object({ id: z.string().max(200) })

export interface StoreStatusDeps {
  db: Database
  clock: Clock
  feed: Feed
  photoList: PhotoList
  /** The shop's time zone. */
  zone(): Promise<string>
}

export const storeStatusRoutes: FastifyPluginAsyncZod<StoreStatusDeps> = async (app, { db, clock, feed, photoList: list, zone }) => {
  app.get(
    '/stores',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: { tags, summary: 'List the sync status of all stores', response: { 200: StoreStatusListResponse } },
    },
    async () => {
      const moment = await feed.now()
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
      schema: { tags, summary: 'Return the sync status of one store', params: Id, response: { 200: StoreStatusResponse } },
    },
    async ({ params }) => {
      const moment = await feed.now()
      const [data] = await listStoreStatus({ db, list }, moment, [authorizeStore(moment, params.id, null)])
      return { status: 'success' as const, data: data! }
    },
  )
  app.get(
    '/stores/:id/arrivals',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'stores:read' },
      schema: {
        tags,
        summary: 'Count the photos that arrived at a store on each day, oldest first',
        params: Id,
        querystring: z.object({ days: z.coerce.number().int().min(1).max(90).default(14) }),
        response: { 200: ArrivalsResponse },
      },
    },
    async ({ params, query }) => {
      const store = authorizeStore(await feed.now(), params.id, null)
      const data = await countArrivals(db, { storeId: store.id, days: query.days, zone: await zone(), at: clock.now() })
      return { status: 'success' as const, data }
    },
  )
  app.post(
    '/stores/:id/resync',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'stores:manage' },
      schema: {
        tags,
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
