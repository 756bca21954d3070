import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import { Prisma, type ZohoConnection } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { BadGatewayError, zohoCodeOf } from '../lib/errors.ts'
import type { Params } from '../messages/message.ts'
import { around, inEnglish, messageAs, type Said, say } from '../messages/say.ts'
import { addNotification, causeOf, notification } from '../notifications/notifications.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { ConnectionState } from '../schemas/connection.ts'
import type { EffectiveSettings } from '../settings/zoho-settings.ts'
import { ConfigurationError, errorCodeOf, RateLimitedError } from '../zoho/errors.ts'
import { notSetUp } from '../zoho/oauth-errors.ts'

const ID = 'zoho'
const NOT_TRIED = 'untested'
/** A success is written to the database at most this often: a sync makes thousands of calls. */
const BELIEVED_MS = 30_000

/** The refresh token itself is invalid; every other refusal may be a wrong entry. */
const REVOKED = new Set(['invalid_code', 'invalid_grant'])
/**
 * One missing scope does not end the connection: the others keep working. Only a test, which tries
 * them all, reports it here.
 */
const SCOPES = new Set(['scope_missing'])
/**
 * Zoho, or the network to it, does not work. Other errors of a call say nothing about the
 * connection.
 */
const AWAY = /^(unreachable|zoho_unreachable|oauth_unavailable|general_error|not_json|http_5\d\d)$/

/** Zoho's code for an internal error. */
const INTERNAL_ERROR = '1000'

interface ConnectionStatus {
  state: Exclude<ConnectionState, 'not_set_up'>
  until: Date | null
  code: string | null
  cause: string | null
  remedy: string | null
  /** The parameters of cause and remedy; null where none are known, as in rows of an older zinc. */
  params: Params | null
}
const CONNECTED: ConnectionStatus = { state: 'connected', until: null, code: null, cause: null, remedy: null, params: null }

export interface ConnectionView extends Omit<ConnectionStatus, 'state'> {
  state: ConnectionState
  since: Date | null
}

export type ConnectionStateStore = ReturnType<typeof createConnectionStateStore>

/** Returns what an error of a call or a sign-in says about the connection; null: nothing. */
export function stateAfterError(error: unknown): ConnectionStatus | null {
  if (!(error instanceof BadGatewayError)) return null
  const details = wordsOf(error)
  if (error instanceof RateLimitedError) return { state: 'limited', until: error.resetsAt, ...details }
  if (SCOPES.has(error.code) || error.code === 'not_set_up') return null
  if (error instanceof ConfigurationError) return { state: REVOKED.has(error.code) ? 'revoked' : 'stale', until: null, ...details }
  return AWAY.test(error.code) || zohoCodeOf(error) === INTERNAL_ERROR ? { state: 'stale', until: null, ...details } : null
}

/**
 * Stores the state of the connection to Zoho in the database, and notifies people once per change.
 */
export function createConnectionStateStore({
  db,
  clock,
  queue,
  onRefused,
}: {
  db: Database
  clock: Clock
  queue: JobQueue
  /** Zoho refuses the credentials: their source may have newer ones. */
  onRefused(): void
}) {
  let worked = Number.NEGATIVE_INFINITY

  async function saveState(
    next: ConnectionStatus,
    { quiet = false, sticky = SCOPES }: { quiet?: boolean; sticky?: ReadonlySet<string> } = {},
  ): Promise<void> {
    await db.$transaction(async (tx) => {
      await advisoryXactLock(tx, 'zoho connection')
      const now = clock.now()
      const row = await tx.zohoConnection.findUnique({ where: { id: ID } })
      // What a test found missing stays until a test finds it again.
      if (next.state === 'connected' && row?.state === 'stale' && row.code !== null && sticky.has(row.code)) return
      if (row && row.state === next.state && row.code === next.code && row.until?.getTime() === next.until?.getTime()) return
      const data = { ...next, params: stored(next.params), since: row?.state === next.state ? row.since : now }
      await tx.zohoConnection.upsert({ where: { id: ID }, create: { id: ID, ...data }, update: data })
      if (!quiet) await notifyOfChange(tx, row, next)
    })
  }

  async function notifyOfChange(tx: Db, row: ZohoConnection | null, next: ConnectionStatus): Promise<void> {
    const before = row === null || row.code === NOT_TRIED ? null : row.state
    const broken = (state: string | null) => state === 'stale' || state === 'revoked'
    if (broken(next.state) && before !== null && before !== next.state) {
      await addNotification(tx, notification('connection_lost', { cause: causeOf(next) }), { clock, queue })
    } else if (next.state === 'connected' && broken(before)) {
      const since = row!.since.toISOString()
      await addNotification(tx, notification('connection_regained', { since }), { clock, queue })
    }
  }

  return {
    /** Reports a successful call to Zoho. */
    async works(): Promise<void> {
      const now = clock.now().getTime()
      if (now - worked < BELIEVED_MS) return
      worked = now
      await saveState(CONNECTED)
    },

    /** Reports a failed call or sign-in; most failures say nothing about the connection. */
    async failed(error: unknown): Promise<void> {
      const next = stateAfterError(error)
      if (!next) return
      worked = Number.NEGATIVE_INFINITY
      if (error instanceof ConfigurationError) onRefused()
      await saveState(next)
    },

    /** Reports a test's result: which scopes exist, and the first problem. */
    async tested(scopes: Record<string, boolean>, problem: Said | null): Promise<void> {
      worked = Number.NEGATIVE_INFINITY
      const next: ConnectionStatus = problem
        ? {
            state: REVOKED.has(problem.code) ? 'revoked' : 'stale',
            until: null,
            ...wordsOf(around(problem, 'around.test_found', {})),
          }
        : CONNECTED
      // The person who runs the test sees the result; a mail would be redundant.
      await saveState(next, { quiet: problem !== null, sticky: new Set() })
      await db.zohoConnection.updateMany({ where: { id: ID }, data: { scopes } })
    },

    /** Other credentials: nothing is known of them yet. */
    async begin(tx: Db): Promise<void> {
      worked = Number.NEGATIVE_INFINITY
      await advisoryXactLock(tx, 'zoho connection')
      const data = {
        state: 'stale',
        since: clock.now(),
        until: null,
        ...wordsOf(say(NOT_TRIED)),
        params: {},
        scopes: {},
      }
      await tx.zohoConnection.upsert({ where: { id: ID }, create: { id: ID, ...data }, update: data })
    },

    /** Returns what the last test found for each scope. */
    async testedScopes(): Promise<Record<string, boolean>> {
      const row = await db.zohoConnection.findUnique({ where: { id: ID }, select: { scopes: true } })
      return (row?.scopes ?? {}) as Record<string, boolean>
    },

    /** Returns the present state, for people. */
    async read(settings: EffectiveSettings): Promise<ConnectionView> {
      if (settings.problem) return { state: 'stale', since: null, until: null, ...wordsOf(settings.problem) }
      const missing = missingSettings(settings)
      const row = await db.zohoConnection.findUnique({ where: { id: ID } })
      if (missing.length > 0) return { state: 'not_set_up', since: row?.since ?? null, until: null, ...wordsOf(notSetUp(missing)) }
      if (!row) {
        return {
          state: 'stale',
          since: null,
          until: null,
          ...wordsOf(say(NOT_TRIED)),
        }
      }
      const now = clock.now()
      // A limit ends automatically, whether calls are made or not.
      if (row.state === 'limited' && row.until && row.until <= now) return { ...CONNECTED, since: row.until }
      if (row.state === 'connected') {
        const rateLimiter = await db.zohoRateLimit.findFirst({
          where: { organization: settings.values.organization_id ?? '', blocked_until: { gt: now } },
        })
        if (rateLimiter?.blocked_until) {
          return {
            state: 'limited',
            since: null,
            until: rateLimiter.blocked_until,
            ...wordsOf(inEnglish(messageAs(errorCodeOf(rateLimiter.blocked_code ?? '44'), 'zoho_minute_limit'))),
          }
        }
      }
      const { state, since, until, code, cause, remedy, params } = row
      return { state: state as ConnectionStatus['state'], since, until, code, cause, remedy, params: params as Params | null }
    },
  }
}

/** Returns which credentials are missing. */
export const missingSettings = ({ values }: EffectiveSettings): string[] =>
  (['client_id', 'client_secret', 'refresh_token', 'organization_id'] as const).filter((field) => !values[field])

const stored = (params: Params | null) => (params === null ? Prisma.DbNull : (params as Prisma.InputJsonObject))

const wordsOf = (said: Said) => ({ code: said.code, cause: said.message, remedy: said.remedy ?? null, params: said.params })
