import type { Database } from '../database/client.ts'
import type { ZohoCall } from '../generated/client.ts'

export interface CallFilter {
  /** Made at this time or later, and before the other. */
  from?: Date | undefined
  to?: Date | undefined
  /** Calls older than this one. */
  before?: bigint | undefined
  job?: string | undefined
  runId?: string | undefined
  failed?: boolean | undefined
  limit: number
}

/** Returns the calls to Zoho, newest first. Bodies are not stored, and paths have no query. */
export function listCalls(db: Database, { before, job, runId, failed, from, to, limit }: CallFilter): Promise<ZohoCall[]> {
  return db.zohoCall.findMany({
    where: {
      ...(before !== undefined && { id: { lt: before } }),
      ...(job !== undefined && { job }),
      ...(runId !== undefined && { run_id: runId }),
      ...((from || to) && { started_at: { ...(from && { gte: from }), ...(to && { lt: to }) } }),
      ...(failed === true && { finished_at: { not: null }, OR: [{ code: { not: null } }, { status: { gte: 400 } }] }),
      ...(failed === false && { code: null, status: { lt: 400 } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
  })
}

/**
 * A run stores the number of its calls when it ends; old rows are only for reading. The rows are
 * about 100 MB; at 10,000 calls a day the limit of days comes first.
 */
const KEPT = { days: 30, rows: 500_000 }
const ROWS_AT_ONCE = 20_000

/**
 * Deletes old rows of the log, in batches, so that its size stays bounded and no statement blocks
 * for long. Returns how many were deleted.
 */
export async function pruneCalls(db: Database, now: Date, { days, rows } = KEPT): Promise<number> {
  const before = new Date(now.getTime() - days * 86_400_000)
  let deleted = 0
  for (;;) {
    const count = await db.$executeRaw`
      delete from zoho_call where id in (
        select id from zoho_call
        where started_at < ${before} or id <= (select coalesce(max(id), 0) - ${rows} from zoho_call)
        order by id limit ${ROWS_AT_ONCE})`
    deleted += count
    if (count < ROWS_AT_ONCE) return deleted
  }
}

const NOTIFICATIONS_DAYS = 90

/**
 * Deletes what grows with time and has expired: calls, webhook events, tokens, unfinished consents.
 */
export async function deleteExpired(db: Database, now: Date): Promise<void> {
  await pruneCalls(db, now)
  await db.notification.deleteMany({ where: { created_at: { lt: new Date(now.getTime() - NOTIFICATIONS_DAYS * 86_400_000) } } })
  await db.zohoToken.deleteMany({ where: { expires_at: { lt: now } } })
  await db.oauthState.deleteMany({ where: { expires_at: { lt: now } } })
  await db.consentLink.deleteMany({ where: { expires_at: { lt: now } } })
}
