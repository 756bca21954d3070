import type { Database } from '../database/client.ts'
import type { ZohoCall } from '../generated/client.ts'

export interface CallFilter {
  /** Calls older than this one. */
  before?: bigint | undefined
  job?: string | undefined
  runId?: string | undefined
  failed?: boolean | undefined
  limit: number
}

/** The calls to Zoho, newest first. There are no bodies, and paths carry no query. */
export function listCalls(db: Database, { before, job, runId, failed, limit }: CallFilter): Promise<ZohoCall[]> {
  return db.zohoCall.findMany({
    where: {
      ...(before !== undefined && { id: { lt: before } }),
      ...(job !== undefined && { job }),
      ...(runId !== undefined && { run_id: runId }),
      ...(failed === true && { finished_at: { not: null }, OR: [{ code: { not: null } }, { status: { gte: 400 } }] }),
      ...(failed === false && { code: null, status: { lt: 400 } }),
    },
    orderBy: { id: 'desc' },
    take: limit,
  })
}

/** A run tells the count of its calls when it ends; old lines serve reading only. The rows are about 100 MB; at 10,000 calls a day the days come first. */
const KEPT = { days: 30, rows: 500_000 }
const ROWS_AT_ONCE = 20_000

/** Takes old lines out of the log, a batch a statement, so that it stays of bounded size and nobody waits for it. Answers how many went. */
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

/** What grows with time and is worth nothing any more: calls, notices, tokens that ended, consents that nobody finished. */
export async function deleteExpired(db: Database, now: Date): Promise<void> {
  await pruneCalls(db, now)
  await db.notification.deleteMany({ where: { created_at: { lt: new Date(now.getTime() - NOTIFICATIONS_DAYS * 86_400_000) } } })
  await db.zohoToken.deleteMany({ where: { expires_at: { lt: now } } })
  await db.oauthState.deleteMany({ where: { expires_at: { lt: now } } })
  await db.consentLink.deleteMany({ where: { expires_at: { lt: now } } })
}
