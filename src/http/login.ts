import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod'
import { z } from 'zod'
import type { Session, Sessions } from '../access/sessions.ts'
import { Role } from '../access/users.ts'
import { allow, COOKIE, requireIdentity } from './auth.ts'

const SessionAnswer = z.object({
  status: z.literal('success'),
  data: z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.number(),
    refresh_token: z.string(),
    role: Role,
  }),
})
const tags = ['access']

export const loginRoutes: FastifyPluginAsyncZod<{ sessions: Sessions }> = async (app, { sessions }) => {
  const answer = (data: Session) => ({ status: 'success' as const, data })

  app.post(
    '/login',
    {
      schema: {
        tags,
        summary: 'Log in and get tokens',
        body: z.object({ username: z.string().min(1).max(200), password: z.string().min(1).max(1000), cookie: z.boolean().default(false) }),
        response: { 200: SessionAnswer },
      },
    },
    async ({ body, ip, protocol }, reply) => {
      const session = await sessions.login({ ...body, address: ip })
      if (body.cookie)
        reply.setCookie(COOKIE, session.access_token, {
          httpOnly: true,
          sameSite: 'strict',
          path: '/',
          secure: protocol === 'https',
          maxAge: session.expires_in,
        })
      return answer(session)
    },
  )
  app.post(
    '/refresh',
    {
      schema: {
        tags,
        summary: 'Swap a refresh token for new tokens',
        body: z.object({ refresh_token: z.string().min(1).max(200) }),
        response: { 200: SessionAnswer },
      },
    },
    async ({ body }) => answer(await sessions.refresh(body.refresh_token)),
  )
  app.post(
    '/logout',
    {
      onRequest: allow('viewer'),
      schema: { tags, summary: 'End all sessions of this user', response: { 200: z.object({ status: z.literal('success') }) } },
    },
    async (request, reply) => {
      await sessions.logout(requireIdentity(request).user_id)
      reply.clearCookie(COOKIE, { path: '/' })
      return { status: 'success' as const }
    },
  )
  app.get(
    '/me',
    {
      onRequest: allow('viewer'),
      schema: {
        tags,
        summary: 'Who the token belongs to',
        response: {
          200: z.object({ status: z.literal('success'), data: z.object({ user_id: z.uuid(), username: z.string(), role: Role }) }),
        },
      },
    },
    async (request) => ({ status: 'success' as const, data: requireIdentity(request) }),
  )
}
