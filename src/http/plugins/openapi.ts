import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform } from '@fastify/type-provider-zod'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { completeDocument, type Document } from './openapi-document.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types of the successful response where it is not JSON with the route's schema. */
    produces?: string[]
  }
}

/** `/docs` and `/docs/json`: each route with who may use it, examples, and its errors. */
export const openapi = fp(
  async (app) => {
    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'zinc',
          version: '0.1.0',
          description: 'The catalogue of a shop, kept true everywhere.',
          license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
        },
        servers: [{ url: '/', description: 'The server that serves this document' }],
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
        const { config } = document.route
        const needs = neededRole(document.route)
        return {
          url,
          schema: {
            ...schema,
            ...(config?.keyScope && { 'x-scope': config.keyScope }),
            ...(config?.produces && { 'x-produces': config.produces }),
            security: needs === null ? [] : [{ bearer: [] }, { cookie: [] }],
            description: [schema.description, whoMay(needs, document.route)].filter(Boolean).join('\n\n'),
          },
        }
      },
      transformObject: (document) =>
        'openapiObject' in document ? (completeDocument(document.openapiObject as unknown as Document) as never) : document.swaggerObject,
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
  return `${whichPeople(needs, route)} ${scope === undefined ? 'API keys are refused.' : `API keys need the scope ${scope}.`}`
}

function whichPeople(needs: string | null, { config, onRequest }: RouteOptions): string {
  if (config?.signed) return 'Needs a signed URL, or the role viewer or higher.'
  if (needs === null) return `Needs no login: open to ${config?.openTo ?? 'everyone'}.`
  const edge = [onRequest].flat().some((hook) => hook && 'edge' in hook)
  return `Needs the role ${needs}${needs === 'admin' ? '' : ' or higher'}${edge ? ', or the token of the edge server of the store' : ''}.`
}
