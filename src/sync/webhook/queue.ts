import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database, Db } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { ConflictError } from '../../lib/errors.ts'
import type { Runs } from '../../runs/runs.ts'

export const WEBHOOK_SYNC = 'item_notices'

/** Zoho often sends several webhooks for one change: they are handled together. */
const GATHER_MS = 1_000
/**
 * An item is not read more often than this, however many webhooks name it: repeated ones cost next
 * to nothing.
 */
const DISTANCE_MS = 30_000
/** Pause after a failed read. */
const RETRY_MS = 10 * 60_000
const LOOK_EVERY_MS = 2_000
const KEEP_MS = 86_400_000

export type WebhookQueue = ReturnType<typeof createWebhookQueue>

export interface WebhookQueueDeps {
  db: Database
  clock: Clock
  log: Logger
  runs: Pick<Runs, 'start'>
  /**
   * False in a process that only serves HTTP: it saves webhook events, and others read the items.
   */
  works: boolean
}

/**
 * Events wait in the database until a run has read their items, so a crash loses none, and sending
 * one twice does not read it twice.
 */
export function createWebhookQueue({ db, clock, log, runs, works }: WebhookQueueDeps) {
  const closing = new AbortController()

  async function look(): Promise<void> {
    const due = await db.webhookEvent.findFirst({ where: { due_at: { lte: clock.now() } }, select: { zoho_item_id: true } })
    if (!due) return
    await runs.start(WEBHOOK_SYNC, {}, { startedBy: 'zoho' }).catch((error: unknown) => {
      // A run is active already: it handles what is due, and the rest waits for the next check.
      if (!(error instanceof ConflictError)) throw error
    })
  }

  return {
    /** Saves the events and returns immediately: nothing is requested from Zoho here. */
    async take(ids: string[]): Promise<void> {
      const now = clock.now()
      const soon = new Date(now.getTime() + GATHER_MS)
      await db.$executeRaw`
        insert into webhook_event as n (zoho_item_id, received_at, due_at)
        select id, ${now}, ${soon} from unnest(${[...new Set(ids)].sort()}::text[]) id
        on conflict (zoho_item_id) do update set received_at = excluded.received_at,
          due_at = coalesce(n.due_at, greatest(excluded.due_at, n.read_at + ${DISTANCE_MS} * interval '1 millisecond'))`
    },

    /** Checks for events that are due, until closed. */
    open(): void {
      if (!works) return
      void (async () => {
        while (!closing.signal.aborted) {
          await look().catch((err: unknown) => log.warn({ err }, 'reading webhook events failed, will retry'))
          await pause(LOOK_EVERY_MS, undefined, { signal: closing.signal, ref: false }).catch(() => {}) // the abort ends the loop
        }
      })()
    },
    close: () => closing.abort(),
  }
}

/** Returns the items that are due, at most `limit`. */
export async function dueNotifications(db: Db, { at, limit }: { at: Date; limit: number }): Promise<string[]> {
  const rows = await db.webhookEvent.findMany({ where: { due_at: { lte: at } }, orderBy: { due_at: 'asc' }, take: limit })
  return rows.map((row) => row.zoho_item_id)
}

/**
 * Records that these items were read at that time; one that was named again meanwhile is read once
 * more.
 */
export async function completeEvents(tx: Db, ids: string[], { readAt }: { readAt: Date }): Promise<void> {
  await tx.$executeRaw`
    update webhook_event set read_at = ${readAt},
      due_at = case when received_at > ${readAt} then ${new Date(readAt.getTime() + DISTANCE_MS)}::timestamptz end
    where zoho_item_id = any(${ids})`
  await tx.webhookEvent.deleteMany({ where: { due_at: null, read_at: { lt: new Date(readAt.getTime() - KEEP_MS) } } })
}

/** The read failed: what is due now is retried later. */
export async function postponeNotifications(db: Db, at: Date): Promise<void> {
  await db.webhookEvent.updateMany({ where: { due_at: { lte: at } }, data: { due_at: new Date(at.getTime() + RETRY_MS) } })
}
