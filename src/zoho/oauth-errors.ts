import { BadGatewayError } from '../lib/errors.ts'
import { ConfigurationError, RateLimitedError } from './errors.ts'

/** What a request to the token endpoint was for; the same code means different things. */
export type TokenPurpose = 'refresh' | 'exchange'

/** Zoho wants no more sign-ins from these credentials for a while. Ten minutes by its documents, people report fifteen and more. */
export class TokenRateLimitedError extends RateLimitedError {
  constructor(until: Date, { said }: { said?: string } = {}) {
    super('access_denied', 'Zoho gives no more access tokens just now: it had too many requests for them', until, {
      detail: { until: until.toISOString(), ...(said !== undefined && { zoho: said.slice(0, 200) }) },
      remedy: `zinc signs in again by itself after ${until.toISOString()}. Do not press Test until then: each try makes Zoho wait longer. Other programs with the same refresh token use up the same ten tokens in ten minutes.`,
    })
  }
}

/** The token endpoint itself is ill; the credentials may be fine. Worth another try soon. */
export class OAuthUnavailableError extends BadGatewayError {}

export const HOLD_MS = 15 * 60_000

const CONNECT_AGAIN = 'Connect to Zoho again ("Connect to Zoho", or a new self-client code).'

const REFUSALS: Record<string, { cause: string; remedy: string }> = {
  invalid_client: {
    cause: 'Zoho does not know this client id in this data centre',
    remedy:
      'Compare client_id with the Zoho API console, and the data centre with the address of your console (api-console.zoho.eu means eu).',
  },
  invalid_client_secret: {
    cause: 'The client secret is not the one of this client id',
    remedy:
      'Copy the client secret again from the Zoho API console of your data centre; clients for several data centres have one secret each.',
  },
  invalid_code: {
    cause: 'Zoho does not take the refresh token: it was revoked, or belongs to another client or data centre',
    remedy: `${CONNECT_AGAIN} A changed password, a removed user or a 21st refresh token of the same user ends old ones.`,
  },
  invalid_grant: {
    cause: 'Zoho does not take the refresh token as a grant: it was revoked or is no refresh token',
    remedy: `${CONNECT_AGAIN} Check that refresh_token is not an access token or a grant code.`,
  },
  invalid_redirect_uri: {
    cause: 'The address that Zoho sends people back to is not the registered one',
    remedy:
      'Register the redirect address that GET /api/settings/integrations/zoho/scopes shows with your client in the Zoho API console, and check PUBLIC_URL.',
  },
  unauthorized_client: {
    cause: 'This client may not sign in this way',
    remedy: 'Make a client of the kind "Self Client" or "Server-based" in the Zoho API console and use its id and secret.',
  },
  invalid_scope: {
    cause: 'Zoho does not know one of the scopes',
    remedy: 'Use exactly the line that GET /api/settings/integrations/zoho/scopes shows.',
  },
}
const EXCHANGE_REFUSALS: typeof REFUSALS = {
  invalid_code: {
    cause: 'Zoho does not take the code: it was used already, is older than its few minutes, or belongs to another client or data centre',
    remedy:
      'Generate a new code and paste it at once; choose 10 minutes in the Zoho API console. Check the client id and the data centre if it stays.',
  },
}

export function notSetUp(missing: string[]): ConfigurationError {
  return new ConfigurationError(
    'not_set_up',
    `Zoho is not set up yet: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    {
      detail: { missing },
      remedy: `Set ${missing.join(', ')} on the settings page, with POST /api/settings/integrations/zoho, or as ${missing.map((it) => `ZOHO_${it.toUpperCase()}`).join(', ')} in .env and start zinc again.`,
    },
  )
}

export interface TokenRejection {
  status: number
  /** The reply's `error`; undefined when the body was not JSON of that shape. */
  error: string | undefined
  description: string | undefined
}

/**
 * What a reply without an access token means. Zoho's texts are localised and spelled in variants, so only known codes are taken at their word;
 * an unknown text is a wish to be left alone for a while, never a success and never a reason to ask again at once.
 */
export function tokenError(
  { status, error, description }: TokenRejection,
  { purpose, now }: { purpose: TokenPurpose; now: Date },
): BadGatewayError {
  const known = error === undefined ? undefined : ((purpose === 'exchange' ? EXCHANGE_REFUSALS[error] : undefined) ?? REFUSALS[error])
  if (error !== undefined && known) return new ConfigurationError(error, known.cause, { remedy: known.remedy })
  if (status >= 500 || error === undefined) {
    return new OAuthUnavailableError(
      'oauth_unavailable',
      `Zoho's sign-in does not work just now: it answered with status ${status} and no token`,
      {
        remedy: 'zinc tries again by itself. If it stays, see status.zoho.com.',
      },
    )
  }
  if (error === 'general_error') {
    return new OAuthUnavailableError('general_error', 'Zoho could not sign zinc in and does not say why', {
      remedy: 'zinc tries again by itself. If it stays for an hour, connect to Zoho again.',
    })
  }
  return new TokenRateLimitedError(new Date(now.getTime() + HOLD_MS), { said: description ?? error })
}
