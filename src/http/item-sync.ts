import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { LimitsDeps } from '../connect/forecast.ts'
import { ItemSyncPlan } from '../contract/plan.ts'
import { Accepted, ItemSyncQuery, ItemSyncResult } from '../contract/runs.ts'
import type { Runs } from '../jobs/runs.ts'
import { DEFAULT_FILE, findImportFile } from '../sync/file-source.ts'
import { ITEM_SYNC } from '../sync/item-sync.ts'
import { itemSyncPlan } from '../sync/plan.ts'
import { itemSyncResult } from '../sync/result.ts'
import { allow, requireIdentity } from './auth.ts'
import { answerRun } from './run-answer.ts'

const tags = ['sync']

export interface ItemSyncRoutesDeps extends LimitsDeps {
  runs: Runs
  importsDir: string
  maxImportBytes: number
}

/** Starting the item sync, and asking what it would do. */
export const itemSyncRoutes: FastifyPluginAsyncZod<ItemSyncRoutesDeps> = async (app, deps) => {
  const { db, runs, importsDir, maxImportBytes } = deps

  /** A wrong name or a missing file is the caller's to hear at once, before there is a run. */
  async function checkFile({ source, file }: { source: string; file?: string | undefined }): Promise<void> {
    if (source === 'file') await findImportFile(importsDir, file ?? DEFAULT_FILE, { maxBytes: maxImportBytes })
  }

  app.post(
    '/sync/item/execute',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'Sync the items of Zoho, or of a file, and their pictures into the catalogue',
        querystring: ItemSyncQuery,
        response: { 200: ItemSyncResult, 202: Accepted },
      },
    },
    async (request, reply) => {
      const { wait, ...params } = request.query
      await checkFile(params)
      const { run_id: runId } = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
      return answerRun(reply, runs, { runId, wait, result: (run) => itemSyncResult(db, run) })
    },
  )

  app.post(
    '/sync/item/plan',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'What a sync would change, and the calls, minutes and days it would take; changes nothing',
        querystring: ItemSyncQuery.omit({ dry_run: true }),
        response: { 200: ItemSyncPlan, 202: Accepted },
      },
    },
    async (request, reply) => {
      const { wait, ...params } = request.query
      await checkFile(params)
      const { run_id: runId } = await runs.start(ITEM_SYNC, { ...params, dry_run: true }, { startedBy: requireIdentity(request).username })
      return answerRun(reply, runs, { runId, wait, result: (run) => itemSyncPlan(deps, run) })
    },
  )
}
