import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { storeOf } from '../../photo-sync/authorize-store.ts'
import type { Feed } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import { storesOfPhoto } from '../../photo-sync/photo-store-status.ts'
import { fleetOf, resync } from '../../photo-sync/store-status.ts'
import { FleetAnswer, FleetStoreAnswer, PhotoStoresAnswer, ResyncAnswer, ResyncBody } from '../../schemas/photo-sync.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, allow } from '../plugins/authentication.ts'
import { photoSyncTags as tags } from './photo-sync.ts'

const Id = z.object({ id: z.string().max(200) })

export const storeFleetRoutes: FastifyPluginAsyncZod<{ db: Database; feed: Feed; photoList: PhotoList }> = async (
  app,
  { db, feed, photoList: list },
) => {
  app.get(
    '/stores',
    { onRequest: allow('viewer'), schema: { tags, summary: 'All stores: last seen, how far, what fails', response: { 200: FleetAnswer } } },
    async () => {
      const moment = await feed.now()
      return { status: 'success' as const, data: await fleetOf({ db, list }, moment, [...moment.stores.values()]), next_cursor: null }
    },
  )
  app.get(
    '/stores/:id',
    { onRequest: allow('viewer'), schema: { tags, summary: 'One store', params: Id, response: { 200: FleetStoreAnswer } } },
    async ({ params }) => {
      const moment = await feed.now()
      const [data] = await fleetOf({ db, list }, moment, [storeOf(moment, params.id, null)])
      return { status: 'success' as const, data: data! }
    },
  )
  app.post(
    '/stores/:id/resync',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'Send a store everything again, or the photos that are named',
        params: Id,
        body: ResyncBody,
        response: { 200: ResyncAnswer },
      },
    },
    async (request) => {
      const moment = await feed.now()
      const store = storeOf(moment, request.params.id, null)
      await recordAudit(db, { ...actorOf(request), action: 'store.resync', target: `store:${store.code}` })
      return { status: 'success' as const, data: { photos: await resync({ db, list }, moment, store, request.body?.photo_ids) } }
    },
  )
  app.get(
    '/photos/:id/stores',
    {
      onRequest: allow('viewer'),
      schema: {
        tags,
        summary: 'How one photo stands in every store: there, behind, failed or not sold there',
        params: z.object({ id: z.uuid() }),
        response: { 200: PhotoStoresAnswer },
      },
    },
    async ({ params }) => {
      await feed.now() // what was changed before the question is numbered, and answered
      return { status: 'success' as const, data: await storesOfPhoto(db, params.id), next_cursor: null }
    },
  )
}
