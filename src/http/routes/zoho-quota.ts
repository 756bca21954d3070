import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { Config } from '../../config.ts'
import { listCalls } from '../../connection/call-log.ts'
import type { ConnectionContext } from '../../connection/connection.ts'
import { readQuota, setQuota } from '../../connection/quota.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError } from '../../lib/errors.ts'
import { parseTimestamp } from '../../lib/parse-timestamp.ts'
import { occurrencesUntil } from '../../runs/cron.ts'
import { CallsQuery, CallsResponse, QuotaBody, QuotaResponse } from '../../schemas/quota.ts'
import { moduleOf } from '../../settings/modules.ts'
import { kindsOf, type ZohoModules } from '../../sync/modules/modules.ts'
import { expectedStockCalls } from '../../sync/stock/stock-queries.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['quota']

export interface ZohoQuotaRoutes {
  db: Database
  clock: Clock
  connect: ConnectionContext
  modules: ZohoModules
  limits: Pick<Config['zoho'], 'requestsPerMinute' | 'requestsPerDay' | 'stockPercent'>
  /** Of the day's calls, for stock by location. */
  stockPercent(): Promise<number>
}

export const zohoQuotaRoutes: FastifyPluginAsyncZod<ZohoQuotaRoutes> = async (
  app,
  { db, clock, connect, modules, limits, stockPercent },
) => {
  const organization = async () => (await connect.settings.effective()).values.organization_id ?? 'none'
  const quota = async () => ({
    status: 'success' as const,
    data: await readQuota({
      db,
      clock,
      organization: await organization(),
      zone: await modules.zone(),
      limits: { perMinute: limits.requestsPerMinute, perDay: limits.requestsPerDay, stockPercent: limits.stockPercent },
      slots: ({ cron, zone }, until) => occurrencesUntil(cron, { zone, from: clock.now(), until }),
      kindsOf: (module, mode) => kindsOf(moduleOf(module).slug, mode),
      stockCalls: async () => {
        const items = await db.product.count({ where: { deleted_at: null } })
        return expectedStockCalls(db, { at: clock.now(), stockPercent: await stockPercent(), items })
      },
    }),
  })

  app.get(
    '/quota',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'getQuota',
        summary: 'Return API calls used and left this minute and today, with a forecast',
        response: { 200: QuotaResponse },
      },
    },
    quota,
  )
  app.put(
    '/quota',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'changeQuota',
        summary: 'Set the percentages of daily calls that images leave to items and that stock by location may use',
        body: QuotaBody,
        response: { 200: QuotaResponse },
      },
    },
    async (request) => {
      const { reserve_percent: reservePercent, stock_percent: stockPercent } = request.body
      await setQuota(db, { organization: await organization(), reservePercent, stockPercent, actor: actorOf(request) })
      return quota()
    },
  )
  app.get(
    '/calls',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'syncs:read' },
      schema: {
        tags,
        operationId: 'listZohoCalls',
        summary: 'List API calls to Zoho, newest first, without bodies',
        querystring: CallsQuery,
        response: { 200: CallsResponse },
      },
    },
    async ({ query: { cursor, limit, job, run_id: runId, failed, from, to } }) => {
      const rows = await listCalls(db, {
        before: cursor === undefined ? undefined : readCallId(cursor),
        job,
        runId,
        failed,
        from: from === undefined ? undefined : parseTimestamp('from', from),
        to: to === undefined ? undefined : parseTimestamp('to', to),
        limit: limit + 1,
      })
      const page = rows.slice(0, limit)
      return {
        status: 'success' as const,
        data: page.map((row) => ({
          at: row.started_at.toISOString(),
          job: row.job,
          run_id: row.run_id,
          path: row.path,
          status: row.status,
          code: row.code,
          ms: row.ms,
          quota_left: row.day_left,
        })),
        next_cursor: rows.length > page.length ? String(page.at(-1)?.id) : null,
      }
    },
  )
}

function readCallId(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor)
  throw new BadRequestError('invalid_cursor')
}
