import type { Db } from '../database/client.ts'
import type { AuditEntry } from '../generated/client.ts'

/** Who does something, and where the request came from; `http/plugins/authentication.ts` makes it of a request. */
export interface Actor {
  /** A username, or `zinc` for the server and its command line. */
  actor: string
  request_id: string | null
  ip: string | null
}

/** The command line and the server itself. */
export const SYSTEM_ACTOR: Actor = { actor: 'zinc', request_id: null, ip: null }

export interface AuditRecord extends Actor {
  /** noun.verb, e.g. user.create settings.change mapping.change */
  action: string
  /** What it was done to, e.g. user:layla zoho.client_secret */
  target: string
  /** The names of what changed. Never values: an audit row cannot be taken back. */
  fields?: string[] | undefined
}

/** Notes a change, or several at once, in the transaction that makes it, so that neither can be without the other. */
export async function recordAudit(tx: Db, ...records: AuditRecord[]): Promise<void> {
  const data = records.map(({ actor, action, target, fields = [], request_id, ip }) => ({ actor, action, target, fields, request_id, ip }))
  await tx.auditEntry.createMany({ data })
}

export interface AuditFilter {
  actor?: string | undefined
  action?: string | undefined
  target?: string | undefined
  /** Entries older than this one. */
  before?: bigint | undefined
  limit: number
}

/** Newest first. */
export function listAudit(db: Db, { before, limit, actor, action, target }: AuditFilter): Promise<AuditEntry[]> {
  return db.auditEntry.findMany({
    where: {
      ...(actor !== undefined && { actor }),
      ...(action !== undefined && { action }),
      ...(target !== undefined && { target }),
      ...(before !== undefined && { id: { lt: before } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
  })
}
