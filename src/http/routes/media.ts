import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { serializeImage } from '../../catalog/serialize-image.ts'
import type { Database } from '../../database/client.ts'
import { restoreUntil } from '../../images/gallery/bulk-edit.ts'
import { MEDIA_INTEGRITY_REPAIR } from '../../images/integrity/repair-run.ts'
import { readIntegrity } from '../../images/integrity/report.ts'
import { MEDIA_INTEGRITY_SCAN } from '../../images/integrity/scan-run.ts'
import { countLibrary, listLibrary } from '../../images/library.ts'
import { clearFailed, listMediaJobs, pauseQueue, resumeQueue } from '../../images/media-jobs.ts'
import { MEDIA_REGENERATE } from '../../images/processing/regenerate-run.ts'
import type { VariantConfig, VariantSettingsStore } from '../../images/processing/variant-settings.ts'
import type { WorkerPool } from '../../images/processing/worker-pool.ts'
import type { ImageUrls } from '../../images/serving/signed-url.ts'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import { readMediaStorage } from '../../images/storage/usage.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError } from '../../lib/errors.ts'
import type { Runs } from '../../runs/runs.ts'
import { QueuedRun } from '../../schemas/images.ts'
import {
  IntegrityRepair,
  IntegrityResponse,
  MediaImagesQuery,
  MediaImagesResponse,
  MediaJobsResponse,
  MediaQueue,
  MediaStorageResponse,
  Regenerate,
  type VariantSettings,
  VariantSettingsPatch,
  VariantSettingsResponse,
} from '../../schemas/media.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'

export interface MediaDeps {
  db: Database
  clock: Clock
  runs: Runs
  store: BlobStore
  workers: WorkerPool
  variantSettings: VariantSettingsStore
  imageUrls: ImageUrls
}

const tags = ['media']
const RUNS = '/api/settings/integrations/zoho/sync/runs'
const Cursor = z.object({ kind: z.string(), sha256: z.string() })

const shown = ({ id, sizes, quality, formats }: VariantConfig): VariantSettings => ({ recipe: id, sizes, quality, formats })

/** The operator's view of variants, stored bytes and their state, and its actions. */
export const mediaRoutes: FastifyPluginAsyncZod<MediaDeps> = async (
  app,
  { db, clock, runs, store, workers, variantSettings, imageUrls },
) => {
  app.get(
    '/api/media/images',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'listMediaImages',
        summary: 'List the images of all products, the newest first',
        querystring: MediaImagesQuery,
        response: { 200: MediaImagesResponse },
      },
    },
    async ({ query }) => {
      const { cursor, limit, total: counted, source, max_side: maxSide, min_bytes: minBytes, without_alt: withoutAlt } = query
      const filter = { source, maxSide, minBytes, withoutAlt, damaged: query.damaged, duplicates: query.duplicates, unused: query.unused }
      const [rows, total] = await Promise.all([
        listLibrary(db, { ...filter, before: cursor === undefined ? undefined : readPosition(cursor), limit: limit + 1 }),
        counted ? countLibrary(db, filter) : undefined,
      ])
      const page = rows.slice(0, limit)
      return {
        status: 'success' as const,
        data: page.map(({ product, ...photo }) => ({
          ...serializeImage(product, photo, { imageUrl: imageUrls.build, now: clock.now() }),
          deleted_at: photo.deleted_at?.toISOString() ?? null,
          restore_until: photo.deleted_at ? restoreUntil(photo.deleted_at).toISOString() : null,
          product: { id: product.id, sku: product.sku, name: product.name, name_en: product.name_en, name_ar: product.name_ar },
        })),
        next_cursor: rows.length > page.length ? String(page.at(-1)!.position) : null,
        ...(total !== undefined && { total }),
      }
    },
  )
  app.get(
    '/api/media/variants',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'getVariantSettings',
        summary: 'Return the variant (thumbnail) settings',
        response: { 200: VariantSettingsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: shown(await variantSettings.current()) }),
  )
  app.put(
    '/api/media/variants',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        operationId: 'changeVariantSettings',
        summary: 'Update the variant settings; existing variants are regenerated on demand, or with regenerate',
        body: VariantSettingsPatch,
        response: { 200: VariantSettingsResponse },
      },
    },
    async (request) => {
      const variantConfig = await variantSettings.change(request.body)
      await recordAudit(db, { ...actorOf(request), action: 'media.variants', target: 'media', fields: Object.keys(request.body) })
      return { status: 'success' as const, data: shown(variantConfig) }
    },
  )

  const start = async (kind: string, params: object, request: Parameters<typeof requireIdentity>[0]) =>
    (await runs.start(kind, params, { startedBy: requireIdentity(request).username })).run_id

  app.post(
    '/api/media/variants/regenerate',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'regenerateVariants',
        summary: 'Start a run that regenerates variants',
        body: Regenerate,
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const { which, size } = request.body
      if (which === 'size' && size === undefined) throw new BadRequestError('bad_request.size')
      const run_id = await start(MEDIA_REGENERATE, { which, ...(size && { size }) }, request)
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
    },
  )

  app.get(
    '/api/media/integrity',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'getIntegrityReport',
        summary: 'List the findings of the last file check, and when it ran',
        querystring: z.object({ cursor: z.string().max(500).optional(), limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
        response: { 200: IntegrityResponse },
      },
    },
    async ({ query }) => {
      const { next, scanned_at, ...report } = await readIntegrity(db, {
        after: query.cursor === undefined ? null : readCursor(query.cursor),
        limit: query.limit,
      })
      return {
        status: 'success' as const,
        data: {
          ...report,
          scanned_at: scanned_at?.toISOString() ?? null,
          age_ms: scanned_at ? Math.max(0, clock.now().getTime() - scanned_at.getTime()) : null,
        },
        next_cursor: next ? Buffer.from(JSON.stringify(next)).toString('base64url') : null,
      }
    },
  )
  app.post(
    '/api/media/integrity/scan',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'startIntegrityScan',
        summary: 'Start a run that checks every stored file against its hash',
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const run_id = await start(MEDIA_INTEGRITY_SCAN, {}, request)
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
    },
  )
  app.post(
    '/api/media/integrity/repair',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'startIntegrityRepair',
        summary: 'Start a run that repairs all or selected findings of the last file check; each is checked again first',
        body: IntegrityRepair,
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const sha256 = request.body?.sha256
      const run_id = await start(MEDIA_INTEGRITY_REPAIR, { ...(sha256 && { sha256 }) }, request)
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
    },
  )

  app.get(
    '/api/media/storage',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'getStorageUsage',
        summary: 'Return the disk usage of originals and variants, and what can be reclaimed',
        response: { 200: MediaStorageResponse },
      },
    },
    async () => ({
      status: 'success' as const,
      data: await readMediaStorage({ db, store, settingsId: (await variantSettings.current()).id }),
    }),
  )

  app.get(
    '/api/media/jobs',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'images:read' },
      schema: {
        tags,
        operationId: 'getMediaJobs',
        summary: 'Count background jobs for images by state',
        response: { 200: MediaJobsResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await listMediaJobs(db), workers: workers.load() }),
  )
  const Queue = z.object({ queue: MediaQueue })
  const Changed = z.object({ status: z.literal('success'), data: z.object({ queue: MediaQueue, changed: z.number() }) })
  for (const [verb, operationId, work, summary] of [
    ['pause', 'pauseMediaJobs', pauseQueue, 'Pause queued and running jobs'],
    ['resume', 'resumeMediaJobs', resumeQueue, 'Resume paused jobs'],
    ['clear-failed', 'clearFailedMediaJobs', clearFailed, 'Clear failed jobs from the list'],
  ] as const) {
    app.post(
      `/api/media/jobs/:queue/${verb}`,
      {
        onRequest: requireRole('operator'),
        config: { keyScope: 'images:write' },
        schema: { tags, operationId, summary, params: Queue, response: { 200: Changed } },
      },
      async ({ params: { queue } }) => ({ status: 'success' as const, data: { queue, changed: await work({ db, runs }, queue) } }),
    )
  }
}

function readCursor(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch (cause) {
    throw new BadRequestError('invalid_cursor', {}, { cause })
  }
}

function readPosition(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new BadRequestError('invalid_cursor')
}
