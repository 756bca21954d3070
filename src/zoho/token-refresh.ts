import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { BadGatewayError } from '../lib/errors.ts'
import { requestToken } from './oauth.ts'
import { OAuthUnavailableError, TokenRateLimitedError } from './oauth-errors.ts'

export interface Credentials {
  clientId: string
  clientSecret: string
  refreshToken: string
}

export interface AccessToken {
  value: string
  expiresAt: Date
  issuedAt: Date
  /** The scopes as Zoho named them with the token; null when it named none. */
  scope: string | null
}

/** What one holder of the lock finds and may change. */
export interface TokenSlot {
  stored: AccessToken | null
  /** When tokens were given in the last ten minutes, oldest first. */
  issuedAt: Date[]
  heldUntil: Date | null
  save(token: AccessToken): Promise<void>
  hold(until: Date): Promise<void>
}

/** Where the one access token of all processes is kept. `exclusively` lets one caller at a time look, refresh and save. */
export interface TokenStore {
  read(): Promise<AccessToken | null>
  exclusively<T>(work: (slot: TokenSlot) => Promise<T>): Promise<T>
}

export interface TokensDeps {
  accountsUrl: string
  credentials: Credentials
  store: TokenStore
  clock: Clock
  dispatcher: Dispatcher
  /** The longest that one sign-in may take. */
  wholeMs?: number | undefined
}

/** Renewed this long before its end, so that no call starts with a token that dies under way. */
const EARLY_MS = 5 * 60_000
/** Zoho gives ten tokens in ten minutes for one refresh token, and the next request makes it refuse for longer: one is left for others. */
export const SIGN_IN_WINDOW_MS = 10 * 60_000
const SIGN_INS_PER_WINDOW = 9
/** Tests of the connection leave the rest to the syncs. */
const SIGN_INS_FOR_TESTS = 6
/** What is temporary is tried again, outside of the lock, after these pauses. */
const PAUSES_MS = [500, 2_000]

/**
 * The access token of a set of credentials, shared by all processes and refreshed under a lock.
 * `current(refused)` gives one that is not `refused`, so 200 calls that drew a 401 with the same token refresh once.
 */
export function createTokens({ accountsUrl, credentials, store, clock, dispatcher, wholeMs }: TokensDeps) {
  let cached: AccessToken | null = null
  let refreshing: Promise<AccessToken> | null = null

  /** A token of short life counts to nine tenths of it, or each call would bring a new one. */
  const early = (token: AccessToken) => Math.min(EARLY_MS, (token.expiresAt.getTime() - token.issuedAt.getTime()) / 10)
  const lives = (token: AccessToken | null, refused?: string): token is AccessToken =>
    token !== null && token.value !== refused && token.expiresAt.getTime() - clock.now().getTime() > early(token)

  /** Asks Zoho unless `enough` holds for the stored token, which another process may have brought meanwhile. */
  async function refreshOnce(
    enough: (stored: AccessToken | null) => stored is AccessToken,
    perWindow = SIGN_INS_PER_WINDOW,
  ): Promise<AccessToken> {
    // What Zoho refused is an answer here and not an exception: the note of it is to be committed with the lock.
    const outcome = await store.exclusively(async (slot): Promise<AccessToken | BadGatewayError> => {
      if (enough(slot.stored)) return slot.stored
      const now = clock.now().getTime()
      if (slot.heldUntil && slot.heldUntil.getTime() > now) return new TokenRateLimitedError(slot.heldUntil)
      const window = slot.issuedAt.filter((at) => now - at.getTime() < SIGN_IN_WINDOW_MS)
      const oldest = window.at(-perWindow)
      if (oldest) return new TokenRateLimitedError(new Date(oldest.getTime() + SIGN_IN_WINDOW_MS))
      try {
        const { accessToken, expiresAt, issuedAt, scope } = await requestToken(
          { accountsUrl, purpose: 'refresh', parameters: refreshGrant(credentials) },
          { clock, dispatcher, wholeMs },
        )
        const token = { value: accessToken, expiresAt, issuedAt, scope }
        await slot.save(token)
        return token
      } catch (error) {
        if (!(error instanceof BadGatewayError)) throw error
        if (error instanceof TokenRateLimitedError) await slot.hold(error.resetsAt)
        return error
      }
    })
    if (outcome instanceof BadGatewayError) throw outcome
    return outcome
  }

  async function refresh(enough: (stored: AccessToken | null) => stored is AccessToken, perWindow?: number): Promise<AccessToken> {
    for (let tries = 0; ; tries++) {
      try {
        return await refreshOnce(enough, perWindow)
      } catch (error) {
        const pauseMs = PAUSES_MS[tries]
        if (!(error instanceof OAuthUnavailableError) || pauseMs === undefined) throw error
        await clock.sleep(pauseMs)
      }
    }
  }

  return {
    async current(refused?: string): Promise<string> {
      if (lives(cached, refused)) return cached.value
      refreshing ??= refresh((stored) => lives(stored, refused)).finally(() => (refreshing = null))
      cached = await refreshing
      return cached.value
    },

    /**
     * Signs in although the token is valid, so that it is known whether the credentials work: a valid token hides a revoked refresh token.
     * Where the limit of sign-ins forbids it, the valid token stays and `notUntil` is the time when the limit ends.
     */
    async renew(): Promise<{ notUntil: Date | null }> {
      const never = (_stored: AccessToken | null): _stored is AccessToken => false
      try {
        cached = await refresh(never, SIGN_INS_FOR_TESTS)
        return { notUntil: null }
      } catch (error) {
        if (!(error instanceof TokenRateLimitedError)) throw error
        const stored = await store.read()
        if (!lives(stored)) throw error
        cached = stored
        return { notUntil: error.resetsAt }
      }
    },
  }
}
export type Tokens = ReturnType<typeof createTokens>

const refreshGrant = ({ clientId, clientSecret, refreshToken }: Credentials) => ({
  grant_type: 'refresh_token',
  client_id: clientId,
  client_secret: clientSecret,
  refresh_token: refreshToken,
})
