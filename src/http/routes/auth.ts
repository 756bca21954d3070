import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Session, Sessions } from '../../auth/sessions.ts'
import { BadRequestError, UnauthorizedError } from '../../lib/errors.ts'
import { CurrentUserResponse, LoginBody, RefreshBody, SessionResponse } from '../../schemas/auth.ts'
import { requireIdentity, requireRole } from '../plugins/authentication.ts'
import { assertSameOrigin, clearCookies, readRefreshCookie, setCookies } from '../plugins/session-cookies.ts'

const tags = ['access']
/** The longest name and password in any script; reading more for callers without a token would only cost time. */
const MAX_BODY_BYTES = 8 * 1024

export const authRoutes: FastifyPluginAsyncZod<{ sessions: Sessions; publicUrl: string | undefined }> = async (
  app,
  { sessions, publicUrl },
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
      const session = await sessions.login({ ...credentials, address: request.ip, browser: readRefreshCookie(request, publicUrl) })
      if (cookie) setCookies(request, reply, session, publicUrl)
      return response(session)
    },
  )

  /** The page sends no token in the body: its own is in the cookie, and the new ones go there. */
  async function refreshByCookie(request: FastifyRequest, reply: FastifyReply, token: string) {
    assertSameOrigin(request, publicUrl)
    const renewed = await sessions.refresh(token, { shared: true, address: request.ip, requestId: request.id }).catch((error: unknown) => {
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
        throw new BadRequestError('bad_request', 'refresh_token is required', { remedy: 'Send the refresh_token that the login answered.' })
      }
      const renewed: Omit<Session, 'refresh_token'> & { refresh_token: string | null } = await sessions.refresh(refresh_token, {
        shared: false,
        address: request.ip,
        requestId: request.id,
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
      await sessions.logout(requireIdentity(request).session_id)
      clearCookies(reply)
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

const isBrowser = ({ headers }: FastifyRequest): boolean => headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
