import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import { requiredScopes } from '../../connection/oauth-flow.ts'
import { scopesOf } from '../../connection/scopes.ts'
import { maskSettings } from '../../connection/settings-view.ts'
import type { Database } from '../../database/client.ts'
import {
  AuthorizeBody,
  ConnectionResponse,
  OrganizationBody,
  OrganizationResponse,
  OrganizationsResponse,
  ScopesResponse,
  TestHistoryResponse,
  TestResponse,
} from '../../schemas/connection.ts'
import { actorOf, requireRole } from '../plugins/authentication.ts'

const tags = ['connection']
/** A test makes some twenty small calls; at Zoho's limit that takes less than a minute. */
const TEST_MS = 120_000

export const zohoConnectionRoutes: FastifyPluginAsyncZod<{ db: Database; connect: ConnectionContext }> = async (app, { db, connect }) => {
  app.post(
    '/test',
    {
      onRequest: requireRole('operator'),
      schema: {
        tags,
        operationId: 'testConnection',
        summary: 'Test the connection: sign in and check everything that zinc needs; 502 if sign-in fails',
        response: { 200: TestResponse },
      },
    },
    async (request) => ({
      status: 'success' as const,
      data: await connect.test(actorOf(request).actor, AbortSignal.timeout(TEST_MS)),
    }),
  )
  app.get(
    '/test/history',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'listConnectionTests',
        summary: 'List the last tests of the connection with what each check found, the newest first',
        response: { 200: TestHistoryResponse },
      },
    },
    async () => ({ status: 'success' as const, data: await connect.listTests() }),
  )
  app.post(
    '/authorize',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'authorize',
        summary: 'Exchange a self-client grant code for a refresh token and store it',
        body: AuthorizeBody,
        response: { 200: ConnectionResponse },
      },
    },
    async (request) => {
      await connect.authorize(request.body.code, actorOf(request), AbortSignal.timeout(TEST_MS))
      return { status: 'success' as const, data: (await maskSettings(connect)).connection }
    },
  )

  app.get(
    '/organizations',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'listOrganizations',
        summary: 'List the organizations of the account, with currency and time zone',
        response: { 200: OrganizationsResponse },
      },
    },
    async () => {
      const { values } = await connect.settings.effective()
      const all = await connect.listOrganizations(AbortSignal.timeout(TEST_MS))
      return {
        status: 'success' as const,
        data: all.map(({ timeZone, ...it }) => ({ ...it, time_zone: timeZone, selected: it.id === values.organization_id })),
      }
    },
  )
  app.put(
    '/organization',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'setOrganization',
        summary: 'Set the organization to use',
        body: OrganizationBody,
        response: { 200: OrganizationResponse },
      },
    },
    async (request) => {
      const { timeZone, ...it } = await connect.chooseOrganization(request.body.id, actorOf(request), AbortSignal.timeout(TEST_MS))
      return { status: 'success' as const, data: { ...it, time_zone: timeZone } }
    },
  )
  app.get(
    '/scopes',
    {
      onRequest: requireRole('operator'),
      config: { keyScope: 'settings:read' },
      schema: {
        tags,
        operationId: 'listZohoScopes',
        summary: 'List the scopes of each module, whether they are granted, and all scopes as one line',
        response: { 200: ScopesResponse },
      },
    },
    async () => {
      const modules = await scopesOf(db, connect)
      const missing = modules.filter((it) => it.enabled).flatMap((it) => it.scopes.filter(({ granted }) => granted === false))
      return {
        status: 'success' as const,
        data: { modules, line: await requiredScopes(db), missing: missing.map(({ scope }) => scope), redirect_uri: connect.redirectUri() },
      }
    },
  )
}
