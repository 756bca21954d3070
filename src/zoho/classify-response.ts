import type { Message } from '../messages/message.ts'
import { inEnglish, message, messageAs, partInEnglish } from '../messages/say.ts'
import type { CallOutcome } from './circuit-breaker.ts'
import { ConfigurationError, errorCodeOf, NO_CODE, ZohoNotFoundError, ZohoRequestError, zohoDetail } from './errors.ts'

/** A response that could not be used; a retry can help. */
export class Fault extends Error {
  readonly code: string
  readonly why: Message
  constructor(code: string, why: Message, options?: ErrorOptions) {
    super(partInEnglish(why), options)
    this.code = code
    this.why = why
  }
}

/** undici's own timeouts, and the signal that limits the whole call. */
export const isLate = (error: unknown): boolean =>
  error instanceof Error && /Timeout/.test(error.name) && error.name !== 'ConnectTimeoutError'
export const tooLate = (cause: unknown) => new Fault('timeout', message('answer_late'), { cause })

/**
 * What a failed attempt says about the service; a call that Zoho refused with a reason was
 * answered.
 */
export function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof Fault) return LIMIT_CODES.has(error.code) ? 'neither' : 'fails'
  return error instanceof TokenRejectedError || error instanceof ZohoNotFoundError || error instanceof ZohoRequestError
    ? 'answers'
    : 'neither'
}

export class TokenRejectedError extends Error {
  readonly code: string
  readonly token: string
  constructor(code: string, token: string) {
    super('the token is refused')
    this.code = code
    this.token = token
  }
}

/**
 * Minute, day and concurrency limits: the rate limiter knows of them by then and holds the next
 * call until there is room (or throws QuotaExceededError).
 */
export const LIMIT_CODES = new Set(['43', '44', '45', '1070', '429'])
/** Statuses that mean that the request itself is wrong, even without a JSON body. */
const REFUSALS = new Set([400, 405, 413, 414])
const TOKEN_CODES = new Set(['14', '57', 'INVALID_TOKEN', 'AUTHENTICATION_FAILURE'])
/** CRM states plainly what code 57 leaves open. */
const SCOPE_CODES = new Set(['OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION'])
/** CRM limits credits in a rolling day and concurrent calls; it does not say when they end. */
export const CRM_LIMITS = new Map([
  ['TOO_MANY_REQUESTS', 60_000],
  ['LIMIT_EXCEEDED', 60 * 60_000],
])

/** The error for a call that is refused even with a new token. */
export function notAuthorized(zohoCode: string, path: string): ConfigurationError {
  const code = errorCodeOf(zohoCode)
  const detail = { path, ...zohoDetail(zohoCode) }
  return new ConfigurationError(
    inEnglish(code === 'scope_missing' ? message('scope_missing', detail) : messageAs(code, 'access_token_refused', detail)),
  )
}

/**
 * Returns the error that an unsuccessful response means. Zoho's code counts more than the status:
 * errors come with HTTP 200 too.
 */
export function classifyResponse(
  path: string,
  status: number,
  code: string | null,
  body: Record<string, unknown> | null,
  token: string,
): Error {
  if (code !== null && LIMIT_CODES.has(code)) return new Fault(code, message('answer_limit'))
  if (code !== null && SCOPE_CODES.has(code)) return notAuthorized(code, path)
  if (status === 401 || (code !== null && TOKEN_CODES.has(code))) return new TokenRejectedError(code ?? NO_CODE, token)
  if (code === '6041') return new ConfigurationError('unknown_organization', zohoDetail(code))
  if (code === '1002' || code === '2006') return new ZohoNotFoundError('not_found_in_zoho', zohoDetail(code))
  if (status === 429) return new Fault('429', message('answer_limit'))
  const refused = REFUSALS.has(status)
  if (status >= 500 || code === '1000' || (body === null && !refused))
    return new Fault(
      code ?? (body === null ? 'not_json' : `http_${status}`),
      body === null ? message('answer_not_json') : message('answer_status', { status }),
    )
  const said = typeof body?.message === 'string' ? body.message.slice(0, 200) : `HTTP ${status}`
  const given = code ?? `http_${status}`
  return new ZohoRequestError(inEnglish(messageAs(errorCodeOf(given), 'call_refused', { path, said, ...zohoDetail(given) })))
}

/** Returns Zoho's code of a body; null where there is none. */
export const codeOf = (body: Record<string, unknown> | null): string | null =>
  typeof body?.code === 'number' || typeof body?.code === 'string' ? String(body.code) : null
