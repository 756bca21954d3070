import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { createGunzip, gzip } from 'node:zlib'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { RequestPayload } from 'fastify'
import { z } from 'zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import type { Database } from '../../database/client.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { authorizeStore } from '../../photo-sync/authorize-store.ts'
import type { Feed, FeedStore } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import { saveReports } from '../../photo-sync/reports.ts'
import type { SharingKeys } from '../../photo-sync/sharing-keys.ts'
import { saveEdgeClient } from '../../photo-sync/store-history.ts'
import {
  DigestResponse,
  type EdgeSettings,
  MAX_REPORTS,
  PhotoListQuery,
  PhotoListResponse,
  StatusBody,
  StatusResponse,
  StoreQuery,
} from '../../schemas/photo-sync.ts'
import { matchesIfNoneMatch } from '../conditional-requests.ts'
import { readerOf, requireEdgeOrRole } from '../plugins/authentication.ts'

export interface PhotoSyncDeps {
  db: Database
  feed: Feed
  photoList: PhotoList
  connect: Pick<ConnectionContext, 'knownOrganization'>
  sharingKeys: SharingKeys
  /** The new address of head office, where this is the old one. */
  movedTo: string | undefined
}

export const photoSyncTags = ['photo sync']
const compress = promisify(gzip)

/** A thousand reports with their errors: parsing more would delay all other requests. */
const MAX_STATUS_BYTES = 1024 * 1024

/** A smaller response fits into one packet as it is. */
const SMALLEST_COMPRESSED = 1_000

const LIST_BEGINS = Buffer.from('{"status":"success","data":{"photos":')

/**
 * No schema that serializes something: even `null` would be counted in a Content-Length, which on a
 * 304 is that of the full response.
 */
const NotModified = z.unknown().describe('Not changed since the response with that ETag')

/**
 * Counted before they are validated: half a million invalid reports would cost more than a thousand
 * valid ones.
 */
function refuseTooMany(body: unknown): void {
  const batch = (body as { sync_batch?: unknown } | null)?.sync_batch
  if (!Array.isArray(batch) || batch.length <= MAX_REPORTS) return
  throw new BadRequestError('bad_request.too_many_reports', {
    max: MAX_REPORTS,
    fields: [{ field: 'sync_batch', message: `has more than ${MAX_REPORTS} reports` }],
  })
}

/** Fastify counts the bytes that come out against the limit of the route. */
function gunzip(payload: RequestPayload): RequestPayload {
  const plain: RequestPayload = createGunzip()
  let received = 0
  plain.receivedEncodedLength = 0
  payload.on('data', (chunk: Buffer) => {
    received += chunk.length
    plain.receivedEncodedLength = received
  })
  payload.once('error', (error) => plain.destroy(error))
  return payload.pipe(plain as ReturnType<typeof createGunzip>)
}

/**
 * Every edge server sends a request each minute; the time zone of an organization hardly ever
 * changes.
 */
const TIME_ZONE_FOR_MS = 60_000

function createTimeZoneCache(connect: PhotoSyncDeps['connect']): () => Promise<string | null> {
  let known: { zone: string | null; at: number } | undefined
  return async () => {
    if (known === undefined || performance.now() - known.at > TIME_ZONE_FOR_MS)
      known = { zone: (await connect.knownOrganization())?.timeZone ?? null, at: performance.now() }
    return known.zone
  }
}

export const photoSyncRoutes: FastifyPluginAsyncZod<PhotoSyncDeps> = async (
  app,
  { db, feed, photoList, connect, sharingKeys, movedTo },
) => {
  const timeZone = createTimeZoneCache(connect)
  /** Complete responses of the pages that the list caches, for as long as it does. */
  const sent = new WeakMap<Buffer, { rest: string; body: Buffer; gzip?: Buffer }>()
  /** What zinc's own edge client is told with the list. */
  async function edgeSettings(store: FeedStore, withPeerKey: boolean): Promise<EdgeSettings> {
    return {
      time_zone: await timeZone(),
      rate_limit: store.rate_limit,
      share: store.share,
      ...(withPeerKey && { sharing: sharingKeys.settings(store) }),
      ...(movedTo !== undefined && { forward: { server: movedTo, signature: sharingKeys.signForward(store.id, movedTo) } }),
    }
  }
  app.get(
    '/',
    {
      onRequest: requireEdgeOrRole('viewer'),
      config: { keyScope: 'photo-sync:read', unknownParameters: 'warn' },
      schema: {
        tags: photoSyncTags,
        operationId: 'listStorePhotos',
        summary: 'List the photos of a store, by position, by change time, or by cursor',
        querystring: PhotoListQuery,
        response: { 200: PhotoListResponse, 304: NotModified },
      },
    },
    async (request, reply) => {
      const { store_id, since, limit, offset, cursor, include_deleted, edge_settings, peer_key } = request.query
      const snapshot = await feed.now()
      const store = authorizeStore(snapshot, store_id, request.edge)
      const page = await photoList.read(snapshot, store, {
        since: since === undefined ? null : parseTimestamp('since', since),
        limit,
        offset,
        cursor,
        includeDeleted: include_deleted,
        reader: readerOf(request),
      })
      const edge = edge_settings ? JSON.stringify(await edgeSettings(store, peer_key && request.edge !== null)) : null
      const etag = edge === null ? page.etag : `${page.etag.slice(0, -1)}.${hash('sha256', edge, 'base64url').slice(0, 10)}"`
      reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization').header('etag', `W/${etag}`)
      if (matchesIfNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
      reply.header('content-type', 'application/json; charset=utf-8')
      const { photos, total, hasMore, nextOffset, nextCursor, serverTime } = page
      // Concatenated by hand: the photos are text already, and parsing a page to check its shape
      // would cost more than reading it from the database.
      const rest = `,"total":${total},"has_more":${hasMore},"next_offset":${nextOffset},"next_cursor":"${nextCursor}","server_time":"${serverTime}"${edge === null ? '' : `,"edge":${edge}`}}}`
      let known = sent.get(photos)
      if (known?.rest !== rest) {
        known = { rest, body: Buffer.concat([LIST_BEGINS, photos, Buffer.from(rest)]) }
        sent.set(photos, known)
      }
      if (edge === null) return reply.send(known.body as never)
      // Only zinc's own client: the responses of other makes stay as they are.
      // A page without deletions, or from the middle, must not pass for a step of a cursor.
      if (since === undefined && offset === 0 && (cursor === undefined || include_deleted))
        reply.header('x-list-signature', sharingKeys.signList(store.id, cursor ?? '', known.body))
      reply.header('vary', 'Authorization, Accept-Encoding')
      if (known.body.length < SMALLEST_COMPRESSED || !/\bgzip\b/i.test(request.headers['accept-encoding'] ?? ''))
        return reply.send(known.body as never)
      known.gzip ??= await compress(known.body)
      return reply.header('content-encoding', 'gzip').send(known.gzip as never)
    },
  )

  app.get(
    '/digest',
    {
      onRequest: requireEdgeOrRole('viewer'),
      config: { keyScope: 'photo-sync:read', unknownParameters: 'warn' },
      schema: {
        tags: photoSyncTags,
        operationId: 'getStorePhotosDigest',
        summary: 'Return a digest that changes when anything is new for a store',
        querystring: StoreQuery,
        response: { 200: DigestResponse, 304: NotModified },
      },
    },
    async (request, reply) => {
      const snapshot = await feed.now()
      const data = await photoList.digest(snapshot, authorizeStore(snapshot, request.query.store_id, request.edge))
      const etag = `"${hash('sha256', data.digest, 'base64url').slice(0, 27)}"`
      reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization').header('etag', `W/${etag}`)
      if (matchesIfNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return { status: 'success' as const, data }
    },
  )

  app.post(
    '/status',
    {
      onRequest: requireEdgeOrRole('admin'),
      config: { unknownParameters: 'warn', gzipBody: true },
      bodyLimit: MAX_STATUS_BYTES,
      preParsing: async ({ headers }, _reply, payload) => (headers['content-encoding'] === 'gzip' ? gunzip(payload) : payload),
      preValidation: async ({ body }) => refuseTooMany(body),
      schema: {
        tags: photoSyncTags,
        operationId: 'reportStorePhotos',
        summary: 'Report the sync status of photos from an edge server',
        body: StatusBody,
        response: { 200: StatusResponse },
      },
    },
    async (request) => {
      const snapshot = await feed.now()
      const store = authorizeStore(snapshot, request.body.store_id, request.edge)
      const { sync_batch, edge_client } = request.body
      const data = await saveReports(db, store, sync_batch)
      if (edge_client) await saveEdgeClient(db, store, edge_client)
      return { status: 'success' as const, message: `Sync status updated for ${data.updated} photos`, data }
    },
  )
}
