import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ConnectionContext } from '../../connection/connection.ts'
import { AppError } from '../../lib/errors.ts'
import {
  CallbackQuery,
  ConsentLinkResponse,
  NewConsentLinkResponse,
  OpenConsentLinkBody,
  OpenConsentLinkResponse,
} from '../../schemas/connection.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { overHttps } from '../plugins/session-cookies.ts'

const tags = ['connection']
const PREFIX = '/api/settings/integrations/zoho'
/** Where the page shows the connection. */
const PAGE = '/settings/integrations/zoho'
/** The page for people who have a link and no login. */
const LINK_PAGE = '/settings/reconnect'
/**
 * A separate cookie: the session's is not sent with the redirect from Zoho. Bound to the callback,
 * and to this browser.
 */
const CONSENT_COOKIE = 'zinc_consent'
const CONSENT_SECONDS = 600
/** Prefix of the cookie of people who came by a link: their redirect must not end at a login. */
const BY_LINK = 'link.'

/**
 * Zoho's consent page: the way there from the settings page or by a link, and the redirect back.
 */
export const oauthRoutes: FastifyPluginAsyncZod<{ connect: ConnectionContext; publicUrl: string | undefined }> = async (
  app,
  { connect, publicUrl },
) => {
  const setConsentCookie = (request: FastifyRequest, reply: FastifyReply, value: string) =>
    reply.header('cache-control', 'no-store').setCookie(CONSENT_COOKIE, value, {
      httpOnly: true,
      // Lax, not strict: it must be sent with the redirect from Zoho.
      sameSite: 'lax',
      path: `${PREFIX}/oauth/callback`,
      secure: overHttps(request, publicUrl),
      maxAge: CONSENT_SECONDS,
    })

  app.get(
    '/oauth/start',
    {
      onRequest: requireRole('admin'),
      schema: { tags, operationId: 'startConsent', summary: 'Redirect to Zoho’s consent page', response: { 302: z.null() } },
    },
    async (request, reply) => {
      const { url, cookie } = await connect.beginConsent(requireIdentity(request).username)
      return setConsentCookie(request, reply, cookie).redirect(url, 302)
    },
  )

  app.get(
    '/oauth/link',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'getConsentLink',
        summary: 'Return when the current consent link expires; null if there is none',
        response: { 200: ConsentLinkResponse },
      },
    },
    async () => ({
      status: 'success' as const,
      data: { expires_at: (await connect.consentLinks.pending())?.toISOString() ?? null },
    }),
  )
  app.post(
    '/oauth/link',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'createConsentLink',
        summary: 'Create a consent link for the Zoho account owner; it is returned once and replaces earlier links',
        response: { 201: NewConsentLinkResponse },
      },
    },
    async (request, reply) => {
      const { token, expiresAt } = await connect.consentLinks.create(actorOf(request))
      // After the #, so that no proxy logs it.
      const url = `${new URL(LINK_PAGE, connect.redirectUri()).href}#${token}`
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ status: 'success' as const, data: { url, expires_at: expiresAt.toISOString() } })
    },
  )
  app.delete(
    '/oauth/link',
    {
      onRequest: requireRole('admin'),
      schema: {
        tags,
        operationId: 'deleteConsentLink',
        summary: 'Withdraw the current consent link',
        response: { 200: z.object({ status: z.literal('success'), data: z.object({ withdrawn: z.number() }) }) },
      },
    },
    async (request) => ({ status: 'success' as const, data: { withdrawn: await connect.consentLinks.withdraw(actorOf(request)) } }),
  )
  app.post(
    '/oauth/link/follow',
    {
      config: { public: true, limited: true, openTo: 'everyone who has the secret of the link' },
      schema: {
        tags,
        operationId: 'followConsentLink',
        summary: 'Exchange a consent link for the URL of Zoho’s consent page',
        body: OpenConsentLinkBody,
        response: { 200: OpenConsentLinkResponse },
      },
    },
    async (request, reply) => {
      const { url, cookie } = await connect.consentLinks.follow(request.body.token)
      return setConsentCookie(request, reply, `${BY_LINK}${cookie}`).send({ status: 'success' as const, data: { url } })
    },
  )

  app.get(
    '/oauth/callback',
    {
      config: {
        public: true,
        limited: true,
        unknownParameters: 'ignore',
        openTo: 'the browser that began the consent',
      },
      schema: {
        tags,
        operationId: 'finishConsent',
        summary: 'Handle the redirect back from Zoho’s consent page',
        querystring: CallbackQuery,
        response: { 302: z.null() },
      },
    },
    async (request, reply) => {
      const { code, state, error, 'accounts-server': accountsServer } = request.query
      reply.clearCookie(CONSENT_COOKIE, { path: `${PREFIX}/oauth/callback` }).header('cache-control', 'no-store')
      const isPerson = (request.headers.accept ?? '').includes('text/html')
      const cookie = request.cookies[CONSENT_COOKIE]
      const page = cookie?.startsWith(BY_LINK) ? LINK_PAGE : PAGE
      try {
        await connect.finishConsent(
          { code, state, error, accountsServer },
          { cookie: cookie?.replace(BY_LINK, ''), request: { request_id: request.id, ip: request.ip } },
        )
      } catch (failure) {
        // A person comes here by browser: the page shows what happened and what to do.
        if (isPerson && failure instanceof AppError) return reply.redirect(`${page}?${new URLSearchParams({ consent: failure.code })}`, 302)
        throw failure
      }
      return reply.redirect(`${page}?consent=success`, 302)
    },
  )
}
