import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Runs } from '../../runs/runs.ts'
import { Accepted, ItemSyncQuery, ItemSyncResult } from '../../schemas/runs.ts'
import { ItemSyncPlan } from '../../schemas/sync-plan.ts'
import { DEFAULT_FILE, findImportFile } from '../../sync/items/file-source.ts'
import { itemSyncResult } from '../../sync/items/item-sync-result.ts'
import { ITEM_SYNC } from '../../sync/items/item-sync-run.ts'
import { itemSyncPlan, type PlanDeps } from '../../sync/items/plan.ts'
import { requireIdentity, requireRole } from '../plugins/authentication.ts'
import { sendRun } from '../run-response.ts'

const tags = ['sync']

export interface ItemSyncRoutesDeps extends PlanDeps {
  runs: Runs
  importsDir: string
  maxImportBytes: number
}

/** Starts the item sync, and previews it. */
export const itemSyncRoutes: FastifyPluginAsyncZod<ItemSyncRoutesDeps> = async (app, deps) => {
  const { db, runs, importsDir, maxImportBytes } = deps

  /** A wrong name or a missing file is reported immediately, before there is a run. */
  async function checkFile({ source, file }: { source: string; file?: string | undefined }): Promise<void> {
    if (source === 'file') await findImportFile(importsDir, file ?? DEFAULT_FILE, { maxBytes: maxImportBytes })
  }

  app.post(
    '/sync/item/execute',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run', unknownParameters: 'warn' },
      schema: {
        tags,
        operationId: 'syncItems',
        summary: 'Sync items, and optionally images, from Zoho or a file',
        querystring: ItemSyncQuery,
        response: { 200: ItemSyncResult, 202: Accepted },
      },
    },
    async (request, reply) => {
      const { wait, ...params } = request.query
      await checkFile(params)
      const { run_id: runId } = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username, sameTrace: wait })
      return sendRun(reply, runs, { runId, wait, result: (run) => itemSyncResult(db, run) })
    },
  )

  app.post(
    '/sync/item/plan',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run' },
      schema: {
        tags,
        operationId: 'planItemSync',
        summary: 'Preview a sync: its changes, API calls and duration; changes nothing',
        querystring: ItemSyncQuery.omit({ dry_run: true }),
        response: { 200: ItemSyncPlan, 202: Accepted },
      },
    },
    async (request, reply) => {
      const { wait, ...params } = request.query
      await checkFile(params)
      const { run_id: runId } = await runs.start(
        ITEM_SYNC,
        { ...params, dry_run: true },
        { startedBy: requireIdentity(request).username, sameTrace: wait },
      )
      return sendRun(reply, runs, { runId, wait, result: (run) => itemSyncPlan(deps, run) })
    },
  )
}
