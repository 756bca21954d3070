import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import { ServiceUnavailableError } from '../../lib/errors.ts'

const Ok = z.object({ status: z.literal('success') })
const tags = ['health']
// No token is read: health must respond when the database does not.
const config = { public: true }
const DATABASE_WITHIN_MS = 1_500

/** A database that is slow to refuse counts as unavailable: a readiness probe needs a response. */
const late = () => pause(DATABASE_WITHIN_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('no answer')))

export const healthRoutes: FastifyPluginAsyncZod<{ db: Database; isStopping(): boolean }> = async (app, { db, isStopping }) => {
  app.get(
    '/health/live',
    { config, schema: { tags, operationId: 'getLiveness', summary: 'Check that the process is running', response: { 200: Ok } } },
    async () => ({
      status: 'success' as const,
    }),
  )
  app.get(
    '/health/ready',
    {
      config,
      schema: {
        tags,
        operationId: 'getReadiness',
        summary: 'Check that requests can be served; names the failing part otherwise',
        response: { 200: Ok },
      },
    },
    async () => {
      if (isStopping()) throw new ServiceUnavailableError('shutting_down', { part: 'server' }, { retryAfterMs: 10_000 })
      await Promise.race([db.$queryRaw`select 1`, late()]).catch(() => {
        throw new ServiceUnavailableError('database_unavailable', { part: 'database' }, { retryAfterMs: 5_000 })
      })
      return { status: 'success' as const }
    },
  )
}
