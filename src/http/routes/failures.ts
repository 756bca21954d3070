import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { dismissFailures, type FailureRow, listCauses, listFailures } from '../../runs/failures.ts'
import type { Runs } from '../../runs/runs.ts'
import { DismissFailures, DismissResponse, FailuresQuery, FailuresResponse, RetryFailures } from '../../schemas/failures.ts'
import { Accepted } from '../../schemas/runs.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { causeOf } from '../../sync/items/failure-causes.ts'
import { ITEM_SYNC } from '../../sync/items/item-sync-run.ts'
import { retryParams } from '../../sync/items/retry-params.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'

const tags = ['sync']
/** Ten thousand ids. */
const MAX_IDS_BYTES = 512 * 1024

/** The inbox of failures, across runs. */
export const failureRoutes: FastifyPluginAsyncZod<{ db: Database; runs: Runs; clock: Clock }> = async (app, { db, runs, clock }) => {
  app.get(
    '/failures',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'listFailures',
        summary: 'List open failures, grouped by cause',
        querystring: FailuresQuery,
        response: { 200: FailuresResponse },
      },
    },
    async ({ query }) => {
      const { code, stage, run_id: runId, dismissed, cursor, limit } = query
      const from = query.from === undefined ? undefined : parseTimestamp('from', query.from)
      const to = query.to === undefined ? undefined : parseTimestamp('to', query.to)
      const causes = await listCauses(db, { code, stage, runId, dismissed, from, to })
      const data = []
      let next: string | null = null
      for (const group of causes) {
        const rows = await listFailures(
          db,
          { code: group.code, stage: group.stage, runId, dismissed, from, to },
          { limit, after: code !== undefined && cursor !== undefined ? readCursor(cursor) : undefined },
        )
        const last = rows.at(-1)
        if (code !== undefined && rows.length === limit && last) next = writeCursor(last)
        data.push({
          code: group.code,
          stage: group.stage,
          ...causeOf(group, rows[0]),
          count: group.count,
          first_at: group.first_at.toISOString(),
          last_at: group.last_at.toISOString(),
          failures: rows.map(entry),
        })
      }
      return { status: 'success' as const, data, next_cursor: next, total: causes.reduce((sum, it) => sum + it.count, 0) }
    },
  )

  app.post(
    '/failures/retry',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run' },
      bodyLimit: MAX_IDS_BYTES,
      schema: {
        tags,
        operationId: 'retryFailures',
        summary: 'Retry failures: selected ones, those of a cause or a run, or all',
        body: RetryFailures,
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const { ids, code, run_id } = request.body
      const params = await retryParams(db, { ids, code, runId: run_id })
      const started = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
      return reply
        .code(202)
        .header('location', `/api/settings/integrations/zoho/sync/runs/${started.run_id}`)
        .send({ status: 'queued' as const, run_id: started.run_id })
    },
  )

  app.post(
    '/failures/dismiss',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run' },
      bodyLimit: MAX_IDS_BYTES,
      schema: {
        tags,
        operationId: 'dismissFailures',
        summary: 'Dismiss failures, with an optional note',
        body: DismissFailures,
        response: { 200: DismissResponse },
      },
    },
    async (request) => {
      const dismissed = await dismissFailures({ db, clock }, request.body)
      await recordAudit(db, { ...actorOf(request), action: 'failure.dismiss', target: `failures:${dismissed}` })
      return { status: 'success' as const, data: { dismissed } }
    },
  )

  app.post(
    '/sync/runs/:id/retry-failed',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:run' },
      schema: {
        tags,
        operationId: 'retryFailedOfRun',
        summary: 'Start a run that retries what failed in a run',
        params: z.object({ id: z.uuid() }),
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const run = await runs.get(request.params.id)
      const params = await retryParams(db, { runId: run.id })
      const started = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
      return reply
        .code(202)
        .header('location', `/api/settings/integrations/zoho/sync/runs/${started.run_id}`)
        .send({ status: 'queued' as const, run_id: started.run_id })
    },
  )
}

function entry({
  id,
  run_id,
  message,
  params,
  zoho_code,
  product_id,
  zoho_item_id,
  sku,
  name,
  created_at,
  dismissed_at,
  note,
}: FailureRow) {
  return {
    id,
    run_id,
    message,
    params,
    zoho_code,
    product_id,
    zoho_item_id,
    sku,
    name,
    at: created_at.toISOString(),
    dismissed_at: dismissed_at?.toISOString() ?? null,
    note,
  }
}
