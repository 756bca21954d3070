import type { Db } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'

export type NotificationKind = 'connection_lost' | 'connection_regained' | 'run_failed' | 'nothing_synced' | 'store_silent' | 'test'

export interface NewNotification {
  kind: NotificationKind
  subject: string
  /** Plain words, with the next step. Never a secret: it leaves by mail. */
  text: string
}

/** Puts a notice into the queue, in the transaction of the change that it tells: neither is without the other. */
export async function addNotification(tx: Db, notification: NewNotification, { clock }: { clock: Clock }): Promise<void> {
  const now = clock.now()
  await tx.notification.create({ data: { ...notification, created_at: now, try_at: now }, select: { id: true } })
}

/** Adds the notice unless the same thing (`key`) was told already and still holds. */
export async function notifyOnce(tx: Db, key: string, notification: NewNotification, { clock }: { clock: Clock }): Promise<void> {
  const { count } = await tx.sentNotification.createMany({ data: [{ key, since: clock.now() }], skipDuplicates: true })
  if (count === 1) await addNotification(tx, notification, { clock })
}

/** It does not hold any more: the next time is told again. */
export async function clearOnce(tx: Db, keys: string[]): Promise<void> {
  if (keys.length > 0) await tx.sentNotification.deleteMany({ where: { key: { in: keys } } })
}
