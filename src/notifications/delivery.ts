import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database } from '../database/client.ts'
import { tryAdvisoryLock } from '../database/locks.ts'
import type { Clock } from '../lib/clock.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { channelsOf, deliverThrough, type Outlets } from './channels.ts'

export interface DeliveryDeps {
  db: Database
  databaseUrl: string
  clock: Clock
  log: Logger
  outlets: Outlets
  settings: NotificationStore
  /** Looks for what has been silent too long, beside the sending. */
  watch(): Promise<void>
  works: boolean
}

const LOOK_EVERY_MS = 5_000
const MINUTE_MS = 60_000
const WATCH_EVERY_MS = MINUTE_MS
/** Then it is news no more. */
const GIVE_UP_MS = 24 * 60 * MINUTE_MS
const AT_ONCE = 20

/**
 * Sends queued notices, each through every channel that is set. One process does it at a time, under a lock; killed after a message left and before
 * the row says so, the message is sent again: at least once.
 */
export function createDelivery({ db, databaseUrl, clock, log, outlets, settings, watch, works }: DeliveryDeps) {
  const closing = new AbortController()
  let sending: Promise<void> = Promise.resolve()
  let watchedAt = 0

  async function deliver(): Promise<void> {
    const now = clock.now()
    const due = await db.notification.findMany({ where: { sent_at: null, try_at: { lte: now } }, orderBy: { id: 'asc' }, take: AT_ONCE })
    if (due.length === 0) return
    const { addresses, ...rest } = await settings.read()
    const channels = channelsOf({ addresses, ...rest })
    for (const notification of due) {
      if (closing.signal.aborted) return
      const sentBy = new Set(notification.sent_by)
      let error: string | null = null
      for (const channel of channels) {
        if (sentBy.has(channel)) continue
        try {
          await deliverThrough(channel, { ...notification, at: notification.created_at }, { addresses, outlets })
          sentBy.add(channel)
        } catch (cause) {
          error = `${channel}: ${cause instanceof Error ? cause.message : 'failed'}`
          log.warn(
            { notification: String(notification.id), channel, reason: error, cause: cause instanceof Error ? cause.cause : undefined },
            'a notice could not be sent',
          )
        }
      }
      const clearOnce = error === null || now.getTime() - notification.created_at.getTime() > GIVE_UP_MS
      await db.notification.update({
        where: { id: notification.id },
        data: {
          sent_by: [...sentBy],
          error,
          attempts: { increment: channels.length > 0 ? 1 : 0 },
          try_at: new Date(now.getTime() + Math.min(60, 2 ** notification.attempts) * MINUTE_MS),
          // Without any channel it stays to be read on the page.
          ...(clearOnce && { sent_at: now }),
        },
      })
    }
  }

  /** The lock costs a connection of its own, so it is only taken when there is something to do. */
  async function look(): Promise<void> {
    const now = clock.now()
    const watching = now.getTime() - watchedAt >= WATCH_EVERY_MS
    if (!watching && (await db.notification.count({ where: { sent_at: null, try_at: { lte: now } } })) === 0) return
    const lock = await tryAdvisoryLock(databaseUrl, 'notices', { log })
    if (!lock) return // another process sends
    try {
      if (watching) {
        watchedAt = now.getTime()
        await watch()
      }
      await deliver()
    } finally {
      await lock.release()
    }
  }

  return {
    look,
    open(): void {
      if (!works) return
      sending = (async () => {
        while (!closing.signal.aborted) {
          await pause(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {}) // the abort ends the loop
          if (!closing.signal.aborted) await look().catch((err: unknown) => log.warn({ err }, 'sending notifications failed, will retry'))
        }
      })()
    },
    async close(): Promise<void> {
      closing.abort()
      await sending
    },
  }
}
