import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { OAuthUnavailableError, type TokenPurpose, tokenError } from './oauth-errors.ts'

export interface IssuedToken {
  accessToken: string
  expiresAt: Date
  issuedAt: Date
  /** Only a code exchange with offline access returns one. */
  refreshToken: string | null
  /** As Zoho names them; null when it names none. */
  scope: string | null
  /** Zoho's own clock; null when the response had no Date header. */
  zohoTime: Date | null
}

/**
 * A larger lifetime is in milliseconds (some older products send that): no Zoho token lives longer
 * than a day.
 */
const LONGEST_LIFE_S = 86_400
const TIMEOUT_MS = 10_000
/**
 * Total timeout: a sender that drips never exceeds the idle timeout above, and all who need a token
 * wait for this request.
 */
export const SIGN_IN_MS = 20_000
const MAX_REPLY_BYTES = 64 * 1024

const TokenReply = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().catch(3600),
  expires_in_sec: z.coerce.number().positive().optional().catch(undefined),
  refresh_token: z.string().min(1).optional().catch(undefined),
  scope: z.string().optional().catch(undefined),
})
const Refusal = z.object({ error: z.string(), error_description: z.string().optional().catch(undefined) })

export interface TokenRequest {
  /**
   * Only from the table in data-centers.ts, or from the environment: this host receives the client
   * secret.
   */
  accountsUrl: string
  purpose: TokenPurpose
  /** grant_type, client_id, client_secret and the parameters of the grant. */
  parameters: Record<string, string>
}

/**
 * Makes one request to the token endpoint and returns its token. Throws ConfigurationError,
 * TokenRateLimitedError or OAuthUnavailableError, each with cause and remedy (Zoho API reference,
 * token errors).
 */
export async function requestToken(
  { accountsUrl, purpose, parameters }: TokenRequest,
  {
    clock,
    dispatcher,
    signal,
    wholeMs = SIGN_IN_MS,
  }: { clock: Clock; dispatcher: Dispatcher; signal?: AbortSignal | undefined; wholeMs?: number | undefined },
): Promise<IssuedToken> {
  let status: number
  let text: string
  let date: string | undefined
  try {
    const reply = await request(`${accountsUrl}/oauth/v2/token`, {
      method: 'POST',
      // In the form body, not the query: query strings end up in access logs.
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(parameters).toString(),
      dispatcher,
      signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(wholeMs)]),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    })
    status = reply.statusCode
    date = typeof reply.headers.date === 'string' ? reply.headers.date : undefined
    text = await readShort(reply.body)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new OAuthUnavailableError('zoho_unreachable', {}, { cause })
  }
  // Errors come with HTTP 200 too, so the body decides and never the status alone.
  const body = parseJson(text)
  const given = TokenReply.safeParse(body)
  if (!given.success) {
    const refusal = Refusal.safeParse(body).data
    throw tokenError({ status, error: refusal?.error, description: refusal?.error_description }, { purpose, now: clock.now() })
  }
  const { access_token, expires_in, expires_in_sec, refresh_token, scope } = given.data
  const seconds = expires_in_sec ?? (expires_in > LONGEST_LIFE_S ? expires_in / 1000 : expires_in)
  const issuedAt = clock.now()
  const zohoTime = date === undefined ? null : new Date(date)
  return {
    accessToken: access_token,
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + seconds * 1000),
    refreshToken: refresh_token ?? null,
    scope: scope ?? null,
    zohoTime: zohoTime && !Number.isNaN(zohoTime.getTime()) ? zohoTime : null,
  }
}

async function readShort(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REPLY_BYTES) throw new Error('the answer does not end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
