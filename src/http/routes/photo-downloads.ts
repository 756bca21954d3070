import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { create as contentDisposition } from 'content-disposition'
import { z } from 'zod'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import type { FileCache } from '../../images/storage/file-cache.ts'
import { AppError, ServiceUnavailableError } from '../../lib/errors.ts'
import { writeArchive } from '../../photo-sync/archive.ts'
import { authorizeStore } from '../../photo-sync/authorize-store.ts'
import type { Feed } from '../../photo-sync/change-feed.ts'
import type { PhotoList } from '../../photo-sync/list.ts'
import type { DownloadFile, PhotoDownloads } from '../../photo-sync/photo-downloads.ts'
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

export interface PhotoSyncFilesDeps {
  feed: Feed
  photoList: PhotoList
  photoFiles: PhotoDownloads
  fileCache: FileCache
  store: BlobStore
  /** A proxy in front sends the bytes, from the location /_zinc_files/ of its configuration. */
  xAccel: boolean
}

export const photoDownloadRoutes: FastifyPluginAsyncZod<PhotoSyncFilesDeps> = async (
  app,
  { feed, photoList, photoFiles, fileCache, store: bytes, xAccel },
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
      const { store_id, photo_ids, cursor, variant } = request.body
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
      return reply.send(
        writeArchive({ files: photoFiles, fileCache }, { snapshot, store, photoIds, variant: variant ?? null }, disconnected.signal),
      )
    },
  )
}
