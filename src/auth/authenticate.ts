import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessTokens, Identity } from './access-tokens.ts'
import { Role } from './roles.ts'

/** A token that was found good is not looked up again for this long: a page of pictures asks once, an ended session is refused in time everywhere. */
const REMEMBER_MS = 1_000
const REMEMBERED = 5_000

export interface AuthenticatorDeps {
  db: Database
  tokens: AccessTokens
  clock: Clock
  sessionDays: number
  requireSecondFactor: RequireSecondFactor
}

/** Whose accounts must have a second factor. */
export type RequireSecondFactor = 'none' | 'admin' | 'all'

export interface AuthenticatedIdentity extends Identity {
  /** The role asks for a second factor and the person has none yet: they may only set one up. */
  lacks_second_factor: boolean
}

export interface Authenticator {
  /** Who a token belongs to now; null when it is not ours, has expired, or its login has ended. Answers at once when it knows. */
  authenticate(token: string): AuthenticatedIdentity | null | Promise<AuthenticatedIdentity | null>
  /** After something was revoked in this process: the next request asks again. */
  invalidate(): void
}

/** Reads tokens and asks whether the login behind them still stands, with the role that the person has now. */
export function createAuthenticator({ db, tokens, clock, sessionDays, requireSecondFactor }: AuthenticatorDeps): Authenticator {
  const remembered = new Map<string, { identity: AuthenticatedIdentity; until: number }>()
  /** Rises with every revocation: an answer that was asked for before it must not be remembered after it. */
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
