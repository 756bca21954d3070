import { BadGatewayError } from '../lib/errors.ts'
import { type MessageKey, message } from '../messages/say.ts'
import { ConfigurationError, RateLimitedError } from './errors.ts'

/** Purpose of a token request; the same code means different things for each. */
export type TokenPurpose = 'refresh' | 'exchange'

/**
 * Zoho accepts no token requests from these credentials for a while: ten minutes by its
 * documentation, fifteen and more by reports of users.
 */
export class TokenRateLimitedError extends RateLimitedError {
  constructor(until: Date, { said }: { said?: string } = {}) {
    const facts = { until: until.toISOString(), ...(said !== undefined && { zoho: said.slice(0, 200) }) }
    super(message('access_denied', facts), until)
  }
}

/** The token endpoint itself fails; the credentials may be right. Retry soon. */
export class OAuthUnavailableError<K extends MessageKey = MessageKey> extends BadGatewayError<K> {}

export const HOLD_MS = 15 * 60_000

/** Zoho's codes that say what is wrong with the credentials; they are codes of ours too. */
const REFUSALS = [
  'invalid_client',
  'invalid_client_secret',
  'invalid_code',
  'invalid_grant',
  'invalid_redirect_uri',
  'unauthorized_client',
  'invalid_scope',
] as const

export const notSetUp = (missing: string[]): ConfigurationError => new ConfigurationError('not_set_up', { missing })

export interface TokenRejection {
  status: number
  /** The `error` of the response; undefined when the body was not JSON of that shape. */
  error: string | undefined
  description: string | undefined
}

/**
 * Returns the error that a response without an access token means. Zoho's texts are localised and
 * spelled in variants, so only known codes are trusted. An unknown text counts as a rate limit:
 * never as a success, and never as a reason to ask again immediately.
 */
export function tokenError(
  { status, error, description }: TokenRejection,
  { purpose, now }: { purpose: TokenPurpose; now: Date },
): BadGatewayError {
  const known = REFUSALS.find((it) => it === error)
  if (known) return new ConfigurationError(known === 'invalid_code' && purpose === 'exchange' ? 'invalid_code.exchange' : known)
  if (status >= 500 || error === undefined) {
    return new OAuthUnavailableError('oauth_unavailable', { status })
  }
  if (error === 'general_error') {
    return new OAuthUnavailableError('general_error')
  }
  return new TokenRateLimitedError(new Date(now.getTime() + HOLD_MS), { said: description ?? error })
}
