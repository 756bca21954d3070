import { PassThrough, Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { fetchRemainingQuota } from '../../connection/quota.ts'
import type { Database } from '../../database/client.ts'
import type { Run } from '../../generated/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError, TooManyRequestsError } from '../../lib/errors.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import type { Params } from '../../messages/message.ts'
import { exportRun } from '../../runs/export-run.ts'
import { listRunRecords } from '../../runs/run-records.ts'
import type { Runs } from '../../runs/runs.ts'
import { countRunsByDay } from '../../runs/runs-by-day.ts'
import { Run as RunResponse, RunState, RunsByDay } from '../../schemas/runs.ts'
import { RunRecordsQuery, RunRecordsResponse } from '../../schemas/sync-plan.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const tags = ['sync']
/** Shorter than any proxy's timeout. */
const KEEP_ALIVE_MS = 15_000
/** Streams that one user may have open: each keeps a connection and polls the run. */
const MAX_STREAMS = 20
const Id = z.object({ id: z.uuid() })
const RunExport = z.object({ run: RunResponse, failures: z.array(z.looseObject({})), records: z.array(z.looseObject({})) })

export interface RunRouteDeps {
  db: Database
  clock: Clock
  runs: Runs
  /** The shop's time zone. */
  zone(): Promise<string>
}

/** Runs of every kind: the list, one run, its records and progress; stopping and resuming. */
export const runRoutes: FastifyPluginAsyncZod<RunRouteDeps> = async (app, { db, clock, runs, zone }) => {
  /** Open streams by user. */
  const streams = new Map<string, number>()
  const One = z.object({ status: z.literal('success'), data: RunResponse })
  const one = (run: Run) => ({ status: 'success' as const, data: runAnswer(run) })

  app.get(
    '/sync/runs',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'listRuns',
        summary: 'List runs of every kind, newest first',
        querystring: z.object({
          kind: z.string().max(50).optional(),
          state: RunState.optional(),
          /** Created at this time or later, and before the other. */
          from: z.string().max(60).optional(),
          to: z.string().max(60).optional(),
          cursor: z.string().max(500).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: { 200: z.object({ status: z.literal('success'), data: z.array(RunResponse), next_cursor: z.string().nullable() }) },
      },
    },
    async ({ query }) => {
      const rows = await runs.list({
        kind: query.kind,
        state: query.state,
        from: query.from === undefined ? undefined : parseTimestamp('from', query.from),
        to: query.to === undefined ? undefined : parseTimestamp('to', query.to),
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
    '/sync/runs/by-day',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'countRunsByDay',
        summary: 'Count the runs of each day by outcome, oldest first',
        querystring: z.object({ days: z.coerce.number().int().min(1).max(90).default(30) }),
        response: { 200: z.object({ status: z.literal('success'), data: RunsByDay }) },
      },
    },
    async ({ query }) => ({
      status: 'success' as const,
      data: await countRunsByDay(db, { days: query.days, zone: await zone(), at: clock.now() }),
    }),
  )
  app.get(
    '/sync/runs/:id',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: { tags, operationId: 'getRun', summary: 'Return one run', params: Id, response: { 200: One } },
    },
    async ({ params }) => one(await runs.get(params.id)),
  )
  app.get(
    '/sync/runs/:id/records',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'listRunRecords',
        summary: 'List the changes of a run, or of a dry run, record by record and field by field',
        params: Id,
        querystring: RunRecordsQuery,
        response: { 200: RunRecordsResponse },
      },
    },
    async ({ params, query }) => {
      const run = await runs.get(params.id)
      const { outcome, cursor, limit } = query
      const rows = await listRunRecords(db, run.id, { outcome, after: cursor === undefined ? undefined : recordId(cursor), limit })
      const last = rows.at(-1)
      return {
        status: 'success' as const,
        data: rows,
        next_cursor: rows.length === limit && last ? Buffer.from(last.record_id).toString('base64url') : null,
      }
    },
  )
  app.get(
    '/sync/runs/:id/export',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'exportRun',
        summary: 'Download a run with its failures and records as JSON',
        params: Id,
        response: { 200: RunExport },
      },
    },
    async ({ params }, reply) => {
      const run = await runs.get(params.id)
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('content-disposition', `attachment; filename="zinc-run-${run.id}.json"`)
        .send(Readable.from(exportRun(db, { id: run.id, run: runAnswer(run) }, requestSignal(reply))) as never)
    },
  )
  for (const [act, operationId, summary] of [
    ['cancel', 'cancelRun', 'Cancel a run'],
    ['pause', 'pauseRun', 'Pause a run'],
    ['resume', 'resumeRun', 'Resume a paused run'],
  ] as const) {
    app.post(
      `/sync/runs/:id/${act}`,
      {
        onRequest: requireRole('operator'),
        config: { keyScope: 'syncs:run' },
        schema: { tags, operationId, summary, params: Id, response: { 200: One } },
      },
      async (request) => {
        const { params } = request
        if (act === 'resume' && (await runs.get(params.id)).failure_code === 'daily_quota_exceeded') await fetchRemainingQuota(db)
        const run = await runs[act](params.id)
        await recordAudit(db, { ...actorOf(request), action: `run.${act}`, target: `run:${run.id}` })
        return one(run)
      },
    )
  }
  app.get(
    '/sync/runs/:id/events',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read', produces: ['text/event-stream'] },
      schema: {
        tags,
        operationId: 'streamRunEvents',
        summary: 'Stream the progress of a run as server-sent events until it stops',
        params: Id,
      },
    },
    async (request, reply) => {
      await runs.get(request.params.id)
      const person = requireIdentity(request).user_id
      const open = streams.get(person) ?? 0
      if (open >= MAX_STREAMS) throw new TooManyRequestsError('too_many_streams', { limit: MAX_STREAMS }, { retryAfterMs: KEEP_ALIVE_MS })
      streams.set(person, open + 1)
      const disconnected = new AbortController()
      reply.raw.once('close', () => {
        disconnected.abort()
        const left = (streams.get(person) ?? 1) - 1
        if (left > 0) streams.set(person, left)
        else streams.delete(person)
      })
      const body = new PassThrough()
      const alive = setInterval(async () => {
        const isAllowed = await request.isStillAllowed().catch(() => true)
        // The run may have ended meanwhile; a write after the end would be an uncaught error.
        if (!isAllowed) disconnected.abort()
        else if (!body.writableEnded) body.write(': still here\n\n')
      }, KEEP_ALIVE_MS)
      void (async () => {
        for await (const run of runs.events(request.params.id, disconnected.signal)) {
          // Checked for each event: a user who was removed or logged out gets no more of them.
          if (!(await request.isStillAllowed())) return
          body.write(`event: run\ndata: ${JSON.stringify(runAnswer(run))}\n\n`)
        }
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

function runAnswer(run: Run): RunResponse {
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
    code: run.failure_code,
    zoho_code: run.zoho_code,
    failure_params: run.failure_params as Params | null,
    remedy: run.remedy,
    started_by: run.started_by,
    created_at: run.created_at.toISOString(),
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    resumes_at: run.resumes_at?.toISOString() ?? null,
  }
}

/** Throws BadRequestError `invalid_cursor`. */
function recordId(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8')
  if (id === '' || id.length > 300) {
    throw new BadRequestError('invalid_cursor')
  }
  return id
}
