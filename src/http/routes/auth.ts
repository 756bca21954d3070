import { isIP } from 'node:net'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { SecondFactor } from '../../auth/second-factor.ts'
import type { BrowserLogin, Origin, Session, Sessions } from '../../auth/sessions.ts'
import type { Users } from '../../auth/users.ts'
import { BadRequestError, TooManyRequestsError, UnauthorizedError } from '../../lib/errors.ts'
import { VERSION } from '../../lib/version.ts'
import {
  ChangePasswordBody,
  ConfirmTotpBody,
  CurrentUserResponse,
  LoginBody,
  RecoveryCodesResponse,
  RefreshBody,
  RemoveTotpBody,
  SessionResponse,
  TotpSecretResponse,
  UserSessionsResponse,
} from '../../schemas/auth.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { assertSameOrigin, clearCookies, readRefreshCookie, setCookies } from '../plugins/session-cookies.ts'

const tags = ['access']
/**
 * The longest name and password in any script; reading more for clients without a token would only
 * cost time.
 */
const MAX_BODY_BYTES = 8 * 1024

interface AuthRoutesDeps {
  sessions: Sessions
  users: Users
  secondFactor: SecondFactor
  publicUrl: string | undefined
}

export const authRoutes: FastifyPluginAsyncZod<AuthRoutesDeps> = async (app, { sessions, users, secondFactor, publicUrl }) => {
  const response = (data: z.infer<typeof SessionResponse>['data']) => ({ status: 'success' as const, data })
  // Caches must not store tokens.
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.post(
    '/login',
    {
      config: { public: true, limited: true },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'login',
        summary: 'Log in with username and password',
        description:
          'An account with two-factor authentication gets 401 second_factor_required. To complete the login, send detail.challenge with a code or a recovery code from the same IP address within five minutes.',
        body: LoginBody,
        response: { 200: SessionResponse },
      },
    },
    async (request, reply) => {
      const { cookie, ...body } = request.body
      // Another page must not log its visitors in to another account.
      if (cookie && isBrowser(request)) assertSameOrigin(request, publicUrl)
      const from = { ...originOf(request), browser: readRefreshCookie(request, publicUrl), replacesBrowser: cookie }
      const session = await logIn(body, from).catch(async (error: unknown) => {
        logRefusedLogin(request, body.username ?? (await sessions.nameOfChallenge(body.challenge ?? '')), error)
        throw error
      })
      if (cookie) setCookies(request, reply, session, publicUrl)
      return response(session)
    },
  )

  function logIn(
    { username, password, challenge, code, recovery_code }: Omit<z.output<typeof LoginBody>, 'cookie'>,
    from: BrowserLogin,
  ): Promise<Session> {
    // Presence was checked by the schema.
    if (challenge === undefined) return sessions.login({ ...from, username: username ?? '', password: password ?? '' })
    return sessions.finishLogin({ ...from, challenge, proof: code === undefined ? { recovery_code: recovery_code ?? '' } : { code } })
  }

  /**
   * The page sends no token in the body: its own is in the cookie, and the new ones are sent there.
   */
  async function refreshByCookie(request: FastifyRequest, reply: FastifyReply, token: string) {
    assertSameOrigin(request, publicUrl)
    const renewed = await sessions.refresh(token, { shared: true, ...originOf(request) }).catch((error: unknown) => {
      // Only when the login has ended: a database that is briefly unavailable must not log everyone
      // out.
      if (error instanceof UnauthorizedError) clearCookies(reply)
      throw error
    })
    setCookies(request, reply, renewed, publicUrl)
    return response({ ...renewed, refresh_token: null })
  }

  app.post(
    '/refresh',
    {
      config: { public: true, limited: true },
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'refreshTokens',
        summary: 'Exchange a refresh token (in the body or the session cookie) for new tokens; each works once',
        body: RefreshBody,
        response: { 200: SessionResponse },
      },
    },
    async (request, reply) => {
      const { refresh_token } = request.body
      const cookie = readRefreshCookie(request, publicUrl)
      if (refresh_token === undefined) {
        if (cookie !== undefined) return refreshByCookie(request, reply, cookie)
        throw new BadRequestError('bad_request.refresh_token')
      }
      const renewed: Omit<Session, 'refresh_token'> & { refresh_token: string | null } = await sessions.refresh(refresh_token, {
        shared: false,
        ...originOf(request),
      })
      return response(renewed)
    },
  )

  app.post(
    '/logout',
    {
      config: { withoutSecondFactor: true },
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        operationId: 'logout',
        summary: 'Log out: revoke the access and refresh tokens of this session',
        response: { 200: z.object({ status: z.literal('success') }) },
      },
    },
    async (request, reply) => {
      await sessions.logout(requireIdentity(request).session_id, actorOf(request))
      clearCookies(reply)
      return { status: 'success' as const }
    },
  )

  app.post(
    '/password',
    {
      onRequest: requireRole('viewer'),
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'changePassword',
        summary: 'Change your own password; logs out your other sessions',
        body: ChangePasswordBody,
        response: { 200: z.object({ status: z.literal('success') }) },
      },
    },
    async (request) => {
      const { user_id, username, session_id } = requireIdentity(request)
      const { current_password, new_password } = request.body
      await sessions.confirmPassword(user_id, current_password, originOf(request)).catch((error: unknown) => {
        logRefusedLogin(request, username, error)
        throw error
      })
      await users.patch(user_id, { password: new_password }, actorOf(request), { keep: session_id })
      return { status: 'success' as const }
    },
  )

  app.get(
    '/sessions',
    {
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        operationId: 'listSessions',
        summary: 'List your own sessions, newest first',
        response: { 200: UserSessionsResponse },
      },
    },
    async (request) => {
      const { user_id, session_id } = requireIdentity(request)
      const data = (await sessions.list(user_id)).map(({ created_at, last_used_at, ...session }) => ({
        ...session,
        created_at: created_at.toISOString(),
        last_used_at: last_used_at.toISOString(),
        current: session.id === session_id,
      }))
      return { status: 'success' as const, data, next_cursor: null }
    },
  )

  app.delete(
    '/sessions/:id',
    {
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        operationId: 'endSession',
        summary: 'Log out one of your own sessions',
        params: z.object({ id: z.uuid() }),
        response: { 200: z.object({ status: z.literal('success') }) },
      },
    },
    async (request, reply) => {
      const { user_id, session_id } = requireIdentity(request)
      await sessions.end(user_id, request.params.id, actorOf(request))
      if (request.params.id === session_id) clearCookies(reply)
      return { status: 'success' as const }
    },
  )

  app.post(
    '/totp',
    {
      config: { withoutSecondFactor: true },
      onRequest: requireRole('viewer'),
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'startSecondFactor',
        summary: 'Start two-factor setup: return the secret for an authenticator app (TOTP)',
        response: { 200: TotpSecretResponse },
      },
    },
    async (request) => {
      const { user_id, username } = requireIdentity(request)
      return { status: 'success' as const, data: await secondFactor.begin({ id: user_id, username }) }
    },
  )

  app.post(
    '/totp/confirm',
    {
      config: { withoutSecondFactor: true },
      onRequest: requireRole('viewer'),
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'confirmSecondFactor',
        summary: 'Turn on two-factor authentication with a code; returns the recovery codes once and logs out your other sessions',
        body: ConfirmTotpBody,
        response: { 200: RecoveryCodesResponse },
      },
    },
    async (request) => {
      const { user_id, session_id } = requireIdentity(request)
      const recovery_codes = await secondFactor.confirm(user_id, request.body.code, actorOf(request), { keep: session_id })
      return { status: 'success' as const, data: { recovery_codes } }
    },
  )

  app.delete(
    '/totp',
    {
      onRequest: requireRole('viewer'),
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        operationId: 'removeSecondFactor',
        summary: 'Turn off two-factor authentication with your password and a code or recovery code',
        body: RemoveTotpBody,
        response: { 200: z.object({ status: z.literal('success') }) },
      },
    },
    async (request) => {
      const { user_id, username } = requireIdentity(request)
      await sessions.confirmBoth(user_id, request.body, originOf(request)).catch((error: unknown) => {
        logRefusedLogin(request, username, error)
        throw error
      })
      await secondFactor.remove({ id: user_id, username }, actorOf(request), { action: 'totp.disable' })
      return { status: 'success' as const }
    },
  )

  app.get(
    '/me',
    {
      config: { withoutSecondFactor: true },
      onRequest: requireRole('viewer'),
      schema: { tags, operationId: 'getCurrentUser', summary: 'Return the current user', response: { 200: CurrentUserResponse } },
    },
    async (request) => {
      const { user_id, username, role, lacks_second_factor } = requireIdentity(request)
      const second_factor = await secondFactor.status(user_id)
      return {
        status: 'success' as const,
        data: {
          user_id,
          username,
          role,
          second_factor,
          must_set_up_second_factor: lacks_second_factor,
          untrusted_proxy: role === 'admin' ? app.untrustedProxy() : null,
          version: VERSION,
        },
      }
    },
  )
}

const originOf = (request: FastifyRequest): Origin => ({
  address: request.ip,
  requestId: request.id,
  userAgent: request.headers['user-agent'],
})

/**
 * Logs one line that fail2ban reads (README, Running it): the address comes before the name, which
 * the client chooses.
 */
function logRefusedLogin(request: FastifyRequest, username: string, error: unknown): void {
  // A login that still needs its code was not refused.
  if (!(error instanceof UnauthorizedError || error instanceof TooManyRequestsError) || error.code === 'second_factor_required') return
  const address = isIP(request.ip) === 0 ? 'an unknown address' : request.ip
  request.log.warn({ code: error.code, address, username }, `Refused login from ${address} as ${username}`)
}

const isBrowser = ({ headers }: FastifyRequest): boolean => headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
