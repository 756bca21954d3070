import type { Database, Db } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { NotFoundError, UnauthorizedError } from '../lib/errors.ts'
import { cleanUsername } from '../schemas/auth.ts'
import { type Actor, recordAudit, recordRefusedLogin } from '../settings/audit-log.ts'
import { type AccessTokens, hashRefreshToken, newRefreshToken } from './access-tokens.ts'
import type { Authenticator } from './authenticate.ts'
import { type LoginRateLimiter, toNetworkPrefix } from './login-rate-limit.ts'
import type { Passwords } from './passwords.ts'
import { Role } from './roles.ts'
import { invalidCode, type Proof, type SecondFactor } from './second-factor.ts'

export const REFRESH_MS = 30 * 86_400_000
/**
 * Two tabs of a browser may refresh at the same moment with their shared cookie; that is no theft.
 */
const SAME_MOMENT_MS = 10_000
const DAY_MS = 86_400_000
/** Longer ones tell a person nothing more. */
const MAX_USER_AGENT = 300
const CHALLENGE_MS = 5 * 60_000

export interface SessionsDeps {
  db: Database
  tokens: AccessTokens
  authenticator: Authenticator
  rateLimiter: LoginRateLimiter
  passwords: Passwords
  secondFactor: SecondFactor
  clock: Clock
  sessionDays: number
}

export interface Session {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  role: Role
}

export interface CurrentUser {
  id: string
  username: string
  role: string
}

export interface Origin {
  address: string
  userAgent?: string | undefined
  requestId: string | null
}

/** A login from a browser, whose previous session ends. */
export interface BrowserLogin extends Origin {
  browser?: string | undefined
  replacesBrowser?: boolean
}

export type Sessions = ReturnType<typeof createSessions>

/**
 * Login, refresh and logout. Refresh tokens rotate; one that comes back after it was used ends the
 * session.
 */
export function createSessions({ db, tokens, authenticator, rateLimiter, passwords, secondFactor, clock, sessionDays }: SessionsDeps) {
  /** Sessions that began before this have ended, whatever they refreshed since. */
  const oldestStart = () => new Date(clock.now().getTime() - sessionDays * DAY_MS)

  async function renew(tx: Db, user: CurrentUser, session_id: string): Promise<Session> {
    const refresh_token = newRefreshToken()
    await tx.refreshToken.create({
      data: {
        user_id: user.id,
        session_id,
        token_hash: hashRefreshToken(refresh_token),
        expires_at: new Date(clock.now().getTime() + REFRESH_MS),
      },
      select: { id: true },
    })
    return { ...access(user, session_id), refresh_token }
  }

  function access(user: CurrentUser, session_id: string) {
    const role = Role.parse(user.role)
    return {
      access_token: tokens.issue({ user_id: user.id, username: user.username, role, session_id }),
      token_type: 'Bearer' as const,
      expires_in: tokens.expiresIn,
      role,
    }
  }

  /**
   * Opens a session without a password: for the command line, whose user owns the database anyway.
   */
  async function open(
    user: CurrentUser,
    address: string | null,
    { by, userAgent, replaces }: { by?: Actor; userAgent?: string | undefined; replaces?: string | null } = {},
  ): Promise<Session> {
    return db.$transaction(async (tx) => {
      if (by) await recordAudit(tx, { ...by, action: 'session.login', target: `user:${user.username}` })
      const at = clock.now()
      // A browser has one login: the previous one would stay active without a cookie that could end
      // it.
      if (replaces) await tx.session.updateMany({ where: { id: replaces, ended_at: null }, data: { ended_at: at } })
      const { id } = await tx.session.create({
        data: { user_id: user.id, address, created_at: at, last_used_at: at, user_agent: userAgent?.slice(0, MAX_USER_AGENT) ?? null },
        select: { id: true },
      })
      await tx.appUser.update({ where: { id: user.id }, data: { last_login_at: at }, select: { id: true } })
      return renew(tx, user, id)
    })
  }

  /** Returns the login of a refresh token; null when it is not one. */
  async function sessionOf(refreshToken: string): Promise<string | null> {
    const row = await db.refreshToken.findUnique({ where: { token_hash: hashRefreshToken(refreshToken) }, select: { session_id: true } })
    return row?.session_id ?? null
  }

  async function endStolen(session_id: string, username: string, { address, requestId }: Origin): Promise<void> {
    await db.$transaction(async (tx) => {
      const { count } = await tx.session.updateMany({ where: { id: session_id, ended_at: null }, data: { ended_at: clock.now() } })
      if (count === 0) return
      await recordAudit(tx, { actor: 'zinc', action: 'session.reuse', target: `user:${username}`, request_id: requestId, ip: address })
    })
    authenticator.invalidate()
  }

  async function openFromBrowser(
    user: CurrentUser,
    { address, browser, requestId, userAgent, replacesBrowser }: BrowserLogin,
  ): Promise<Session> {
    const replaces = replacesBrowser && browser !== undefined ? await sessionOf(browser) : null
    const session = await open(user, toNetworkPrefix(address), {
      by: { actor: user.username, ip: address, request_id: requestId },
      userAgent,
      replaces,
    })
    if (replaces) authenticator.invalidate()
    return session
  }

  async function challenge(user: CurrentUser, address: string): Promise<UnauthorizedError> {
    const token = newRefreshToken()
    const expires_at = new Date(clock.now().getTime() + CHALLENGE_MS)
    await db.loginChallenge.create({
      data: { token_hash: hashRefreshToken(token), user_id: user.id, address: toNetworkPrefix(address), expires_at },
      select: { user_id: true },
    })
    return new UnauthorizedError('second_factor_required', { challenge: token, expires_at: expires_at.toISOString() })
  }
  const invalidPassword = () => new UnauthorizedError('invalid_credentials.current_password')
  const invalidChallenge = () => new UnauthorizedError('challenge_invalid')

  return {
    open,

    /**
     * Throws UnauthorizedError `invalid_credentials` for an unknown name and a wrong password
     * alike, `second_factor_required` with a challenge where a code must follow,
     * TooManyRequestsError after many failures.
     */
    async login({ username, password, ...from }: BrowserLogin & { username: string; password: string }): Promise<Session> {
      const { address, browser, requestId } = from
      const attempt = await rateLimiter.admit({ username, address, browser })
      // Names are stored composed; an older one may have its accents decomposed.
      const user =
        (await db.appUser.findUnique({ where: { username } })) ??
        (await db.appUser.findUnique({ where: { username: username.normalize('NFD') } }))
      if (!(await passwords.matches(user?.password_hash ?? null, password)) || !user) {
        await attempt.failed()
        await recordRefusedLogin(db, { username: user?.username ?? null, ip: address, request_id: requestId })
        throw new UnauthorizedError('invalid_credentials')
      }
      if (passwords.isOutdated(user.password_hash)) {
        await db.appUser.update({ where: { id: user.id }, data: { password_hash: await passwords.hash(password) }, select: { id: true } })
      }
      if (await secondFactor.status(user.id)) {
        // The password alone must not delete the failures of wrong codes, or codes could be guessed
        // in turns with it.
        await attempt.withdraw()
        throw await challenge(user, address)
      }
      await attempt.succeeded()
      return openFromBrowser(user, from)
    },

    /**
     * The second step of a login. Wrong codes count as wrong passwords. Throws UnauthorizedError
     * `challenge_invalid` or `invalid_code`, TooManyRequestsError.
     */
    async finishLogin({ challenge, proof, ...from }: BrowserLogin & { challenge: string; proof: Proof }): Promise<Session> {
      const { address, browser, requestId } = from
      const token_hash = hashRefreshToken(challenge)
      const found = await db.loginChallenge.findFirst({
        where: { token_hash, address: toNetworkPrefix(address), expires_at: { gt: clock.now() } },
        include: { user: true },
      })
      if (!found) throw invalidChallenge()
      const { user } = found
      const attempt = await rateLimiter.admit({ username: cleanUsername(user.username), address, browser })
      const accepted = await db.$transaction(async (tx) => {
        if (!(await secondFactor.accept(tx, user.id, proof))) return 'invalid_code'
        const { count } = await tx.loginChallenge.deleteMany({ where: { token_hash } })
        if (count > 0 && 'recovery_code' in proof)
          await recordAudit(tx, {
            actor: user.username,
            ip: address,
            request_id: requestId,
            action: 'recovery_code.use',
            target: `user:${user.username}`,
          })
        return count > 0 ? null : 'challenge_invalid'
      })
      if (accepted !== null) {
        await attempt.failed()
        await recordRefusedLogin(db, { username: user.username, ip: address, request_id: requestId })
        throw accepted === 'invalid_code' ? invalidCode() : invalidChallenge()
      }
      await attempt.succeeded()
      return openFromBrowser(user, from)
    },

    /** Returns the username of a challenge, for the log. */
    async nameOfChallenge(challenge: string): Promise<string> {
      const found = await db.loginChallenge.findUnique({
        where: { token_hash: hashRefreshToken(challenge) },
        select: { user: { select: { username: true } } },
      })
      return found?.user.username ?? '(unknown)'
    },

    /**
     * Exchanges a refresh token for new tokens. `shared`: it came in the page's cookie, where a
     * second tab may send it again at the same moment; that one gets only an access token
     * (`refresh_token` null), since the browser already has the new cookie. Throws
     * UnauthorizedError `refresh_token_invalid`; a token that was used before ends its session,
     * since one of its holders has a copy.
     */
    async refresh(
      refreshToken: string,
      { shared, ...origin }: Origin & { shared: boolean },
    ): Promise<Omit<Session, 'refresh_token'> & { refresh_token: string | null }> {
      const token_hash = hashRefreshToken(refreshToken)
      const now = clock.now()
      const renewed = await db.$transaction(async (tx) => {
        // Marked in one statement: of two requests with one token, one succeeds.
        const [row] = await tx.$queryRaw<{ session_id: string; id: string; username: string; role: string }[]>`
          update refresh_token t set used_at = ${now} from session s join app_user u on u.id = s.user_id
          where t.token_hash = ${token_hash} and t.used_at is null and t.expires_at > ${now} and s.id = t.session_id and s.ended_at is null
            and s.created_at > ${oldestStart()}
          returning s.id as session_id, u.id, u.username, u.role`
        if (!row) return null
        await tx.session.update({ where: { id: row.session_id }, data: { last_used_at: now }, select: { id: true } })
        return renew(tx, row, row.session_id)
      })
      if (renewed) return renewed
      const used = await db.refreshToken.findUnique({ where: { token_hash }, include: { session: { include: { user: true } } } })
      if (used?.used_at && !used.session.ended_at && used.session.created_at > oldestStart()) {
        if (shared && now.getTime() - used.used_at.getTime() < SAME_MOMENT_MS)
          return { ...access(used.session.user, used.session_id), refresh_token: null }
        await endStolen(used.session_id, used.session.user.username, origin)
      }
      throw new UnauthorizedError('refresh_token_invalid')
    },

    /** Ends one login: its access tokens are refused from the next request on. */
    async logout(sessionId: string, by: Actor): Promise<void> {
      await db.$transaction(async (tx) => {
        const { count } = await tx.session.updateMany({ where: { id: sessionId, ended_at: null }, data: { ended_at: clock.now() } })
        if (count > 0) await recordAudit(tx, { ...by, action: 'session.logout', target: `user:${by.actor}` })
      })
      authenticator.invalidate()
    },

    sessionOf,

    /** Returns the user's active logins, the newest first. */
    list: (userId: string) =>
      db.session.findMany({
        where: {
          user_id: userId,
          ended_at: null,
          created_at: { gt: oldestStart() },
          tokens: { some: { used_at: null, expires_at: { gt: clock.now() } } },
        },
        orderBy: [{ created_at: 'desc' }, { id: 'asc' }],
        select: { id: true, created_at: true, last_used_at: true, address: true, user_agent: true },
      }),

    /**
     * Ends a login of the user. Throws NotFoundError `session_not_found`, also for another user's.
     */
    async end(userId: string, sessionId: string, by: Actor): Promise<void> {
      await db.$transaction(async (tx) => {
        const { count } = await tx.session.updateMany({
          where: { id: sessionId, user_id: userId, ended_at: null },
          data: { ended_at: clock.now() },
        })
        if (count === 0) throw new NotFoundError('session_not_found.sign_in')
        await recordAudit(tx, { ...by, action: 'session.end', target: `user:${by.actor}` })
      })
      authenticator.invalidate()
    },

    /**
     * Verifies the password before a change of the account; wrong ones count as at a login. Throws
     * UnauthorizedError `invalid_credentials`, TooManyRequestsError.
     */
    async confirmPassword(userId: string, password: string, { address, requestId }: Origin): Promise<void> {
      const user = await db.appUser.findUniqueOrThrow({ where: { id: userId } })
      const attempt = await rateLimiter.admit({ username: cleanUsername(user.username), address })
      if (await passwords.matches(user.password_hash, password))
        return (await secondFactor.status(userId)) ? attempt.withdraw() : attempt.succeeded()
      await attempt.failed()
      await recordRefusedLogin(db, { username: user.username, ip: address, request_id: requestId })
      throw invalidPassword()
    },

    /**
     * As `confirmPassword`, with a code or recovery code in addition. Throws UnauthorizedError
     * `invalid_code`, too.
     */
    async confirmBoth(
      userId: string,
      { password, code }: { password: string; code: string },
      { address, requestId }: Origin,
    ): Promise<void> {
      const user = await db.appUser.findUniqueOrThrow({ where: { id: userId } })
      const attempt = await rateLimiter.admit({ username: cleanUsername(user.username), address })
      const isRight = await passwords.matches(user.password_hash, password)
      const proof = /[a-z]/i.test(code) ? { recovery_code: code } : { code }
      if (isRight && (await secondFactor.accept(db, userId, proof))) return attempt.succeeded()
      await attempt.failed()
      await recordRefusedLogin(db, { username: user.username, ip: address, request_id: requestId })
      throw isRight ? invalidCode() : invalidPassword()
    },

    /** Deletes what can never be used again. */
    async sweep(): Promise<void> {
      const now = clock.now()
      await db.refreshToken.deleteMany({ where: { expires_at: { lt: now } } })
      await db.session.deleteMany({
        where: {
          created_at: { lt: new Date(now.getTime() - 2 * REFRESH_MS) },
          OR: [{ ended_at: { not: null } }, { tokens: { none: {} } }, { created_at: { lt: oldestStart() } }],
        },
      })
      await db.loginChallenge.deleteMany({ where: { expires_at: { lt: now } } })
      await db.loginFailure.deleteMany({ where: { at: { lt: new Date(now.getTime() - 86_400_000) } } })
    },
  }
}
