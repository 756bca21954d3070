import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform } from '@fastify/type-provider-zod'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'

/** The format of every error, whichever layer it comes from. */
const FAILURE = {
  type: 'object',
  required: ['status', 'code', 'message', 'detail', 'request_id'],
  properties: {
    status: { type: 'string', enum: ['error'] },
    code: { type: 'string', description: 'Stable, in snake_case: what programs switch on.' },
    message: { type: 'string', description: 'For people.' },
    detail: { type: 'object', properties: { remedy: { type: 'string', description: 'What to do next.' } }, additionalProperties: true },
    request_id: { type: 'string' },
    run_id: { type: 'string', format: 'uuid' },
  },
} as const

/** `/docs` and `/docs/json`: each route with who may use it, and with the format of its errors. */
export const openapi = fp(
  async (app) => {
    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'zinc', version: '0.1.0', description: 'The catalogue of a shop, kept true everywhere.' },
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', description: 'The access token of a login, or an API key (`zk_…`).' },
            cookie: { type: 'apiKey', in: 'cookie', name: 'zinc_session' },
          },
        },
      },
      transform: (document) => {
        const { schema, url } = jsonSchemaTransform(document as Parameters<typeof jsonSchemaTransform>[0])
        if (!schema || schema.hide) return { schema, url }
        const needs = neededRole(document.route)
        return {
          url,
          schema: {
            ...schema,
            ...(document.route.config?.keyScope && { 'x-scope': document.route.config.keyScope }),
            security: needs === null ? [] : [{ bearer: [] }, { cookie: [] }],
            description: [schema.description, whoMay(needs, document.route)].filter(Boolean).join('\n\n'),
            response: { ...(schema.response as object | undefined), default: { description: 'A failure', ...FAILURE } },
          },
        }
      },
    })
    await app.register(fastifySwaggerUi, { routePrefix: '/docs', staticCSP: true })
  },
  { name: 'api-docs' },
)

/**
 * Returns the role that the route's own hook requires; null for public ones and for those that a
 * signed URL opens.
 */
function neededRole({ onRequest, config }: RouteOptions): string | null {
  for (const hook of [onRequest].flat()) if (hook && 'needs' in hook && typeof hook.needs === 'string') return hook.needs
  return config?.signed ? 'viewer' : null
}

function whoMay(needs: string | null, route: RouteOptions): string {
  const scope = route.config?.keyScope
  if (needs === null && !route.config?.signed) return whichPeople(needs, route)
  return `${whichPeople(needs, route)} ${scope === undefined ? 'Closed to API keys.' : `API keys need the scope ${scope}.`}`
}

function whichPeople(needs: string | null, { config, onRequest }: RouteOptions): string {
  if (config?.signed) return 'Open to a signed address, else to the role viewer or a higher one.'
  if (needs === null) return `Open to ${config?.openTo ?? 'everybody'}.`
  const edge = [onRequest].flat().some((hook) => hook && 'edge' in hook)
  return `Open to ${edge ? 'the edge server of the store and to ' : ''}the role ${needs}${needs === 'admin' ? '' : ' or a higher one'}.`
}
