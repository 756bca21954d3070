import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TooManyRequestsError } from '../../lib/errors.ts'

export interface RequestLimits {
  /**
   * Per minute; 0: no limit. Requests without a token count by their address, with the limit of a
   * user.
   */
  person: number
  edge: number
}

/**
 * Limits the requests of one client per minute, counted in this process. Public routes (health,
 * login) have their own limits or none.
 */
export const rateLimit = fp<{ requestsPerMinute: RequestLimits }>(
  async (app, { requestsPerMinute }) => {
    if (requestsPerMinute.person === 0) return
    await app.register(fastifyRateLimit, { global: false })
    const limited = app.createRateLimit({
      timeWindow: 60_000,
      max: (request: FastifyRequest) => (request.edge ? requestsPerMinute.edge : requestsPerMinute.person),
      keyGenerator: (request: FastifyRequest) =>
        request.edge?.token_id ?? request.identity?.key?.id ?? request.identity?.user_id ?? request.ip,
    })
    app.addHook('onRequest', async (request, reply) => {
      const { config, schema } = request.routeOptions
      if ((config.public && !config.limited) || schema?.hide) return
      const count = await limited(request)
      if (count.isAllowed) return
      reply.header('x-ratelimit-limit', count.max).header('x-ratelimit-remaining', count.remaining)
      if (count.isExceeded) throw new TooManyRequestsError('too_many_requests', {}, { retryAfterMs: count.ttl })
    })
  },
  { name: 'request-limits', dependencies: ['authentication'] },
)
