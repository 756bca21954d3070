import { setTimeout as pause } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import pLimit from 'p-limit'
import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import type { Clock } from '../lib/clock.ts'
import { TooManyRequestsError } from '../lib/errors.ts'
import { hashRefreshToken } from './access-tokens.ts'

const WINDOW_MS = 15 * 60_000
/** An address that an account was used from within this time is no stranger to it. */
const KNOWN_FOR_MS = 30 * 86_400_000
/**
 * Failed logins within the window before further ones are refused. From one address: on one account, and on all of them, so that neither can be
 * guessed in a row. On one account from anywhere: then only addresses from which it was used before may still try, so that a thousand addresses
 * cannot guess either, and its owner gets in all the same. Behind a proxy that TRUSTED_PROXIES does not name all callers have one address: there an
 * account that was used from it before does not wait for what others guessed, nor a browser that shows one of the account's own refresh tokens.
 */
const MAX_FAILURES = { accountFromAddress: 10, address: 20, account: 100 }
/** Admissions take a connection each; a flood of logins must leave the others to everybody else. */
const MAX_ADMISSIONS_AT_ONCE = 2
const MAX_WAITING = 200
/** An attempt that is pending for longer belongs to a process that was killed: it counts as failed. */
const PENDING_MS = 30_000
const LOOK_AGAIN_MS = 50
/** What lies further ahead was written before the clock was set back, and would hold people off until it is there again. */
const CLOCKS_APART_MS = 5_000

export interface LoginOrigin {
  username: string
  address: string
  /** The refresh token in the cookie of the browser, ended or not. */
  browser?: string | undefined
}

export interface Attempt {
  /** The login is complete: failures of before are forgotten. */
  succeeded(): Promise<void>
  /** Right so far: counts for nothing, and forgets nothing. */
  withdraw(): Promise<void>
  failed(): Promise<void>
}
export type LoginRateLimiter = ReturnType<typeof createLoginRateLimiter>

/** Counts failed logins in PostgreSQL, so that several processes count together and a restart forgets nothing. No refusal lasts longer than the window. */
export function createLoginRateLimiter({ db, clock }: { db: Database; clock: Clock }) {
  const inTurn = pLimit(MAX_ADMISSIONS_AT_ONCE)

  /** The attempt's row; or when to come back: after failures, or as soon as those before it are decided. */
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
     * Notes an attempt before the password is looked at, so that of a thousand guesses at the same moment no more are looked at than one after the other.
     * Throws TooManyRequestsError `login_rate_limited`.
     */
    async admit({ username, address, browser }: LoginOrigin): Promise<Attempt> {
      // A browser that was logged in before is counted for itself: it proves that with its cookie, which nobody else has.
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

/** One customer of an IPv6 provider has a whole /64 to guess from. */
export function toNetworkPrefix(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const ip = ipaddr.process(address)
  return ip.kind() === 'ipv4' ? ip.toString() : `${ipaddr.IPv6.networkAddressFromCIDR(`${ip.toString()}/64`).toString()}/64`
}
