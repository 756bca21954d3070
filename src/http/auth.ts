import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { AccessTokens, Identity } from '../access/tokens.ts'
import type { Role } from '../access/users.ts'
import { Forbidden, Unauthorized } from '../errors.ts'
import type { Actor } from '../settings/audit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null until a token was read. */
    identity: Identity | null
  }
}

export const COOKIE = 'zinc_session'
const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 }

const LOGIN_LINE = `curl -s -X POST -H 'Content-Type: application/json' -d '{"username":"admin","password":"…"}' URL/api/v1/auth/login`

/** Reads the token of each request, from the header or from the page's cookie. Refuses nothing: `allow` does. */
export const authentication = fp<{ tokens: AccessTokens }>(
  async (app, { tokens }) => {
    app.decorateRequest('identity', null)
    app.addHook('onRequest', async (request) => {
      const [scheme, bearer] = (request.headers.authorization ?? '').split(' ')
      if (scheme?.toLowerCase() === 'bearer' && bearer) request.identity = tokens.read(bearer)
      else if (request.cookies[COOKIE]) {
        request.identity = tokens.read(request.cookies[COOKIE])
        if (request.identity && request.method !== 'GET' && request.method !== 'HEAD') refuseForeignPage(request)
      }
    })
  },
  { name: 'authentication' },
)

/** A cookie is sent by the browser whoever wrote the page: changes must come from our own. */
function refuseForeignPage(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  const own =
    site === 'same-origin' ||
    site === 'none' ||
    (site === undefined && origin !== undefined && new URL(origin).host === request.headers.host)
  if (!own)
    throw new Forbidden('cross_site', 'This change did not come from the page of zinc', {
      remedy: 'Use the page itself, or a Bearer token.',
    })
}

export function requireIdentity(request: FastifyRequest): Identity {
  if (request.identity) return request.identity
  const url = `${request.protocol}://${request.headers.host ?? '127.0.0.1:8000'}`
  throw new Unauthorized('login_required', 'A valid token is required', {
    remedy: `${LOGIN_LINE.replace('URL', url)}   # then: -H "Authorization: Bearer <access_token>"`,
  })
}

/** A hook for routes: lets in people of this role or a higher one. */
export const allow =
  (role: Role): onRequestHookHandler =>
  async (request) => {
    const identity = requireIdentity(request)
    if (RANK[identity.role] < RANK[role])
      throw new Forbidden('role_too_low', `This needs the role ${role}`, { remedy: 'Ask an admin to do it, or for the role.' })
  }

/** Who asks and from where, for the audit log. */
export const actorOf = (request: FastifyRequest): Actor => ({
  actor: requireIdentity(request).username,
  request_id: request.id,
  ip: request.ip,
})
