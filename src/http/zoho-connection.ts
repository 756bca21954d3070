import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import { wantedScopes } from '../connect/authorize.ts'
import type { Connect } from '../connect/open-connect.ts'
import { scopesOf } from '../connect/scope-list.ts'
import { shownSettings } from '../connect/shown-settings.ts'
import {
  AuthorizeBody,
  CallbackQuery,
  ConnectionAnswer,
  OrganizationAnswer,
  OrganizationBody,
  OrganizationsAnswer,
  ScopesAnswer,
  TestAnswer,
} from '../contract/connection.ts'
import type { Database } from '../db.ts'
import { AppError } from '../errors.ts'
import { actorOf, allow, requireIdentity } from './auth.ts'
import { overHttps } from './cookies.ts'

const tags = ['connection']
const PREFIX = '/api/settings/integrations/zoho'
/** Where the page shows the connection. */
const PAGE = '/settings/integrations/zoho'
/** Its own cookie: the session's is not sent on the way back from Zoho. Bound to the callback, and to this browser. */
const CONSENT_COOKIE = 'zinc_consent'
const CONSENT_SECONDS = 600
/** A test makes some twenty small calls; at Zoho's own pace that is below a minute. */
const TEST_MS = 120_000

export const zohoConnectionRoutes: FastifyPluginAsyncZod<{ db: Database; connect: Connect; publicUrl: string | undefined }> = async (
  app,
  { db, connect, publicUrl },
) => {
  app.post(
    '/test',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'Sign in and try everything that zinc needs; 200 with the check list, 502 when Zoho does not let zinc sign in',
        response: { 200: TestAnswer },
      },
    },
    async () => ({ status: 'success' as const, data: await connect.test(AbortSignal.timeout(TEST_MS)) }),
  )
  app.post(
    '/authorize',
    {
      onRequest: allow('admin'),
      schema: {
        tags,
        summary: 'Exchange a self-client grant code for a refresh token and keep it',
        body: AuthorizeBody,
        response: { 200: ConnectionAnswer },
      },
    },
    async (request) => {
      await connect.authorize(request.body.code, actorOf(request), AbortSignal.timeout(TEST_MS))
      return { status: 'success' as const, data: (await shownSettings(connect)).connection }
    },
  )

  app.get(
    '/oauth/start',
    { onRequest: allow('admin'), schema: { tags, summary: 'To the consent page of Zoho', response: { 302: z.null() } } },
    async (request, reply) => {
      const { url, cookie } = await connect.beginConsent(requireIdentity(request).username)
      return reply
        .setCookie(CONSENT_COOKIE, cookie, {
          httpOnly: true,
          // Lax, not strict: it must come back with the redirect from Zoho.
          sameSite: 'lax',
          path: `${PREFIX}/oauth/callback`,
          secure: overHttps(request, publicUrl),
          maxAge: CONSENT_SECONDS,
        })
        .header('cache-control', 'no-store')
        .redirect(url, 302)
    },
  )
  app.get(
    '/oauth/callback',
    {
      config: { public: true },
      schema: { tags, summary: 'The way back from the consent page of Zoho', querystring: CallbackQuery },
    },
    async (request, reply) => {
      const { code, state, error, 'accounts-server': accountsServer } = request.query
      reply.clearCookie(CONSENT_COOKIE, { path: `${PREFIX}/oauth/callback` }).header('cache-control', 'no-store')
      const isPerson = (request.headers.accept ?? '').includes('text/html')
      try {
        await connect.finishConsent(
          { code, state, error, accountsServer },
          { cookie: request.cookies[CONSENT_COOKIE], request: { request_id: request.id, ip: request.ip } },
        )
      } catch (failure) {
        // A person comes here by browser: the page shows what happened and what to do.
        if (isPerson && failure instanceof AppError) return reply.redirect(`${PAGE}?${new URLSearchParams({ consent: failure.code })}`, 302)
        throw failure
      }
      return reply.redirect(`${PAGE}?consent=success`, 302)
    },
  )

  app.get(
    '/organizations',
    {
      onRequest: allow('operator'),
      schema: { tags, summary: 'The organisations of the account, with currency and time zone', response: { 200: OrganizationsAnswer } },
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
      onRequest: allow('admin'),
      schema: { tags, summary: 'Choose the organisation to work on', body: OrganizationBody, response: { 200: OrganizationAnswer } },
    },
    async (request) => {
      const { timeZone, ...it } = await connect.chooseOrganization(request.body.id, actorOf(request), AbortSignal.timeout(TEST_MS))
      return { status: 'success' as const, data: { ...it, time_zone: timeZone } }
    },
  )
  app.get(
    '/scopes',
    {
      onRequest: allow('operator'),
      schema: {
        tags,
        summary: 'The scopes that each module needs, granted or not, and all of them as one line',
        response: { 200: ScopesAnswer },
      },
    },
    async () => {
      const modules = await scopesOf(db, connect)
      const missing = modules.filter((it) => it.enabled).flatMap((it) => it.scopes.filter(({ granted }) => granted === false))
      return {
        status: 'success' as const,
        data: { modules, line: await wantedScopes(db), missing: missing.map(({ scope }) => scope), redirect_uri: connect.redirectUri() },
      }
    },
  )
}
