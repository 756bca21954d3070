import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError } from '../lib/errors.ts'
import { messageOf } from '../messages/say.ts'
import type { JobQueue } from '../queue/queue.ts'
import type { JobData } from '../queue/queues.ts'
import type { DeliveryFailure } from '../schemas/notifications.ts'
import type { NotificationStore } from '../settings/notification-settings.ts'
import { channelsOf, deliverThrough, type Outlets } from './channels.ts'
import { attemptOf, notificationIn } from './notifications.ts'

export interface DeliveryDeps {
  db: Database
  clock: Clock
  log: Logger
  queue: JobQueue
  outlets: Outlets
  settings: NotificationStore
  /** Checks for what has been silent too long. */
  watch(): Promise<void>
  works: boolean
}

const MINUTE_MS = 60_000
const WATCH_EVERY_MS = MINUTE_MS
/** After that it is no longer news. */
const GIVE_UP_MS = 24 * 60 * MINUTE_MS
/** Notifications that one process sends in parallel: a slow receiver delays few others. */
const CONCURRENCY = 2
/** Longest wait for a notification of another process, or for a retry. */
const POLL_SECONDS = 5

/**
 * Sends notifications, each through every configured channel. The row records what was sent; a job
 * only wakes a worker. After a crash between sending a message and updating the row, it is sent
 * again.
 */
export function createDelivery({ db, clock, log, queue, outlets, settings, watch, works }: DeliveryDeps) {
  const closing = new AbortController()
  let watching: Promise<void> = Promise.resolve()

  async function deliver({ id, attempt }: JobData<'notification'>): Promise<null> {
    const now = clock.now()
    const notification = await db.notification.findUnique({ where: { id: BigInt(id) } })
    if (!notification || notification.sent_at || notification.attempts !== attempt) return null
    const current = await settings.read()
    const { addresses } = current
    const channels = channelsOf(current)
    const message = { kind: notification.kind, ...(await notificationIn(current.language, notification)), at: notification.created_at }
    const sentBy = new Set(notification.sent_by)
    let failure: DeliveryFailure | null = null
    for (const channel of channels) {
      if (sentBy.has(channel)) continue
      try {
        await deliverThrough(channel, message, { addresses, outlets })
        sentBy.add(channel)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        failure = { channel, ...messageOf(error) }
        log.warn({ notification: id, channel, reason: error.message, cause: error.cause }, 'a notification could not be sent')
      }
    }
    const over = failure === null || now.getTime() - notification.created_at.getTime() > GIVE_UP_MS
    const waitMs = Math.min(60, 2 ** attempt) * MINUTE_MS
    // Without any channel it can still be read on the page.
    const attempts = attempt + (channels.length > 0 ? 1 : 0)
    await db.$transaction(async (tx) => {
      await tx.notification.update({
        where: { id: notification.id },
        data: {
          sent_by: [...sentBy],
          failure: failure === null ? Prisma.DbNull : (failure as Prisma.InputJsonObject),
          attempts,
          try_at: new Date(now.getTime() + waitMs),
          ...(over && { sent_at: now }),
        },
      })
      if (!over)
        await queue.add(tx, 'notification', [{ ...attemptOf({ id: notification.id, attempts }), startAfterSeconds: waitMs / 1_000 }])
    })
    return null
  }

  /** Adds jobs for rows without one: after a restore, or from a zinc that had no queue. */
  async function addMissingJobs(): Promise<void> {
    const late = await db.notification.findMany({
      where: { sent_at: null, try_at: { lte: new Date(clock.now().getTime() - MINUTE_MS) } },
      select: { id: true, attempts: true },
    })
    await queue.add(db, 'notification', late.map(attemptOf))
  }

  return {
    addMissingJobs,
    open(): void {
      if (!works) return
      watching = (async () => {
        while (!closing.signal.aborted) {
          await queue
            .work({ queue: 'notification', concurrency: CONCURRENCY, pollSeconds: POLL_SECONDS, execute: deliver })
            .then(addMissingJobs)
            .catch((err: unknown) => log.warn({ err }, 'the job queue cannot be opened, will retry'))
          await pause(WATCH_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {}) // the abort ends the loop
          if (!closing.signal.aborted) await watch().catch((err: unknown) => log.warn({ err }, 'looking for alerts failed, will retry'))
        }
      })()
    },
    async close(): Promise<void> {
      closing.abort()
      await watching
    },
  }
}
