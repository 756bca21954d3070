import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { GoneError } from '../../lib/errors.ts'

/** Where scripts of the predecessors log in. */
const OLD_LOGINS = ['/api/token', '/api/v1/token', '/api/v1/auth/token', '/api/auth/login', '/api/auth/token', '/auth/login']

/**
 * Tells old scripts how to log in: their responses had other names, so an alias would only fail one
 * line later. Before the body is read, whatever its format.
 */
export const predecessorLoginRoutes: FastifyPluginAsyncZod = async (app) => {
  for (const url of OLD_LOGINS) {
    app.route({
      method: ['GET', 'POST'],
      url,
      schema: { hide: true },
      onRequest: async () => {
        throw new GoneError('login_moved')
      },
      handler: async () => {},
    })
  }
}
