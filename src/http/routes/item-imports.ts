import { open } from 'node:fs/promises'
import fastifyMultipart from '@fastify/multipart'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Database } from '../../database/client.ts'
import { claimImport, dropImport, type ImportDeps, stageFile } from '../../images/import/imports.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { message } from '../../messages/say.ts'
import type { Runs } from '../../runs/runs.ts'
import { QueuedRun } from '../../schemas/images.ts'
import { ItemImportQuery } from '../../schemas/item-imports.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { ITEM_SYNC } from '../../sync/items/item-sync-run.ts'
import type { ItemSyncParams } from '../../sync/items/params.ts'
import { parseMultipart } from '../multipart.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

export interface ItemImportDeps {
  db: Database
  runs: Runs
  imageImports: ImportDeps
  maxImportBytes: number
}

const RUNS = '/api/settings/integrations/zoho/sync/runs'
const NAME_LENGTH = 100

/** Imports the items of an uploaded file, without the images beside it on its own machine. */
export const itemImportRoutes: FastifyPluginAsyncZod<ItemImportDeps> = async (app, { db, runs, imageImports, maxImportBytes }) => {
  await app.register(fastifyMultipart)

  app.post(
    '/api/imports/items',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run', largeBody: true },
      schema: {
        tags: ['sync'],
        operationId: 'importItems',
        summary: 'Import items from a JSON file: a list, or an object by ID; with dry_run the run only records what would change',
        consumes: ['multipart/form-data'],
        querystring: ItemImportQuery,
        response: { 202: QueuedRun },
      },
    },
    async (request, reply) => {
      const signal = requestSignal(reply)
      const staged: { id: string; name: string }[] = []
      await parseMultipart(request, { fileBytes: maxImportBytes, totalBytes: maxImportBytes, files: 1, fields: [] }, async (file) => {
        const name = shownName(file.filename)
        const { id } = await stageFile(
          imageImports,
          file.bytes,
          { maxBytes: maxImportBytes, check: (path) => refuseOther(path, name) },
          signal,
        )
        staged.push({ id, name })
      })
      const [one] = staged
      if (!one) throw new BadRequestError('bad_request.no_items')
      await claimImport(imageImports, one.id)
      const params: Partial<ItemSyncParams> = { ...request.query, source: 'file', import_id: one.id, file: one.name }
      try {
        const { run_id } = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
        await recordAudit(db, { ...actorOf(request), action: 'items.import', target: `run:${run_id}` })
        return reply.code(202).header('location', `${RUNS}/${run_id}`).send({ status: 'queued', run_id })
      } catch (error) {
        await dropImport(imageImports, one.id)
        throw error
      }
    },
  )
}

/** Only for messages; never used as a path. */
const shownName = (given: string): string =>
  given
    .replace(/^.*[\\/]/, '')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .toWellFormed()
    .slice(0, NAME_LENGTH) || 'items.json'

/**
 * Refuses a file that cannot be JSON (a spreadsheet, a ZIP) in the response; the run reports what
 * is wrong further on.
 */
async function refuseOther(path: string, file: string): Promise<void> {
  await using handle = await open(path)
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1_024), 0, 1_024, 0)
  const [first = ''] = buffer
    .toString('utf8', 0, bytesRead)
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (first !== '[' && first !== '{')
    throw new BadRequestError('invalid_import_file', { file, problem: message('file.not_array', { found: first }) })
}
