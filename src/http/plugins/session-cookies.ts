import type { FastifyReply, FastifyRequest } from 'fastify'
import { ForbiddenError } from '../../lib/errors.ts'

/**
 * The page's tokens. Over https the names begin with `__Host-`, which the browser lets neither a
 * sibling domain nor plain http set. The refresh token is sent only to the login endpoints.
 */
const ACCESS = { secure: '__Host-zinc_session', plain: 'zinc_session', path: '/' }
const REFRESH = { secure: '__Secure-zinc_refresh', plain: 'zinc_refresh', path: '/api/v1/auth' }
const REFRESH_SECONDS = 30 * 86_400

type Kind = typeof ACCESS | typeof REFRESH

/**
 * Over https only the `__Host-` name counts: anyone on the network, or a sibling domain, can set
 * the plain one.
 */
const read = (request: FastifyRequest, { secure, plain }: Kind, publicUrl: string | undefined): string | undefined =>
  request.cookies[overHttps(request, publicUrl) ? secure : plain]
export const readAccessCookie = (request: FastifyRequest, publicUrl: string | undefined): string | undefined =>
  read(request, ACCESS, publicUrl)
export const readRefreshCookie = (request: FastifyRequest, publicUrl: string | undefined): string | undefined =>
  read(request, REFRESH, publicUrl)

/**
 * Whether the browser uses https, even when a proxy that is not named in TRUSTED_PROXIES terminates
 * it in front of the public URL.
 */
export function overHttps(request: FastifyRequest, publicUrl: string | undefined): boolean {
  if (request.protocol === 'https') return true
  const url = publicUrl === undefined ? null : new URL(publicUrl)
  return url?.protocol === 'https:' && url.host === request.headers.host
}

function set(reply: FastifyReply, kind: Kind, value: string, { secure, maxAge }: { secure: boolean; maxAge: number }): void {
  reply.setCookie(secure ? kind.secure : kind.plain, value, { httpOnly: true, sameSite: 'strict', path: kind.path, secure, maxAge })
}

/** `refresh_token` null: the browser has the newest already. */
export function setCookies(
  request: FastifyRequest,
  reply: FastifyReply,
  { access_token, expires_in, refresh_token }: { access_token: string; expires_in: number; refresh_token: string | null },
  publicUrl: string | undefined,
): void {
  const secure = overHttps(request, publicUrl)
  set(reply, ACCESS, access_token, { secure, maxAge: expires_in })
  if (refresh_token !== null) set(reply, REFRESH, refresh_token, { secure, maxAge: REFRESH_SECONDS })
}

export function clearCookies(reply: FastifyReply): void {
  for (const kind of [ACCESS, REFRESH]) {
    reply.clearCookie(kind.plain, { path: kind.path, httpOnly: true, sameSite: 'strict' })
    reply.clearCookie(kind.secure, { path: kind.path, httpOnly: true, sameSite: 'strict', secure: true })
  }
}

/**
 * A browser sends a cookie whichever page made the request, so changes must come from our own page.
 * Browsers say so in Sec-Fetch-Site; older ones in Origin. A request with neither is not from a
 * browser and must not use a cookie. Throws ForbiddenError `csrf_rejected`.
 */
export function assertSameOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  const ownOrigin = origin !== undefined && isOwnOrigin(origin, request, publicUrl)
  // Without Sec-Fetch-Site, a page of the same host with another scheme is another origin, too.
  const ownScheme = origin !== undefined && URL.parse(origin)?.protocol === (overHttps(request, publicUrl) ? 'https:' : 'http:')
  if (site === undefined ? ownOrigin && ownScheme : site === 'same-origin' && (origin === undefined || ownOrigin)) return
  throw new ForbiddenError('csrf_rejected')
}

function isOwnOrigin(origin: string, request: FastifyRequest, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false // `null` from a sandboxed page
  const { host } = new URL(origin)
  return host === request.headers.host || host === request.host || (publicUrl !== undefined && host === new URL(publicUrl).host)
}
