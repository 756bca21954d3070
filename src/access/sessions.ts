import type { Clock } from '../clock.ts'
import type { Database } from '../db.ts'
import { TooManyRequests, Unauthorized } from '../errors.ts'
import { passwordMatches } from './passwords.ts'
import { type AccessTokens, hashRefreshToken, type Identity, newRefreshToken } from './tokens.ts'
import { Role } from './users.ts'

const REFRESH_MS = 30 * 86_400_000
const WINDOW_MS = 15 * 60_000
/** Failed logins within the window before further ones wait: by account, so that a guess stays a guess; by address, so that accounts cannot be tried in a row. */
const MAX_FAILURES = { user: 10, address: 30 }

export interface SessionsDeps {
  db: Database
  tokens: AccessTokens
  clock: Clock
}

export interface Session {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  role: Role
}

export type Sessions = ReturnType<typeof createSessions>

/** Login, refresh and logout. Refresh tokens rotate: one that was used is gone. */
export function createSessions({ db, tokens, clock }: SessionsDeps) {
  async function open(identity: Identity): Promise<Session> {
    const refresh_token = newRefreshToken()
    await db.refreshToken.create({
      data: {
        user_id: identity.user_id,
        token_hash: hashRefreshToken(refresh_token),
        expires_at: new Date(clock.now().getTime() + REFRESH_MS),
      },
    })
    return { access_token: tokens.issue(identity), token_type: 'Bearer', expires_in: tokens.expiresIn, refresh_token, role: identity.role }
  }

  return {
    /** Throws Unauthorized `wrong_credentials` for an unknown name and a wrong password alike, TooManyRequests after many. */
    async login({ username, password, address }: { username: string; password: string; address: string }): Promise<Session> {
      const subjects = { user: `user:${username}`, address: `address:${address}` }
      const since = new Date(clock.now().getTime() - WINDOW_MS)
      for (const kind of ['user', 'address'] as const) {
        const failures = await db.loginFailure.count({ where: { subject: subjects[kind], at: { gt: since } } })
        if (failures >= MAX_FAILURES[kind])
          throw new TooManyRequests('too_many_logins', 'Too many failed logins', {
            retryAfterMs: 60_000,
            remedy: 'Wait a few minutes and try again.',
          })
      }
      const user = await db.appUser.findUnique({ where: { username } })
      if (!(await passwordMatches(user?.password_hash ?? null, password)) || !user) {
        await db.loginFailure.createMany({ data: Object.values(subjects).map((subject) => ({ subject, at: clock.now() })) })
        throw new Unauthorized('wrong_credentials', 'Wrong username or password', {
          remedy: 'Check both. The first password is printed once at the first start; ADMIN_PASSWORD sets it.',
        })
      }
      await db.loginFailure.deleteMany({ where: { subject: subjects.user } })
      return open({ user_id: user.id, username: user.username, role: Role.parse(user.role) })
    },

    async refresh(refreshToken: string): Promise<Session> {
      const token_hash = hashRefreshToken(refreshToken)
      // Delete and look in one statement: of two requests with one token, one wins.
      const [row] = await db.$queryRaw<
        { user_id: string; expires_at: Date }[]
      >`delete from refresh_token where token_hash = ${token_hash} returning user_id, expires_at`
      const user = row && row.expires_at > clock.now() ? await db.appUser.findUnique({ where: { id: row.user_id } }) : null
      if (!user) throw new Unauthorized('refresh_token_invalid', 'The refresh token is not valid any more', { remedy: 'Log in again.' })
      return open({ user_id: user.id, username: user.username, role: Role.parse(user.role) })
    },

    async logout(userId: string): Promise<void> {
      await db.refreshToken.deleteMany({ where: { user_id: userId } })
    },
  }
}
