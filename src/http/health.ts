import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'
import type { Database } from '../db.ts'
import { Forbidden, Unavailable } from '../errors.ts'

const tags = ['health']
const Ok = z.object({ status: z.literal('success') })

export const healthRoutes: FastifyPluginAsyncZod<{ db: Database; isStopping(): boolean; metricsToken: string | undefined }> = async (
  app,
  { db, isStopping, metricsToken },
) => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  app.get('/health/live', { schema: { tags, summary: 'The process runs', response: { 200: Ok } } }, async () => ({
    status: 'success' as const,
  }))
  app.get(
    '/health/ready',
    { schema: { tags, summary: 'Requests can be served; otherwise the failing part is named', response: { 200: Ok } } },
    async () => {
      if (isStopping()) throw new Unavailable('stopping', 'zinc is stopping', { retryAfterMs: 10_000 })
      await db.$queryRaw`select 1`.catch(() => {
        throw new Unavailable('database_unavailable', 'The database does not answer', { retryAfterMs: 5_000, detail: { part: 'database' } })
      })
      return { status: 'success' as const }
    },
  )
  app.get('/metrics', { schema: { tags, summary: 'Prometheus metrics' } }, async (request, reply) => {
    const local =
      /^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '') &&
      request.headers['x-forwarded-for'] === undefined &&
      request.headers.forwarded === undefined
    const token = metricsToken !== undefined && request.headers.authorization === `Bearer ${metricsToken}`
    if (!local && !token && request.identity?.role !== 'admin')
      throw new Forbidden('metrics_closed', 'Metrics are for this machine', { remedy: 'Set METRICS_TOKEN and send it as a Bearer token.' })
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}
