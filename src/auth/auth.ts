import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Encryption } from '../settings/encryption.ts'
import { createAccessTokens } from './access-tokens.ts'
import { createApiKeys } from './api-keys.ts'
import { createAuthenticator, type RequireSecondFactor } from './authenticate.ts'
import { createLoginRateLimiter } from './login-rate-limit.ts'
import { createPasswords, type PasswordCost } from './passwords.ts'
import type { FirstLogin } from './print-first-login.ts'
import { createSecondFactor } from './second-factor.ts'
import { createSessions } from './sessions.ts'
import { createUsers, ensureAdmin } from './users.ts'

export interface AuthDeps {
  db: Database
  clock: Clock
  /** Newest first. */
  jwtKeys: Buffer[]
  admin: { username: string; password: string | undefined }
  /** A login ends after so many days, however often it is used. */
  sessionDays: number
  requireSecondFactor: RequireSecondFactor
  /** For the secrets of authenticator apps. */
  encryption: Encryption
  passwordCost?: PasswordCost | undefined
  /**
   * Called as soon as the first admin exists, before anything can fail: no copy of a generated
   * password is stored.
   */
  onFirstLogin?(login: FirstLogin): void
}

/**
 * Opens users, their sessions and the check of their tokens. Creates the first admin where there is
 * none.
 */
export async function openAuth({
  db,
  clock,
  jwtKeys,
  admin,
  sessionDays,
  requireSecondFactor,
  encryption,
  passwordCost,
  onFirstLogin,
}: AuthDeps) {
  const passwords = createPasswords(passwordCost)
  const first = await ensureAdmin({ db, passwords }, admin)
  if (first.made) onFirstLogin?.({ username: admin.username, password: first.password })
  const tokens = createAccessTokens(jwtKeys)
  const authenticator = createAuthenticator({ db, tokens, clock, sessionDays, requireSecondFactor })
  const secondFactor = createSecondFactor({ db, encryption, authenticator, clock })
  return {
    authenticator,
    secondFactor,
    apiKeys: createApiKeys({ db, clock, authenticator }),
    sessions: createSessions({
      db,
      tokens,
      authenticator,
      rateLimiter: createLoginRateLimiter({ db, clock }),
      passwords,
      secondFactor,
      clock,
      sessionDays,
    }),
    users: createUsers({ db, authenticator, passwords, clock }),
  }
}
