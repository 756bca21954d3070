import type { Db } from '../database/client.ts'

/** Notes of single records help for a while after a run, and the log of calls as long as a month's quota is argued about. */
const KEPT_DAYS = 30

/** Forgets the records of old runs, and old calls. What runs counted stays with them. */
export async function deleteOldRecords(tx: Db, now: Date): Promise<void> {
  const before = new Date(now.getTime() - KEPT_DAYS * 86_400_000)
  await tx.runRecord.deleteMany({ where: { run: { finished_at: { lt: before } } } })
  await tx.zohoCall.deleteMany({ where: { started_at: { lt: before } } })
}
