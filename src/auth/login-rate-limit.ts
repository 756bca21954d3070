import { setTimeout as pause } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import pLimit from 'p-limit'
import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import type { Clock } from '../lib/clock.ts'
import { TooManyRequestsError } from '../lib/errors.ts'
import { hashRefreshToken } from './access-tokens.ts'

const WINDOW_MS = 15 * 60_000
/** An address from which the account was used within this time is known to it. */
const KNOWN_FOR_MS = 30 * 86_400_000
/**
 * Failed logins within the window before further ones are refused. Per address, on one account
 * and on all of them, so that neither can be guessed one after the other. Per account from
 * anywhere: then only addresses from which it was used before may still try, so that a thousand
 * addresses cannot guess either, and its owner can still log in. Behind a proxy that
 * TRUSTED_PROXIES does not name, all clients have one address: there an account that was used
 * from it before is not delayed by others' guesses, nor is a browser that sends one of the
 * account's own refresh tokens.
 */
const MAX_FAILURES = { accountFromAddress: 10, address: 20, account: 100 }
/**
 * Each admission takes a connection; a flood of logins must leave the others to the remaining
 * requests.
 */
const MAX_ADMISSIONS_AT_ONCE = 2
const MAX_WAITING = 200
/** An attempt that is pending for longer belongs to a dead process: it counts as failed. */
const PENDING_MS = 30_000
const LOOK_AGAIN_MS = 50
/** A later time was written before the clock was set back, and would block logins until then. */
const CLOCKS_APART_MS = 5_000

export interface LoginOrigin {
  username: string
  address: string
  /** The refresh token in the browser's cookie, ended or not. */
  browser?: string | undefined
}

export interface Attempt {
  /** The login is complete: earlier failures are deleted. */
  succeeded(): Promise<void>
  /** Right so far: neither counts as a failure nor deletes earlier ones. */
  withdraw(): Promise<void>
  failed(): Promise<void>
}
export type LoginRateLimiter = ReturnType<typeof createLoginRateLimiter>

/**
 * Counts failed logins in PostgreSQL, so that several processes count together and a restart loses
 * nothing. No refusal lasts longer than the window.
 */
export function createLoginRateLimiter({ db, clock }: { db: Database; clock: Clock }) {
  const inTurn = pLimit(MAX_ADMISSIONS_AT_ONCE)

  /**
   * Returns the attempt's row; or when to retry: after failures, or as soon as pending attempts
   * have ended.
   */
  async function tryToAdmit(username: string, network: string): Promise<{ id: bigint } | { refusedUntil: Date } | 'undecided'> {
    const subject = `user:${username}`
    const now = clock.now()
    const since = new Date(now.getTime() - WINDOW_MS)
    const overdue = new Date(now.getTime() - PENDING_MS)
    const ahead = new Date(now.getTime() + CLOCKS_APART_MS)
    return db.$transaction(async (tx) => {
      await advisoryXactLock(tx, 'login failures')
      const rows = await tx.$queryRaw<{ here: boolean; near: boolean; same: boolean; undecided: boolean; at: Date }[]>`
        select subject = ${subject} and address = ${network} as here, address = ${network} as near, subject = ${subject} as same,
               pending and at > ${overdue} as undecided, at
        from login_failure where at between ${since} and ${ahead} and (subject = ${subject} or address = ${network}) order by at limit 2000`
      const limits = [
        { max: MAX_FAILURES.accountFromAddress, of: rows.filter((row) => row.here) },
        { max: MAX_FAILURES.address, of: rows.filter((row) => row.near), exempt: () => isKnown(tx, username, network, now) },
        { max: MAX_FAILURES.account, of: rows.filter((row) => row.same), exempt: () => isKnown(tx, username, network, now) },
      ]
      for (const { max, of, exempt } of limits) {
        if (of.length < max || (exempt && (await exempt()))) continue
        const failed = of.filter((row) => !row.undecided)
        const next = failed[failed.length - max]
        return next ? { refusedUntil: new Date(next.at.getTime() + WINDOW_MS) } : 'undecided'
      }
      return tx.loginFailure.create({ data: { subject, address: network, at: now, pending: true }, select: { id: true } })
    })
  }

  async function sessionOfBrowser(username: string, refreshToken: string): Promise<string | null> {
    const row = await db.refreshToken.findFirst({
      where: { token_hash: hashRefreshToken(refreshToken), user: { username } },
      select: { session_id: true },
    })
    return row?.session_id ?? null
  }

  async function isKnown(tx: Db, username: string, network: string, now: Date): Promise<boolean> {
    if (network.startsWith('browser:')) return true
    const since = new Date(now.getTime() - KNOWN_FOR_MS)
    return (await tx.session.count({ where: { user: { username }, address: network, created_at: { gt: since } } })) > 0
  }

  return {
    /**
     * Records an attempt before the password is verified, so that of a thousand parallel guesses no
     * more are verified than in sequence. Throws TooManyRequestsError `login_rate_limited`.
     */
    async admit({ username, address, browser }: LoginOrigin): Promise<Attempt> {
      // A browser that was logged in before is counted separately: its cookie, which no other
      // client has, proves that.
      const session = browser === undefined ? null : await sessionOfBrowser(username, browser)
      const network = session === null ? toNetworkPrefix(address) : `browser:${session}`
      for (;;) {
        if (inTurn.pendingCount > MAX_WAITING) throw tooMany(5_000)
        const result = await inTurn(() => tryToAdmit(username, network))
        if (result === 'undecided') {
          await pause(LOOK_AGAIN_MS)
          continue
        }
        if ('refusedUntil' in result) throw tooMany(Math.max(1_000, result.refusedUntil.getTime() - clock.now().getTime()))
        return {
          async succeeded() {
            await db.loginFailure.deleteMany({
              where: { OR: [{ id: result.id }, { subject: `user:${username}`, address: network, pending: false }] },
            })
          },
          async withdraw() {
            await db.loginFailure.deleteMany({ where: { id: result.id } })
          },
          async failed() {
            await db.loginFailure.updateMany({ where: { id: result.id }, data: { pending: false } })
          },
        }
      }
    },
  }
}

const tooMany = (retryAfterMs: number) => new TooManyRequestsError('login_rate_limited', {}, { retryAfterMs })

/**
 * Returns the network of an address: one customer of an IPv6 provider has a whole /64 to guess
 * from.
 */
export function toNetworkPrefix(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const ip = ipaddr.process(address)
  return ip.kind() === 'ipv4' ? ip.toString() : `${ipaddr.IPv6.networkAddressFromCIDR(`${ip.toString()}/64`).toString()}/64`
}
