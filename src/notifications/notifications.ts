import type { Db } from '../database/client.ts'
import type { Language } from '../facts/languages.ts'
import type { Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { CATALOGUES } from '../messages/catalogues.ts'
import { type Params, type Part, remedyOf, render } from '../messages/message.ts'
import { type Arguments, say } from '../messages/say.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { NotificationKind } from '../schemas/notifications.ts'

/**
 * What a notification says: English for the API, params for other languages. Never a secret: it is
 * sent by mail.
 */
export interface NewNotification {
  kind: NotificationKind
  subject: string
  text: string
  params: Params
}

/** Makes a notification of its facts; its words are `notification.{kind}` of the messages. */
export function notification<K extends NotificationKind>(kind: K, ...facts: Arguments<`notification.${K}`>): NewNotification {
  const { message, remedy, params } = say(`notification.${kind}`, ...facts)
  return { kind, subject: message, text: remedy ?? '', params }
}

interface Cause {
  code: string | null
  params: unknown
  cause: string | null
  remedy: string | null
}

/** What a row says of its cause, for a notification; English text where an older zinc stored it. */
export const causeOf = ({ code, params, cause, remedy }: Cause): Part =>
  code !== null && params !== null ? { code, params: params as Params } : [cause, remedy].filter((line) => line !== null).join('\n')

/** Returns subject and text in a language; in English where an older zinc stored only that. */
export async function notificationIn(
  language: Language,
  { subject, text, params }: { subject: string; text: string; params: unknown },
): Promise<{ subject: string; text: string }> {
  if (params === null || typeof params !== 'object') return { subject, text }
  const { MESSAGES } = await CATALOGUES[language]()
  const message = { code: 'notification', params: params as Params }
  return { subject: render(MESSAGES, message) ?? subject, text: remedyOf(MESSAGES, message) ?? text }
}

export interface AddDeps {
  clock: Clock
  queue: JobQueue
}

/**
 * Adds a notification in the transaction of the change that it reports, so that both are committed
 * or neither.
 */
export async function addNotification(tx: Db, { params, ...texts }: NewNotification, { clock, queue }: AddDeps): Promise<void> {
  const now = clock.now()
  const data = { ...texts, params: params as Prisma.InputJsonObject, created_at: now, try_at: now }
  const { id } = await tx.notification.create({ data, select: { id: true } })
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
export async function notifyOnce(tx: Db, key: string, added: NewNotification, deps: AddDeps): Promise<boolean> {
  const { count } = await tx.sentNotification.createMany({ data: [{ key, since: deps.clock.now() }], skipDuplicates: true })
  if (count === 1) await addNotification(tx, added, deps)
  return count === 1
}

/** It no longer applies: the next time is reported again. */
export async function clearOnce(tx: Db, keys: string[]): Promise<void> {
  if (keys.length > 0) await tx.sentNotification.deleteMany({ where: { key: { in: keys } } })
}
