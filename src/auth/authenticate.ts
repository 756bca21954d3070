import type { Database } from '../database/client.ts'
import type { ApiKeyScope } from '../facts/api-key-scopes.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessTokens, Identity } from './access-tokens.ts'
import { API_KEY_START, hashApiKey, isApiKey } from './api-key-format.ts'
import { scopesWithin } from './api-keys.ts'
import { Role } from './roles.ts'

/**
 * A valid token is cached for this long: a page of images needs one query, and every process
 * refuses an ended session soon.
 */
const REMEMBER_MS = 1_000
const REMEMBERED = 5_000
/** How exact `last_used_at` of a key is; it costs a write. */
const USED_EVERY_MS = 60_000

export interface AuthenticatorDeps {
  db: Database
  tokens: AccessTokens
  clock: Clock
  sessionDays: number
  requireSecondFactor: RequireSecondFactor
}

/** Which accounts must have a second factor. */
export type RequireSecondFactor = 'none' | 'admin' | 'all'

export interface AuthenticatedIdentity extends Identity {
  /** The role requires a second factor and the user has none yet: they may only set one up. */
  lacks_second_factor: boolean
  /** The key that asks in the name of `user_id`, with what it may do now; null: a person. */
  key: { id: string; scopes: ApiKeyScope[] } | null
}

export interface Authenticator {
  /**
   * Returns whose access token or API key this is; null when it is not ours, has expired, or its
   * login has ended. Synchronous when it is cached.
   */
  authenticate(token: string): AuthenticatedIdentity | null | Promise<AuthenticatedIdentity | null>
  /** Called after a revocation in this process: the next request reads the database again. */
  invalidate(): void
}

/**
 * Reads tokens and API keys and checks whether the login behind them is still active, with the
 * user's present role.
 */
export function createAuthenticator({ db, tokens, clock, sessionDays, requireSecondFactor }: AuthenticatorDeps): Authenticator {
  const remembered = new Map<string, { identity: AuthenticatedIdentity; until: number }>()
  /** Increased by every revocation: a query that began before it must not be cached after it. */
  let generation = 0

  const isRequired = (role: Role) => requireSecondFactor === 'all' || (requireSecondFactor === 'admin' && role === 'admin')

  async function lookUp(token: string, claimed: Identity): Promise<AuthenticatedIdentity | null> {
    const asked = generation
    const session = await db.session.findFirst({
      where: {
        id: claimed.session_id,
        user_id: claimed.user_id,
        ended_at: null,
        created_at: { gt: new Date(clock.now().getTime() - sessionDays * 86_400_000) },
      },
      select: { address: true, user: { select: { username: true, role: true, second_factor: { select: { confirmed_at: true } } } } },
    })
    if (!session) return null
    const { username, second_factor } = session.user
    const role = Role.parse(session.user.role)
    // Without an address: opened on the command line, whose user owns the database.
    const lacks_second_factor = session.address !== null && isRequired(role) && !second_factor?.confirmed_at
    return remember(token, { ...claimed, username, role, lacks_second_factor, key: null }, asked)
  }

  /** A key acts under its own name, with the rights that its maker has left. */
  async function lookUpKey(key: string): Promise<AuthenticatedIdentity | null> {
    const asked = generation
    const now = clock.now()
    const hash = hashApiKey(key)
    const row = await db.apiKey.findFirst({
      where: {
        OR: [
          { key_hash: hash, OR: [{ expires_at: null }, { expires_at: { gt: now } }] },
          { previous_hash: hash, previous_until: { gt: now } },
        ],
      },
      select: { id: true, name: true, scopes: true, last_used_at: true, user: { select: { id: true, role: true } } },
    })
    if (!row) return null
    const { id, name, user } = row
    if (row.last_used_at === null || now.getTime() - row.last_used_at.getTime() >= USED_EVERY_MS) {
      const minute = new Date(Math.floor(now.getTime() / USED_EVERY_MS) * USED_EVERY_MS)
      await db.apiKey.updateMany({ where: { id }, data: { last_used_at: minute } })
    }
    const role = Role.parse(user.role)
    return remember(
      key,
      {
        user_id: user.id,
        username: `key:${name}`,
        role,
        session_id: id,
        lacks_second_factor: false,
        key: { id, scopes: scopesWithin(role, row.scopes) },
      },
      asked,
    )
  }

  function remember(token: string, identity: AuthenticatedIdentity, asked: number): AuthenticatedIdentity {
    if (asked === generation) {
      if (remembered.size >= REMEMBERED) remembered.clear()
      remembered.set(token, { identity, until: performance.now() + REMEMBER_MS })
    }
    return identity
  }

  return {
    authenticate(token) {
      const known = remembered.get(token)
      if (known && known.until > performance.now()) return known.identity
      remembered.delete(token)
      if (token.startsWith(API_KEY_START)) return isApiKey(token) ? lookUpKey(token) : null
      const claimed = tokens.read(token)
      return claimed && lookUp(token, claimed)
    },
    invalidate() {
      generation++
      remembered.clear()
    },
  }
}
