import type { Db } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { JobQueue } from '../queue/queue.ts'

export type NotificationKind =
  | 'connection_lost'
  | 'connection_regained'
  | 'run_failed'
  | 'nothing_synced'
  | 'store_silent'
  | 'backup_too_old'
  | 'many_failures'
  | 'webhook_disabled'
  | 'test'

export interface NewNotification {
  kind: NotificationKind
  subject: string
  /** Plain words, with the next step. Never a secret: it is sent by mail. */
  text: string
}

export interface AddDeps {
  clock: Clock
  queue: JobQueue
}

/**
 * Adds a notification in the transaction of the change that it reports, so that both are committed
 * or neither.
 */
export async function addNotification(tx: Db, notification: NewNotification, { clock, queue }: AddDeps): Promise<void> {
  const now = clock.now()
  const { id } = await tx.notification.create({ data: { ...notification, created_at: now, try_at: now }, select: { id: true } })
  await queue.add(tx, 'notification', [attemptOf({ id, attempts: 0 })])
}

/** Returns the job of the next attempt to send a notification; there is one at a time. */
export function attemptOf({ id, attempts }: { id: bigint; attempts: number }) {
  return { data: { id: String(id), attempt: attempts }, key: `${id}:${attempts}` }
}

/**
 * Adds the notification unless the same thing (`key`) was reported already and still applies;
 * returns whether it was new.
 */
export async function notifyOnce(tx: Db, key: string, notification: NewNotification, deps: AddDeps): Promise<boolean> {
  const { count } = await tx.sentNotification.createMany({ data: [{ key, since: deps.clock.now() }], skipDuplicates: true })
  if (count === 1) await addNotification(tx, notification, deps)
  return count === 1
}

/** It no longer applies: the next time is reported again. */
export async function clearOnce(tx: Db, keys: string[]): Promise<void> {
  if (keys.length > 0) await tx.sentNotification.deleteMany({ where: { key: { in: keys } } })
}
