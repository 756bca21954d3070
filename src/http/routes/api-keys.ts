import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { ApiKeys, ApiKeyWithMaker } from '../../auth/api-keys.ts'
import {
  ApiKeyBody,
  ApiKeyMadeResponse,
  ApiKeyResponse,
  ApiKeyScope,
  type ApiKey as ApiKeyShown,
  ApiKeysResponse,
  RotateBody,
} from '../../schemas/api-keys.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'

const tags = ['access']
const Params = z.object({ id: z.uuid() })

/** `/api/v1/api-keys`: for users; keys cannot create keys. */
export const apiKeyRoutes: FastifyPluginAsyncZod<{ apiKeys: ApiKeys }> = async (app, { apiKeys }) => {
  const onRequest = requireRole('viewer')
  const success = <T>(data: T) => ({ status: 'success' as const, data })

  app.get(
    '/',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'listApiKeys',
        summary: 'List your own API keys, newest first; an admin sees all',
        response: { 200: ApiKeysResponse },
      },
    },
    async (request) => ({ ...success((await apiKeys.list(requireIdentity(request))).map(shown)), next_cursor: null }),
  )
  app.post(
    '/',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'createApiKey',
        summary: 'Create an API key; it is returned only once. Operators may give scopes of their role, viewers those that only read',
        body: ApiKeyBody,
        response: { 201: ApiKeyMadeResponse },
      },
    },
    async (request, reply) => {
      const { name, scopes, expires_in_days } = request.body
      const { key, row } = await apiKeys.create({ name, scopes, days: expires_in_days }, requireIdentity(request), actorOf(request))
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(success({ ...shown(row), key }))
    },
  )
  app.delete(
    '/:id',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key; its next request is refused',
        params: Params,
        response: { 200: ApiKeyResponse },
      },
    },
    async (request) => success(shown(await apiKeys.revoke(request.params.id, requireIdentity(request), actorOf(request)))),
  )
  app.post(
    '/:id/rotate',
    {
      onRequest,
      schema: {
        tags,
        operationId: 'rotateApiKey',
        summary: 'Replace the secret of an API key; the old one stays valid for `overlap_hours`',
        params: Params,
        body: RotateBody.nullish(),
        response: { 201: ApiKeyMadeResponse },
      },
    },
    async (request, reply) => {
      const overlapHours = request.body?.overlap_hours ?? 0
      const { key, row } = await apiKeys.rotate(request.params.id, { overlapHours }, requireIdentity(request), actorOf(request))
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(success({ ...shown(row), key }))
    },
  )
}

const shown = ({ id, name, prefix, scopes, user, created_at, expires_at, last_used_at, previous_until }: ApiKeyWithMaker): ApiKeyShown => ({
  id,
  name,
  prefix,
  scopes: ApiKeyScope.array().parse(scopes),
  made_by: user.username,
  created_at: created_at.toISOString(),
  expires_at: expires_at?.toISOString() ?? null,
  last_used_at: last_used_at?.toISOString() ?? null,
  previous_until: previous_until?.toISOString() ?? null,
})
