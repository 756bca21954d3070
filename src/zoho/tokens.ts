import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { UpstreamFailed } from '../errors.ts'
import { signInFailure } from './failures.ts'

export interface Credentials {
  clientId: string
  clientSecret: string
  refreshToken: string
}

export interface AccessToken {
  value: string
  expiresAt: Date
}

/** Where the one access token of all processes is kept. `exclusively` lets one caller at a time look, refresh and save. */
export interface TokenStore {
  read(): Promise<AccessToken | null>
  exclusively<T>(work: (stored: AccessToken | null, save: (token: AccessToken) => Promise<void>) => Promise<T>): Promise<T>
}

export interface TokensDeps {
  accountsUrl: string
  credentials: Credentials
  store: TokenStore
  clock: Clock
  dispatcher: Dispatcher
}

/** Renewed this long before its end, so that no call starts with a token that dies under way. */
const EARLY_MS = 5 * 60_000
/** A larger lifetime is in milliseconds (some older products answer so): no token of Zoho's lives longer than a day. */
const LONGEST_LIFE_S = 86_400

const TokenReply = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().catch(3600),
  expires_in_sec: z.coerce.number().positive().optional(),
})
const TokenRefusal = z.object({ error: z.string() })

/**
 * The access token of a set of credentials, shared by all processes and refreshed under a lock.
 * `current(refused)` gives one that is not `refused`, so 200 calls that drew a 401 with the same token refresh once.
 */
export function createTokens({ accountsUrl, credentials, store, clock, dispatcher }: TokensDeps) {
  let cached: AccessToken | null = null
  let refreshing: Promise<AccessToken> | null = null

  const usable = (token: AccessToken | null, refused?: string): token is AccessToken =>
    token !== null && token.value !== refused && token.expiresAt.getTime() - clock.now().getTime() > EARLY_MS

  async function refresh(refused: string | undefined): Promise<AccessToken> {
    return store.exclusively(async (stored, save) => {
      if (usable(stored, refused)) return stored // another process was quicker
      const token = await askForToken()
      await save(token)
      return token
    })
  }

  async function askForToken(): Promise<AccessToken> {
    // In the form body, not the query: query strings land in access logs.
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
      refresh_token: credentials.refreshToken,
    }).toString()
    const reply = await request(`${accountsUrl}/oauth/v2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      dispatcher,
      headersTimeout: 15_000,
      bodyTimeout: 15_000,
    }).catch((cause: Error) => {
      throw new UpstreamFailed('zoho_unreachable', 'Zoho cannot be reached to sign in', {
        cause,
        remedy: 'Check the network of this machine; zinc tries again.',
      })
    })
    const text = await reply.body.text()
    // Errors come with HTTP 200 too, so the body decides and never the status alone.
    const parsed = TokenReply.safeParse(parseJson(text))
    if (parsed.success) {
      const { access_token, expires_in, expires_in_sec } = parsed.data
      const seconds = expires_in_sec ?? (expires_in > LONGEST_LIFE_S ? expires_in / 1000 : expires_in)
      return { value: access_token, expiresAt: new Date(clock.now().getTime() + seconds * 1000) }
    }
    throw signInFailure(TokenRefusal.safeParse(parseJson(text)).data?.error ?? `http_${reply.statusCode}`)
  }

  return {
    async current(refused?: string): Promise<string> {
      if (usable(cached, refused)) return cached.value
      refreshing ??= refresh(refused).finally(() => (refreshing = null))
      cached = await refreshing
      return cached.value
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
