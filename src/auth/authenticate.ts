import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessTokens, Identity } from './access-tokens.ts'
import { Role } from './roles.ts'

/**
 * A valid token is cached for this long: a page of images needs one query, and every process
 * refuses an ended session soon.
 */
const REMEMBER_MS = 1_000
const REMEMBERED = 5_000

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
}

export interface Authenticator {
  /**
   * Returns whose token this is; null when it is not ours, has expired, or its login has ended.
   * Synchronous when it is cached.
   */
  authenticate(token: string): AuthenticatedIdentity | null | Promise<AuthenticatedIdentity | null>
  /** Called after a revocation in this process: the next request reads the database again. */
  invalidate(): void
}

/**
 * Reads tokens and checks whether the login behind them is still active, with the user's present
 * role.
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
    const identity = { ...claimed, username, role, lacks_second_factor }
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
      const claimed = tokens.read(token)
      return claimed && lookUp(token, claimed)
    },
    invalidate() {
      generation++
      remembered.clear()
    },
  }
}
