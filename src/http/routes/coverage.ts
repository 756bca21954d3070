import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { coverageHistory, measureCoverage } from '../../catalog/coverage.ts'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { CoverageHistoryQuery, CoverageHistoryResponse, CoverageResponse } from '../../schemas/coverage.ts'
import { requireRole } from '../plugins/authentication.ts'

const tags = ['coverage']

export const coverageRoutes: FastifyPluginAsyncZod<{ db: Database; clock: Clock }> = async (app, { db, clock }) => {
  app.get(
    '/coverage',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'getCoverage',
        summary: 'Count missing product data; each key is a filter of GET /api/products?coverage=',
        response: { 200: CoverageResponse },
      },
    },
    async () => {
      const { total, counts } = await measureCoverage(db)
      return { status: 'success' as const, data: counts, total, measured_at: clock.now().toISOString() }
    },
  )
  app.get(
    '/coverage/history',
    {
      onRequest: requireRole('viewer'),
      config: { keyScope: 'products:read' },
      schema: {
        tags,
        operationId: 'getCoverageHistory',
        summary: 'List the coverage counts by day, oldest first',
        querystring: CoverageHistoryQuery,
        response: { 200: CoverageHistoryResponse },
      },
    },
    async ({ query }) => {
      const days = await coverageHistory(db, { days: query.days, at: clock.now() })
      return { status: 'success' as const, data: days.map(({ day, total, counts }) => ({ day, total, ...counts })) }
    },
  )
}
