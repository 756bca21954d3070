import { isIP } from 'node:net'
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Origin, Session, Sessions } from '../../auth/sessions.ts'
import type { Users } from '../../auth/users.ts'
import { BadRequestError, TooManyRequestsError, UnauthorizedError } from '../../lib/errors.ts'
import {
  ChangePasswordBody,
  CurrentUserResponse,
  LoginBody,
  RefreshBody,
  SessionResponse,
  UserSessionsResponse,
} from '../../schemas/auth.ts'
import { actorOf, requireIdentity, requireRole } from '../plugins/authentication.ts'
import { assertSameOrigin, clearCookies, readRefreshCookie, setCookies } from '../plugins/session-cookies.ts'

const tags = ['access']
/** The longest name and password in any script; reading more for callers without a token would only cost time. */
const MAX_BODY_BYTES = 8 * 1024

export const authRoutes: FastifyPluginAsyncZod<{ sessions: Sessions; users: Users; publicUrl: string | undefined }> = async (
  app,
  { sessions, users, publicUrl },
) => {
  const response = (data: z.infer<typeof SessionResponse>['data']) => ({ status: 'success' as const, data })
  // Tokens must not come to rest in a cache on the way.
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.post(
    '/login',
    {
      config: { public: true, limited: true },
      bodyLimit: MAX_BODY_BYTES,
      schema: { tags, summary: 'Log in and get tokens', body: LoginBody, response: { 200: SessionResponse } },
    },
    async (request, reply) => {
      const { cookie, ...credentials } = request.body
      // Another page must not log its visitors in as somebody else.
      if (cookie && isBrowser(request)) assertSameOrigin(request, publicUrl)
      const session = await sessions
        .login({ ...credentials, ...originOf(request), browser: readRefreshCookie(request, publicUrl), replacesBrowser: cookie })
        .catch((error: unknown) => {
          logRefusedLogin(request, credentials.username, error)
          throw error
        })
      if (cookie) setCookies(request, reply, session, publicUrl)
      return response(session)
    },
  )

  /** The page sends no token in the body: its own is in the cookie, and the new ones go there. */
  async function refreshByCookie(request: FastifyRequest, reply: FastifyReply, token: string) {
    assertSameOrigin(request, publicUrl)
    const renewed = await sessions.refresh(token, { shared: true, ...originOf(request) }).catch((error: unknown) => {
      // Only when the login is over: a database that is away for a moment must not log everybody out.
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
        summary: 'Swap a refresh token (in the body, or the cookie of the page) for new tokens; each works once',
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
      onRequest: requireRole('viewer'),
      schema: {
        tags,
        summary: 'End this login: its access and refresh tokens are refused from now on',
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
        summary: "Change one's own password; all other sessions of the person end",
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
      schema: { tags, summary: "One's own sessions, the newest first", response: { 200: UserSessionsResponse } },
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
        summary: "End one of one's own sessions",
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

  app.get(
    '/me',
    { onRequest: requireRole('viewer'), schema: { tags, summary: 'Who the token belongs to', response: { 200: CurrentUserResponse } } },
    async (request) => {
      const { user_id, username, role } = requireIdentity(request)
      return { status: 'success' as const, data: { user_id, username, role } }
    },
  )
}

const originOf = (request: FastifyRequest): Origin => ({
  address: request.ip,
  requestId: request.id,
  userAgent: request.headers['user-agent'],
})

/** One line that fail2ban reads (README, Running it): the address stands before the name, which the caller chooses. */
function logRefusedLogin(request: FastifyRequest, username: string, error: unknown): void {
  if (!(error instanceof UnauthorizedError || error instanceof TooManyRequestsError)) return
  const address = isIP(request.ip) === 0 ? 'an unknown address' : request.ip
  request.log.warn({ code: error.code, address, username }, `Refused login from ${address} as ${username}`)
}

const isBrowser = ({ headers }: FastifyRequest): boolean => headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
