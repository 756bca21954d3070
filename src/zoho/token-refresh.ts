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
  /** The scopes that Zoho returned with the token; null when it returned none. */
  scope: string | null
}

/** What the holder of the lock reads and may change. */
export interface TokenSlot {
  stored: AccessToken | null
  /** When tokens were issued in the last ten minutes, oldest first. */
  issuedAt: Date[]
  heldUntil: Date | null
  save(token: AccessToken): Promise<void>
  hold(until: Date): Promise<void>
}

/**
 * Stores the one access token of all processes. `exclusively` lets one caller at a time read,
 * refresh and save it.
 */
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
  /** The longest that one token request may take. */
  wholeMs?: number | undefined
}

/** A token is renewed this long before it expires, so that it does not expire during a call. */
const EARLY_MS = 5 * 60_000
/**
 * Zoho issues ten tokens in ten minutes for one refresh token and blocks longer after the next
 * request: one is left for other programs.
 */
export const SIGN_IN_WINDOW_MS = 10 * 60_000
const SIGN_INS_PER_WINDOW = 9
/** Connection tests leave the rest to the syncs. */
const SIGN_INS_FOR_TESTS = 6
/** Pauses before the retries of temporary failures, made outside the lock. */
const PAUSES_MS = [500, 2_000]

/**
 * Returns the access token of a set of credentials, shared by all processes and refreshed under a
 * lock. `current(refused)` returns one that is not `refused`, so 200 calls that got a 401 with the
 * same token cause one refresh.
 */
export function createTokens({ accountsUrl, credentials, store, clock, dispatcher, wholeMs }: TokensDeps) {
  let cached: AccessToken | null = null
  let refreshing: Promise<AccessToken> | null = null

  /**
   * A short-lived token is used for nine tenths of its life; otherwise each call would request a
   * new one.
   */
  const early = (token: AccessToken) => Math.min(EARLY_MS, (token.expiresAt.getTime() - token.issuedAt.getTime()) / 10)
  const lives = (token: AccessToken | null, refused?: string): token is AccessToken =>
    token !== null && token.value !== refused && token.expiresAt.getTime() - clock.now().getTime() > early(token)

  /**
   * Requests a token from Zoho unless `enough` is true for the stored one, which another process
   * may have saved meanwhile.
   */
  async function refreshOnce(
    enough: (stored: AccessToken | null) => stored is AccessToken,
    perWindow = SIGN_INS_PER_WINDOW,
  ): Promise<AccessToken> {
    // A refusal by Zoho is returned here rather than thrown, so that its record is committed with
    // the lock.
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
     * Requests a new token although the stored one is valid, to learn whether the credentials work:
     * a valid token hides a revoked refresh token. When the limit of token requests forbids it, the
     * valid token stays and `notUntil` is when the limit ends.
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
