import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'

const BUILT = join(import.meta.dirname, '../../../dist/web')
const HOME = '/settings/integrations/zoho'
/**
 * Build files that are requested by name; all others are named by their content and are in assets/.
 */
const NAMED_FILES = new Set(['init-theme.js', 'favicon.svg'])
const ASSETS = 'assets/'

/**
 * The operator's page, built by `npm ci`: its files, and its document at every URL below /settings,
 * which it routes itself. Any other missing URL stays a JSON response.
 */
export const webAppRoutes: FastifyPluginAsyncZod = async (app) => {
  await app.register(fastifyStatic, {
    root: BUILT,
    serve: false,
    // The build wrote .br and .gz next to each file, so that serving compresses nothing.
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) =>
      reply.header('cache-control', path.includes(`/${ASSETS}`) ? 'public, max-age=31536000, immutable' : 'no-cache'),
  })
  const schema = { hide: true }
  app.get('/', { schema }, async (_request, reply) => reply.redirect(HOME))
  app.get('/settings', { schema }, async (_request, reply) => reply.redirect(HOME))
  app.get('/settings/*', { schema: { ...schema, params: z.object({ '*': z.string() }) } }, async (request, reply) => {
    const path = request.params['*']
    return reply.sendFile(path.startsWith(ASSETS) || NAMED_FILES.has(path) ? path : 'index.html')
  })
}
