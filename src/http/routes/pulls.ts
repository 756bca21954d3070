import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { BOOKS_MODULE_NAMES } from '../../facts/books-modules.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import type { Pulls } from '../../pulls/pulls.ts'
import {
  PullPlan,
  PullPlanRequest,
  PullRequest,
  PullSession,
  PullSessionDetail,
  RecordComparison,
  SessionComparison,
  SessionName,
  VerifyReport,
} from '../../schemas/pulls.ts'
import { recordAudit } from '../../settings/audit-log.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { requestSignal } from '../request-signal.ts'

const tags = ['pulls']
const Named = z.object({ session: SessionName })
const Queued = z.object({ status: z.literal('queued'), run_id: z.uuid() })
const one = <T extends z.ZodType>(data: T) => z.object({ status: z.literal('success'), data })
const success = <T>(data: T) => ({ status: 'success' as const, data })
/** People write times in more formats than the contract's. */
const Since = { since: z.string().max(60).optional() }
const withInstant = <Body extends { since?: string | undefined }>({ since, ...body }: Body) => ({
  ...body,
  ...(since !== undefined && { since: parseTimestamp('since', since).toISOString() }),
})
const runAddress = (run_id: string) => `/api/settings/integrations/zoho/sync/runs/${run_id}`

/** Bulk pulls of Books and Invoice: start, sessions, verify, repair. */
export const pullRoutes: FastifyPluginAsyncZod<{ db: Database; pulls: Pulls }> = async (app, { db, pulls }) => {
  const { sessions } = pulls

  app.post(
    '/',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'startPull',
        summary: 'Start a pull of Books or Invoice modules into files and the database',
        body: PullRequest.extend(Since).nullish(),
        response: { 202: Queued },
      },
    },
    async (request, reply) => {
      const { run_id } = await pulls.start(withInstant(request.body ?? {}), { startedBy: requireIdentity(request).username })
      return reply
        .code(202)
        .header('location', runAddress(run_id))
        .send({ status: 'queued' as const, run_id })
    },
  )
  app.post(
    '/plan',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'planPull',
        summary: 'Estimate the API calls and duration of a pull; with count, asks Zoho for record counts. Changes nothing',
        body: PullPlanRequest.extend(Since).nullish(),
        response: { 200: one(PullPlan) },
      },
    },
    async ({ body }, reply) => success(await pulls.plan(withInstant(body ?? {}), requestSignal(reply))),
  )
  app.get(
    '/',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'listPullSessions',
        summary: 'List pull sessions, newest first',
        response: { 200: z.object({ status: z.literal('success'), data: z.array(PullSession), next_cursor: z.null() }) },
      },
    },
    async () => ({ ...success(await sessions.list()), next_cursor: null }),
  )
  app.get(
    '/compare',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'comparePullSessions',
        summary: 'Compare the records of each module in two sessions',
        querystring: z.object({ a: SessionName, b: SessionName }),
        response: { 200: one(SessionComparison) },
      },
    },
    async ({ query }) => success(await pulls.compare(query.a, query.b)),
  )
  app.get(
    '/compare/record',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'comparePulledRecord',
        summary: 'Compare one record in two sessions and return the fields that differ',
        querystring: z.object({ a: SessionName, b: SessionName, module: z.enum(BOOKS_MODULE_NAMES), record_id: z.string().min(1).max(50) }),
        response: { 200: one(RecordComparison) },
      },
    },
    async ({ query: { a, b, module, record_id } }) => success(await pulls.compareRecord(a, b, { module, id: record_id })),
  )
  app.get(
    '/:session',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'getPullSession',
        summary: 'Return one session with its files',
        params: Named,
        response: { 200: one(PullSessionDetail) },
      },
    },
    async ({ params }) => success(await sessions.get(params.session)),
  )
  app.patch(
    '/:session',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'changePullSession',
        summary: 'Pin a session so that it is never pruned, or unpin it',
        params: Named,
        body: z.object({ pinned: z.boolean() }),
        response: { 200: one(PullSession) },
      },
    },
    async (request) => {
      const { params, body } = request
      const session = await sessions.pin(params.session, body.pinned)
      await recordAudit(db, { ...actorOf(request), action: body.pinned ? 'pull.pin' : 'pull.unpin', target: `pull:${params.session}` })
      return success(session)
    },
  )
  app.delete(
    '/:session',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'deletePullSession',
        summary: 'Delete a session folder; the records in the database stay',
        params: Named,
        response: { 200: one(z.object({ session: z.string(), deleted: z.literal(true) })) },
      },
    },
    async (request) => {
      const { params } = request
      await sessions.remove(params.session)
      await recordAudit(db, { ...actorOf(request), action: 'pull.delete', target: `pull:${params.session}` })
      return success({ session: params.session, deleted: true as const })
    },
  )
  app.get(
    '/:session/archive',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read', produces: ['application/zip'] },
      schema: { tags, operationId: 'downloadPullSession', summary: 'Download a session as ZIP', params: Named },
    },
    async (request, reply) => {
      const { params } = request
      const zip = await pulls.archive(params.session)
      await recordAudit(db, { ...actorOf(request), action: 'pull.archive', target: `pull:${params.session}` })
      return reply.type('application/zip').header('content-disposition', `attachment; filename="${params.session}.zip"`).send(zip)
    },
  )
  app.post(
    '/:session/verify',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'verifyPullSession',
        summary: 'Start a run that verifies a session against Zoho, or with quick only against the database and the manifests',
        params: Named,
        body: z.object({ quick: z.boolean().default(false) }).nullish(),
        response: { 202: Queued },
      },
    },
    async (request, reply) => {
      const { session } = request.params
      const params = { session, quick: request.body?.quick ?? false, app: (await sessions.get(session)).app }
      const { run_id } = await pulls.check(params, { repair: false, startedBy: requireIdentity(request).username })
      return reply
        .code(202)
        .header('location', runAddress(run_id))
        .send({ status: 'queued' as const, run_id })
    },
  )
  app.get(
    '/:session/report',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:read' },
      schema: {
        tags,
        operationId: 'getVerificationReport',
        summary: 'Return the latest verification report',
        params: Named,
        response: { 200: one(VerifyReport) },
      },
    },
    async ({ params }) => success(await sessions.report(params.session)),
  )
  app.post(
    '/:session/repair',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'records:pull' },
      schema: {
        tags,
        operationId: 'repairPullSession',
        summary: 'Start a run that fetches only the records that differ and rewrites the affected files',
        params: Named,
        response: { 202: Queued },
      },
    },
    async (request, reply) => {
      const { session } = request.params
      const params = { session, app: (await sessions.get(session)).app }
      const { run_id } = await pulls.check(params, { repair: true, startedBy: requireIdentity(request).username })
      return reply
        .code(202)
        .header('location', runAddress(run_id))
        .send({ status: 'queued' as const, run_id })
    },
  )
}
