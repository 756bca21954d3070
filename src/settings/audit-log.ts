import type { Database, Db } from '../database/client.ts'
import { advisoryXactLock } from '../database/locks.ts'
import type { AuditEntry } from '../generated/client.ts'

/**
 * Who makes a change, and where the request came from; `http/plugins/authentication.ts` builds it
 * from a request.
 */
export interface Actor {
  /** A username, or `zinc` for the server and its command line. */
  actor: string
  request_id: string | null
  ip: string | null
}

/** The command line and the server itself. */
export const SYSTEM_ACTOR: Actor = { actor: 'zinc', request_id: null, ip: null }

export interface AuditRecord extends Actor {
  /** noun.verb, for example user.create settings.change mapping.change */
  action: string
  /** The target, for example user:layla zoho.client_secret */
  target: string
  /** The names of the changed fields. Never values: an audit row cannot be deleted. */
  fields?: string[] | undefined
}

/**
 * Records one or several changes in the transaction that makes them, so that both are committed or
 * neither.
 */
export async function recordAudit(tx: Db, ...records: AuditRecord[]): Promise<void> {
  const data = records.map(({ actor, action, target, fields = [], request_id, ip }) => ({ actor, action, target, fields, request_id, ip }))
  await tx.auditEntry.createMany({ data })
}

/**
 * Records a refused login, once per account and address in 15 minutes: an attacker must not fill a
 * log that cannot be emptied. An unknown username is not stored, since people type passwords into
 * the wrong field.
 */
export async function recordRefusedLogin(
  db: Database,
  { username, ip, request_id }: { username: string | null } & Omit<Actor, 'actor'>,
): Promise<void> {
  const target = `user:${username ?? '(unknown)'}`
  await db.$transaction(async (tx) => {
    await advisoryXactLock(tx, 'refused logins')
    await tx.$executeRaw`
      insert into audit_entry (actor, action, target, request_id, ip)
      select 'zinc', 'session.login_refused', ${target}, ${request_id}, ${ip}
      where not exists (select 1 from audit_entry where action = 'session.login_refused' and target = ${target} and ip is not distinct from ${ip}
        and at > clock_timestamp() - interval '15 minutes')`
  })
}

const EXPORT_PAGE = 1_000

export interface AuditFilter {
  actor?: string | undefined
  action?: string | undefined
  target?: string | undefined
  from?: Date | undefined
  /** Exclusive. */
  to?: Date | undefined
  /** Entries older than this one. */
  before?: bigint | undefined
  limit: number
}

/** Returns entries, newest first. */
export function listAudit(db: Db, { before, limit, actor, action, target, from, to }: AuditFilter): Promise<AuditEntry[]> {
  return db.auditEntry.findMany({
    where: {
      ...(actor !== undefined && { actor }),
      ...(action !== undefined && { action }),
      ...(target !== undefined && { target }),
      ...((from ?? to) !== undefined && { at: { ...(from && { gte: from }), ...(to && { lt: to }) } }),
      ...(before !== undefined && { id: { lt: before } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
  })
}

/** Yields all matching entries, newest first, in pages. */
export async function* readAudit(db: Db, filter: Omit<AuditFilter, 'before' | 'limit'>, signal: AbortSignal): AsyncGenerator<AuditEntry[]> {
  let before: bigint | undefined
  for (;;) {
    signal.throwIfAborted()
    const page = await listAudit(db, { ...filter, before, limit: EXPORT_PAGE })
    if (page.length > 0) yield page
    if (page.length < EXPORT_PAGE) return
    before = page.at(-1)?.id
  }
}
