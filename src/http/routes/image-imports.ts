import fastifyMultipart from '@fastify/multipart'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { IMAGES_IMPORT } from '../../images/import/import-run.ts'
import { claimImport, dropImport, type ImportDeps, importResult, LISTED, previewImport, stageArchive } from '../../images/import/imports.ts'
import { serializePlan } from '../../images/import/match.ts'
import { BadRequestError } from '../../lib/errors.ts'
import type { Runs } from '../../runs/runs.ts'
import { ImportPreviewResponse, ImportResponse, QueuedRun } from '../../schemas/images.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { parseMultipart } from '../multipart.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ProductImportsDeps {
  db: Database
  runs: Runs
  imageImports: ImportDeps
}

const tags = ['images']
const consumes = ['multipart/form-data']
const RUNS = '/api/settings/integrations/zoho/sync/runs'

export const imageImportRoutes: FastifyPluginAsyncZod<ProductImportsDeps> = async (app, { db, runs, imageImports: imports }) => {
  await app.register(fastifyMultipart)

  /** Stores the ZIP of the form; exactly one. */
  async function stage(request: Parameters<typeof parseMultipart>[0], signal: AbortSignal) {
    const { totalBytes } = imports.limits
    const staged: Awaited<ReturnType<typeof stageArchive>>[] = []
    await parseMultipart(request, { fileBytes: totalBytes, totalBytes, files: 1, fields: [] }, async ({ bytes }) => {
      staged.push(await stageArchive(imports, bytes, signal))
    })
    const [one] = staged
    if (!one) throw new BadRequestError('bad_request.no_zip')
    return one
  }

  app.post(
    '/api/products/images/import',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write', largeBody: true },
      schema: {
        tags,
        operationId: 'importImages',
        summary: 'Import a ZIP of images laid out {SKU}/name.jpg, {SKU}.jpg or {zoho_item_id}.jpg',
        consumes,
        querystring: z.object({ wait: z.stringbool().default(true) }),
        response: { 201: ImportResponse, 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const signal = requestSignal(reply)
      const { id } = await stage(request, signal)
      await claimImport(imports, id)
      const { run_id } = await runs.start(IMAGES_IMPORT, { import_id: id }, { startedBy: requireIdentity(request).username })
      if (!request.query.wait) return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
      const run = await runs.wait(run_id, signal)
      const { plan, counts } = await importResult(db, run_id)
      return reply.code(201).send({ status: run.state, run_id, ...plan, data: { ...plan, counts } })
    },
  )

  app.post(
    '/api/products/images/import/preview',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write', largeBody: true },
      schema: {
        tags,
        operationId: 'previewImageImport',
        summary: 'Upload a ZIP and preview its import; the preview is kept for one day',
        consumes,
        response: { 201: ImportPreviewResponse },
      },
    },
    async (request, reply) => {
      const signal = requestSignal(reply)
      const { id, expires_at } = await stage(request, signal)
      try {
        const matching = await previewImport(imports, id, signal)
        const count = (kind: string) => matching.missed.filter((it) => it.kind === kind).length
        const counts = {
          matched: matching.matched.length,
          ambiguous: count('ambiguous'),
          unmatched: count('unmatched'),
          unreadable: count('unreadable'),
        }
        const data = { id, import_id: id, ...serializePlan(matching, LISTED), counts, expires_at: expires_at.toISOString() }
        return reply.code(201).send({ status: 'success', data })
      } catch (error) {
        await dropImport(imports, id)
        throw error
      }
    },
  )

  app.post(
    '/api/products/images/import/:id',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'images:write' },
      schema: {
        tags,
        operationId: 'startPreviewedImageImport',
        summary: 'Start a run for a previewed import',
        params: z.object({ id: z.uuid() }),
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      await claimImport(imports, id)
      const { run_id } = await runs.start(IMAGES_IMPORT, { import_id: id }, { startedBy: requireIdentity(request).username })
      await recordAudit(db, { ...actorOf(request), action: 'image.import', target: `run:${run_id}` })
      return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
    },
  )
}
