import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { API_KEY_START } from '../../auth/api-key-format.ts'
import type { AuthenticatedIdentity, Authenticator } from '../../auth/authenticate.ts'
import type { Role } from '../../auth/roles.ts'
import type { ApiKeyScope } from '../../facts/api-key-scopes.ts'
import { isAtLeast } from '../../facts/roles.ts'
import { ForbiddenError, UnauthorizedError } from '../../lib/errors.ts'
import type { EdgeIdentity, EdgeTokens } from '../../photo-sync/edge-tokens.ts'
import type { Actor } from '../../settings/audit-log.ts'
import { assertSameOrigin, readAccessCookie } from './session-cookies.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated user; null until a token was read. */
    identity: AuthenticatedIdentity | null
    /**
     * The authenticated edge server. It has no identity, so every route that requires a user
     * refuses it.
     */
    edge: EdgeIdentity | null
    /**
     * For long responses: whether the token that opened them is still valid, with the same role.
     */
    isStillAllowed(): Promise<boolean>
  }
  interface FastifyContextConfig {
    /**
     * The route requires no token, and none is read: health must respond when the database does
     * not.
     */
    public?: boolean
    /** A public route that counts towards the request limit of the client's address. */
    limited?: boolean
    /** Who may use a public route, for the documentation; everyone when left out. */
    openTo?: string
    /** Also open to users who must set up their second factor first. */
    withoutSecondFactor?: boolean
    /** The scope that an API key needs for it; without one the route is closed to keys. */
    keyScope?: ApiKeyScope
    /** A signed URL opens the route; otherwise the handler requires a token. */
    signed?: boolean
  }
}

/** One token and nothing after it (RFC 6750). */
const BEARER = /^bearer +([\w.~+/-]+=*)$/i

/**
 * Reads the token of each request, from the header or from the page's cookie. Refuses only requests
 * of foreign pages; `requireRole` refuses the others.
 */
export const authentication = fp<{ authenticator: Authenticator; edgeTokens: EdgeTokens; publicUrl: string | undefined }>(
  async (app, { authenticator, edgeTokens, publicUrl }) => {
    app.decorateRequest('identity', null)
    app.decorateRequest('edge', null)
    app.decorateRequest('isStillAllowed', async function (this: FastifyRequest) {
      const token = BEARER.exec(this.headers.authorization ?? '')?.[1] ?? readAccessCookie(this, publicUrl)
      const now = token === undefined ? null : await authenticator.authenticate(token)
      return now !== null && now.user_id === this.identity?.user_id && now.role === this.identity.role && !now.lacks_second_factor
    })
    app.addHook('onRequest', async (request) => {
      if (request.routeOptions.config.public) return
      const header = request.headers.authorization
      if (header !== undefined) {
        const bearer = BEARER.exec(header)?.[1]
        if (bearer === undefined) return
        request.edge = await edgeTokens.authenticateCached(bearer)
        if (request.edge) return
        request.identity = await authenticator.authenticate(bearer)
        if (!request.identity && !bearer.startsWith(API_KEY_START))
          request.edge = await edgeTokens.authenticate(bearer, { ip: request.ip, request_id: request.id })
        return
      }
      const cookie = readAccessCookie(request, publicUrl)
      // A key in a cookie would be sent by pages that did not ask for it.
      if (cookie === undefined || cookie.startsWith(API_KEY_START)) return
      request.identity = await authenticator.authenticate(cookie)
      if (request.identity && request.method !== 'GET' && request.method !== 'HEAD') assertSameOrigin(request, publicUrl)
    })
  },
  { name: 'authentication' },
)

/**
 * Returns the authenticated user. Throws UnauthorizedError `unauthenticated` with a login command
 * to paste, ForbiddenError for an edge server, for users who must set up their second factor first,
 * and for API keys without the scope of the route.
 */
export function requireIdentity(request: FastifyRequest): AuthenticatedIdentity {
  if (request.identity?.lacks_second_factor && !request.routeOptions.config.withoutSecondFactor)
    throw new ForbiddenError('second_factor_setup_required')
  if (request.identity?.key) requireScope(request, request.identity.key.scopes)
  if (request.identity) return request.identity
  if (request.edge) throw new ForbiddenError('edge_token_not_allowed')
  const url = `${request.protocol}://${request.headers.host ?? '127.0.0.1:8000'}`
  throw new UnauthorizedError('unauthenticated', { url })
}

function requireScope(request: FastifyRequest, scopes: ApiKeyScope[]): void {
  const { keyScope: scope } = request.routeOptions.config
  if (scope === undefined) throw new ForbiddenError('not_for_keys')
  if (!scopes.includes(scope)) throw new ForbiddenError('insufficient_scope', { required_scope: scope })
}

/**
 * A route hook that admits users of this role or a higher one, and their API keys with the scope of
 * the route. It runs before a body is read. `needs` is shown in the API documentation.
 */
export const requireRole = (role: Role): onRequestHookHandler & { needs: Role } =>
  Object.assign(
    async (request: FastifyRequest) => {
      const identity = requireIdentity(request)
      if (!isAtLeast(identity.role, role)) throw new ForbiddenError('forbidden', { role })
    },
    { needs: role },
  )

/**
 * A hook for routes of the photo sync: admits edge servers, and users of this role or a higher one.
 */
export const requireEdgeOrRole = (role: Role): onRequestHookHandler & { needs: Role; edge: true } => {
  const person = requireRole(role)
  return Object.assign(
    async function (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
      if (!request.edge) await person.call(this, request, reply, () => {})
    },
    { needs: role, edge: true as const },
  )
}

/** Returns the id of the reader: the edge server's token or the user. */
export const readerOf = (request: FastifyRequest): string => request.edge?.token_id ?? requireIdentity(request).user_id

/** Returns who sent the request and from where, for the audit log. */
export const actorOf = (request: FastifyRequest): Actor => ({
  actor: requireIdentity(request).username,
  request_id: request.id,
  ip: request.ip,
})
