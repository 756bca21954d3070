import { PassThrough } from 'node:stream'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { ItemSyncResult, Run as RunAnswer, RunState } from '../contract/runs.ts'
import type { Database } from '../db.ts'
import { BadInput, UpstreamFailed } from '../errors.ts'
import type { Run } from '../generated/client.ts'
import type { Runs } from '../jobs/runs.ts'
import { ITEM_SYNC } from '../sync/item-sync.ts'
import { itemSyncResult } from '../sync/result.ts'
import { allow, requireIdentity } from './auth.ts'
import { readCursor, writeCursor } from './cursor.ts'

const tags = ['sync']
/** Shorter than any proxy's patience. */
const KEEP_ALIVE_MS = 15_000
/** How long an answer waits for an early failure, so that it can still carry its status. */
const EARLY_MS = 1_500

const Execute = z.object({
  sync_images: z.stringbool().default(false),
  mode: z.enum(['incremental', 'full']).optional(),
  source: z.enum(['api', 'file']).default('api'),
  dry_run: z.stringbool().default(false),
  confirm_removals: z.stringbool().default(false),
  wait: z.stringbool().default(true),
})
const Id = z.object({ id: z.uuid() })

export const itemSyncRoutes: FastifyPluginAsyncZod<{ db: Database; runs: Runs }> = async (app, { db, runs }) => {
  app.post(
    '/sync/item/execute',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'Sync the items of Zoho, and their pictures, into the catalogue',
        querystring: Execute,
        response: { 200: ItemSyncResult, 202: z.object({ status: z.literal('queued'), run_id: z.uuid() }) },
      },
    },
    async (request, reply) => {
      const { wait, source, ...params } = request.query
      if (source === 'file')
        throw new BadInput('source_not_available', 'source=file is not available in this version', { remedy: 'Use source=api.' })
      const { run_id } = await runs.start(ITEM_SYNC, params, { startedBy: requireIdentity(request).username })
      if (!wait)
        return reply
          .code(202)
          .header('location', `/api/settings/integrations/zoho/sync/runs/${run_id}`)
          .send({ status: 'queued' as const, run_id })

      const early = await runs.wait(run_id, AbortSignal.timeout(EARLY_MS)).catch(() => null)
      if (early) {
        const result = await itemSyncResult(db, early)
        // Nothing was read yet, so the failure can still have the status that belongs to it.
        if (early.state === 'failed' && result.statistics.total === 0)
          throw new UpstreamFailed(early.failure_code ?? 'sync_failed', early.cause ?? 'The sync failed', {
            detail: { run_id },
            remedy: early.remedy ?? undefined,
          })
        return result
      }
      // From here the answer is 200 with a space now and then, so that no proxy cuts the wait. A client that hangs up does not stop the run.
      const gone = new AbortController()
      const body = new PassThrough()
      reply.raw.once('close', () => gone.abort())
      const alive = setInterval(() => body.write(' '), KEEP_ALIVE_MS)
      void runs
        .wait(run_id, gone.signal)
        .then(async (run) => body.end(JSON.stringify(await itemSyncResult(db, run))))
        .catch(() => body.destroy())
        .finally(() => clearInterval(alive))
      return reply
        .type('application/json; charset=utf-8')
        .serializer((it: unknown) => it as string)
        .send(body as never)
    },
  )

  const One = z.object({ status: z.literal('success'), data: RunAnswer })
  const one = (run: Run) => ({ status: 'success' as const, data: runAnswer(run) })

  app.get(
    '/sync/runs',
    {
      onRequest: allow('viewer'),
      schema: {
        tags,
        summary: 'Runs of every kind, newest first',
        querystring: z.object({
          kind: z.string().max(50).optional(),
          state: RunState.optional(),
          cursor: z.string().max(500).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: z.object({ status: z.literal('success'), data: z.array(RunAnswer), next_cursor: z.string().nullable() }) },
      },
    },
    async ({ query }) => {
      const rows = await runs.list({
        kind: query.kind,
        state: query.state,
        before: query.cursor === undefined ? undefined : readCursor(query.cursor).created_at,
        limit: query.limit,
      })
      const last = rows.at(-1)
      return {
        status: 'success' as const,
        data: rows.map(runAnswer),
        next_cursor: rows.length === query.limit && last ? writeCursor(last) : null,
      }
    },
  )
  app.get(
    '/sync/runs/:id',
    { onRequest: allow('viewer'), schema: { tags, summary: 'One run', params: Id, response: { 200: One } } },
    async ({ params }) => one(await runs.get(params.id)),
  )
  for (const act of ['cancel', 'pause', 'resume'] as const) {
    app.post(
      `/sync/runs/:id/${act}`,
      { onRequest: allow('operator'), schema: { tags, summary: `${act} a run`, params: Id, response: { 200: One } } },
      async ({ params }) => one(await runs[act](params.id)),
    )
  }
  app.get(
    '/sync/runs/:id/events',
    { onRequest: allow('viewer'), schema: { tags, summary: 'Progress of a run as server-sent events, until it stands', params: Id } },
    async (request, reply) => {
      await runs.get(request.params.id)
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const body = new PassThrough()
      const alive = setInterval(() => body.write(': still here\n\n'), KEEP_ALIVE_MS)
      void (async () => {
        for await (const run of runs.events(request.params.id, gone.signal))
          body.write(`event: run\ndata: ${JSON.stringify(runAnswer(run))}\n\n`)
      })()
        .catch((err: unknown) => request.log.warn({ err }, 'event stream ended early'))
        .finally(() => {
          clearInterval(alive)
          body.end()
        })
      return reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(body)
    },
  )
}

function runAnswer(run: Run): RunAnswer {
  const mode =
    typeof run.checkpoint === 'object' && run.checkpoint !== null && 'mode' in run.checkpoint ? String(run.checkpoint.mode) : null
  return {
    id: run.id,
    kind: run.kind,
    state: RunState.parse(run.state),
    mode,
    params: run.params,
    statistics: run.statistics as Record<string, number>,
    progress: run.progress,
    cause: run.cause,
    remedy: run.remedy,
    started_by: run.started_by,
    created_at: run.created_at.toISOString(),
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    resumes_at: run.resumes_at?.toISOString() ?? null,
  }
}
