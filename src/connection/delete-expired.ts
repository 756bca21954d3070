import type { Database } from '../database/client.ts'
import { pruneCalls } from './call-log.ts'

const NOTIFICATIONS_DAYS = 90

/** What grows with time and is worth nothing any more: calls, notices, tokens that ended, consents that nobody finished. */
export async function deleteExpired(db: Database, now: Date): Promise<void> {
  await pruneCalls(db, now)
  await db.notice.deleteMany({ where: { created_at: { lt: new Date(now.getTime() - NOTIFICATIONS_DAYS * 86_400_000) } } })
  await db.zohoToken.deleteMany({ where: { expires_at: { lt: now } } })
  await db.oauthState.deleteMany({ where: { expires_at: { lt: now } } })
  await db.consentLink.deleteMany({ where: { expires_at: { lt: now } } })
}
