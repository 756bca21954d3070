import type { CallOutcome } from './circuit-breaker.ts'
import { ConfigurationError, errorCodeOf, NO_CODE, ZohoNotFoundError, ZohoRequestError, zohoDetail } from './errors.ts'

/** One answer that was not usable; asking again can help. */
export class Fault extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** undici's own limits, and the signal of the whole time. */
export const isLate = (error: unknown): boolean =>
  error instanceof Error && /Timeout/.test(error.name) && error.name !== 'ConnectTimeoutError'
export const tooLate = (cause: unknown) => new Fault('timeout', 'the answer took too long', { cause })

/** What a try that threw says about the service; what was refused with reason is an answer. */
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

/** Minute, day and calls in flight: the budget knows of them by then and holds the next call back until there is room (or throws QuotaExceededError). */
export const LIMIT_CODES = new Set(['43', '44', '45', '1070', '429'])
/** Statuses that say that the call itself is wrong, also without JSON. */
const REFUSALS = new Set([400, 405, 413, 414])
const TOKEN_CODES = new Set(['14', '57', 'INVALID_TOKEN', 'AUTHENTICATION_FAILURE'])
/** CRM says plainly what 57 leaves open. */
const SCOPE_CODES = new Set(['OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION'])
/** CRM's own limits are credits of a rolling day and calls at once; they come without a time. */
export const CRM_LIMITS = new Map([
  ['TOO_MANY_REQUESTS', 60_000],
  ['LIMIT_EXCEEDED', 60 * 60_000],
])

/** What stays refused with a new token. */
export function notAuthorized(zohoCode: string, path: string): ConfigurationError {
  const code = errorCodeOf(zohoCode)
  const detail = { path, ...zohoDetail(zohoCode) }
  if (code !== 'scope_missing')
    return new ConfigurationError(code, 'Zoho refuses the access token, also a new one', {
      detail,
      remedy: 'Check the data centre, then connect to Zoho again.',
    })
  return new ConfigurationError(code, 'Zoho does not allow this: a scope or a permission is missing', {
    detail,
    remedy:
      'Connect to Zoho again with every scope of the line that GET /api/settings/integrations/zoho/scopes shows, and check the data centre. POST /api/settings/integrations/zoho/test names the scope that is missing.',
  })
}

/** What an answer that is no success means. Zoho's codes count more than the status: errors come with HTTP 200 too. */
export function classifyResponse(
  path: string,
  status: number,
  code: string | null,
  body: Record<string, unknown> | null,
  token: string,
): Error {
  if (code !== null && LIMIT_CODES.has(code)) return new Fault(code, 'a limit of Zoho')
  if (code !== null && SCOPE_CODES.has(code)) return notAuthorized(code, path)
  if (status === 401 || (code !== null && TOKEN_CODES.has(code))) return new TokenRejectedError(code ?? NO_CODE, token)
  if (code === '6041') {
    return new ConfigurationError(errorCodeOf(code), 'Zoho does not know this organisation, or the account does not belong to it', {
      detail: zohoDetail(code),
      remedy:
        'Choose one of GET /api/settings/integrations/zoho/organizations, or check ZOHO_ORGANIZATION_ID; Zoho shows it under Settings → Organization Profile.',
    })
  }
  if (code === '1002' || code === '2006') return new ZohoNotFoundError('such record', code)
  if (status === 429) return new Fault('429', 'a limit of Zoho')
  const refused = REFUSALS.has(status)
  if (status >= 500 || code === '1000' || (body === null && !refused))
    return new Fault(
      code ?? (body === null ? 'not_json' : `http_${status}`),
      body === null ? 'not JSON (a page, or cut)' : `HTTP ${status}`,
    )
  const message = typeof body?.message === 'string' ? body.message.slice(0, 200) : `HTTP ${status}`
  const given = code ?? `http_${status}`
  return new ZohoRequestError(errorCodeOf(given), `Zoho refuses the call: ${message}`, {
    detail: { path, ...zohoDetail(given) },
    remedy: 'This is likely an error of zinc or a change at Zoho. Nothing was changed; the log of calls shows it.',
  })
}

/** Zoho's code in a body; null where there is none. */
export const codeOf = (body: Record<string, unknown> | null): string | null =>
  typeof body?.code === 'number' || typeof body?.code === 'string' ? String(body.code) : null
