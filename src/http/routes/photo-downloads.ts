import { constants, createGzip } from 'node:zlib'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { create as contentDisposition } from 'content-disposition'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import type { FileCache } from '../../images/storage/file-cache.ts'
import { AppError, ServiceUnavailableError } from '../../lib/errors.ts'
import { writeArchive } from '../../photo-sync/archive.ts'
import { authorizeStore } from '../../photo-sync/authorize-store.ts'
import type { Feed } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import type { DownloadFile, PhotoDownloads } from '../../photo-sync/photo-downloads.ts'
import type { ServedCounter } from '../../photo-sync/served-counter.ts'
import { ArchiveBody, DownloadQuery } from '../../schemas/photo-sync.ts'
import { readerOf, requireEdgeOrRole } from '../plugins/authentication.ts'
import { sendFile } from '../send-file.ts'
import { photoSyncTags as tags } from './photo-sync.ts'

const ATTACHMENT = 'attachment; filename='

/**
 * RFC 6266, with the name in UTF-8 next to a plain one; always in quotes, since not every client
 * parses a bare word.
 */
function attachment(filename: string): string {
  const header = contentDisposition(filename)
  // Only what directly follows is the name: the text of a name may look like a parameter itself.
  if (!header.startsWith(ATTACHMENT) || header[ATTACHMENT.length] === '"') return header
  const [word = '', ...rest] = header.slice(ATTACHMENT.length).split(';')
  return [`${ATTACHMENT}"${word}"`, ...rest].join(';')
}

/**
 * Concurrent archives: each holds connections, file handles and buffers for as long as its client
 * takes. An edge server uses four.
 */
const ARCHIVES_PER_READER = 4
const ARCHIVES_PER_PROCESS = 16
const ARCHIVE_RETRY_MS = 5_000

function createArchiveSlots() {
  const taken = new Map<string, number>()
  let all = 0
  return {
    /** Returns a function that releases the slot. Throws ServiceUnavailableError `overloaded`. */
    take(reader: string): () => void {
      const mine = taken.get(reader) ?? 0
      if (mine >= ARCHIVES_PER_READER || all >= ARCHIVES_PER_PROCESS)
        throw new ServiceUnavailableError('overloaded.archives', { limit: ARCHIVES_PER_READER }, { retryAfterMs: ARCHIVE_RETRY_MS })
      taken.set(reader, mine + 1)
      all++
      return () => {
        all--
        const left = (taken.get(reader) ?? 1) - 1
        if (left > 0) taken.set(reader, left)
        else taken.delete(reader)
      }
    },
  }
}

/**
 * Calls `count` when the response has ended, with the bytes of the photo that were sent and whether
 * that was its last part. A connection that was cut counts with what had left this process.
 */
function countDownload(reply: FastifyReply, size: number, count: (bytes: number, photos: 0 | 1) => void): void {
  const { socket } = reply.raw
  const before = socket?.bytesWritten ?? 0
  reply.raw.once('close', () => {
    if (reply.statusCode !== 200 && reply.statusCode !== 206) return
    // nginx sends the file, and zinc does not see how far it gets.
    const whole = reply.hasHeader('x-accel-redirect') ? size : Number(reply.getHeader('content-length') ?? 0)
    if (!reply.raw.writableFinished) return count(Math.min(whole, Math.max(0, (socket?.bytesWritten ?? 0) - before)), 0)
    const [, last] = /-(\d+)\//.exec(String(reply.getHeader('content-range') ?? '')) ?? []
    count(whole, last === undefined || Number(last) === size - 1 ? 1 : 0)
  })
}

export interface PhotoSyncFilesDeps {
  feed: Feed
  photoList: PhotoList
  photoFiles: PhotoDownloads
  fileCache: FileCache
  store: BlobStore
  served: ServedCounter
  /** A proxy in front sends the bytes, from the location /_zinc_files/ of its configuration. */
  xAccel: boolean
}

export const photoDownloadRoutes: FastifyPluginAsyncZod<PhotoSyncFilesDeps> = async (
  app,
  { feed, photoList, photoFiles, fileCache, store: bytes, served, xAccel },
) => {
  app.get(
    '/:photo_id/download',
    {
      onRequest: requireEdgeOrRole('viewer'),
      config: { keyScope: 'photo-sync:read', unknownParameters: 'warn', produces: ['image/*'] },
      schema: {
        tags,
        operationId: 'downloadPhoto',
        summary: 'Download one photo, in full or by range',
        params: z.object({ photo_id: z.string().max(200) }),
        querystring: DownloadQuery,
      },
    },
    async (request, reply) => {
      const { store_id, variant = null } = request.query
      const snapshot = await feed.now()
      const store = authorizeStore(snapshot, store_id, request.edge)
      const send = async (file: DownloadFile) => {
        // A proxy that does not find the file would respond in zinc's place, with zinc's headers of
        // the image.
        const accel =
          xAccel && bytes.localPath(file.kind, file.sha256) !== null && (await bytes.sizeOf(file.kind, file.sha256)) === file.size
        reply.headers({
          'content-disposition': attachment(file.filename),
          'x-checksum': file.md5,
          'x-checksum-sha256': file.sha256,
          'x-version': file.version,
          'cache-control': 'private, no-cache',
          vary: 'Authorization',
          'content-security-policy': "default-src 'none'; sandbox",
        })
        return sendFile(request, reply, fileCache, {
          ...file,
          accelPath: accel ? `/_zinc_files/${file.kind}/${file.sha256.slice(0, 2)}/${file.sha256}` : undefined,
        })
      }
      const file = await photoFiles.find(snapshot, store, request.params.photo_id, variant)
      if (request.method === 'GET') countDownload(reply, file.size, (sent, photos) => served.add(store.id, sent, photos))
      try {
        return await send(file)
      } catch (error) {
        // The file is missing or damaged; a variant can be made again immediately.
        const mended = error instanceof AppError ? await photoFiles.mend(file, variant, store) : null
        if (!mended) throw error
        return send(mended)
      }
    },
  )

  const archives = createArchiveSlots()
  app.post(
    '/archive',
    {
      onRequest: requireEdgeOrRole('viewer'),
      config: { keyScope: 'photo-sync:read', unknownParameters: 'warn', produces: ['application/x-tar'] },
      schema: {
        tags,
        operationId: 'downloadPhotoArchive',
        summary: 'Download many photos as one tar, in the requested order; errors.json at the end lists any that failed',
        body: ArchiveBody,
      },
    },
    async (request, reply) => {
      const { store_id, photo_ids, cursor, variant, gzip = false } = request.body
      const snapshot = await feed.now()
      const store = authorizeStore(snapshot, store_id, request.edge)
      const release = archives.take(readerOf(request))
      reply.raw.once('close', release)
      const photoIds = photo_ids
        ? [...new Set(photo_ids.map((id) => id.toLowerCase()))]
        : await photoList.idsAfter(snapshot, store, cursor ?? '')
      reply.headers({ 'content-type': 'application/x-tar', 'cache-control': 'private, no-store', vary: 'Authorization' })
      const disconnected = new AbortController()
      reply.raw.once('close', () => disconnected.abort(new Error('the reader hung up')))
      const archive = writeArchive(
        { files: photoFiles, fileCache, sent: (size) => served.add(store.id, size, 1) },
        { snapshot, store, photoIds, variant: variant ?? null },
        disconnected.signal,
      )
      if (!gzip) return reply.send(archive)
      const packed = createGzip({ level: constants.Z_BEST_SPEED })
      archive.once('error', (error) => packed.destroy(error))
      packed.on('error', () => {}).once('close', () => archive.destroy())
      return reply.header('content-encoding', 'gzip').send(archive.pipe(packed))
    },
  )
}
