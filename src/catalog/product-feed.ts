import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import { type Database, type Db, queryPrepared } from '../database/client.ts'
import { listenForNotifications } from '../database/listen.ts'
import { Prisma } from '../generated/client.ts'
import { shareCalls } from '../lib/share-calls.ts'

/** The product feed at one moment; every change committed before it has its number. */
export interface ProductFeedSnapshot {
  epoch: string
  cursorKey: KeyObject
  /** Every change up to this number can be read. */
  lastSeq: number
  /** Deletions up to this number are no longer kept. */
  prunedSeq: number
  /** From this number on it is known which fields changed. */
  fieldsSeq: number
}

interface StateRow {
  epoch: string
  cursor_key: string
  last_seq: string
  pruned_seq: string
  fields_seq: string
  due: boolean
}

/**
 * Changes numbered in one transaction: its lock is held for a fraction of a second, however many
 * wait.
 */
const BATCH = 5_000
/** Shortest pause between numberings, since a sync commits page after page. */
const NUMBERING_PAUSE_MS = 200
/** How many days it is kept which fields changed. */
const FIELDS_DAYS = 30

export type ProductFeed = Awaited<ReturnType<typeof openProductFeed>>

/**
 * Opens the change feed of products. Triggers record every change in its own transaction; readers
 * first request the present state, and then everything committed so far gets its numbers. The epoch
 * is the photo feed's, which must be open.
 */
export async function openProductFeed({ db, databaseUrl, log }: { db: Database; databaseUrl: string; log: Logger }) {
  await db.$executeRaw`insert into product_feed_state (id) values (1) on conflict (id) do nothing`
  let cursorKey: { text: string; key: KeyObject } | undefined
  /** The newest number that this process was notified of. */
  let heard = 0
  let epoch: string | undefined
  const waiting = new Set<{ seq: number; wake(): void }>()
  let listener: AsyncDisposable | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let numberedAt = Number.NEGATIVE_INFINITY

  async function read(): Promise<StateRow | undefined> {
    const [row] = await queryPrepared<StateRow>(
      db,
      Prisma.sql`select f.epoch, f.cursor_key, s.last_seq, s.pruned_seq, s.fields_seq,
        (select true from product_mark order by id limit 1) is not null as due
      from product_feed_state s cross join feed_state f`,
    )
    return row
  }

  const number = shareCalls(() => numberProducts(db))
  const now = shareCalls(async (): Promise<ProductFeedSnapshot> => {
    let state = await read()
    if (state?.due) {
      await number()
      state = await read()
    }
    if (!state) throw new Error('The product feed has no state row')
    if (cursorKey?.text !== state.cursor_key) cursorKey = { text: state.cursor_key, key: createSecretKey(Buffer.from(state.cursor_key)) }
    const lastSeq = Number(state.last_seq)
    // Numbers of another database mean nothing here.
    if (epoch !== state.epoch) heard = 0
    epoch = state.epoch
    hear(lastSeq)
    return {
      epoch: state.epoch,
      cursorKey: cursorKey.key,
      lastSeq,
      prunedSeq: Number(state.pruned_seq),
      fieldsSeq: Number(state.fields_seq),
    }
  })

  function hear(seq: number): void {
    heard = Math.max(heard, seq)
    for (const one of waiting) if (heard > one.seq) one.wake()
  }

  /** Soon, but limited in frequency: every process is notified of every commit. */
  function numberSoon(): void {
    if (timer !== undefined || stopped) return
    const wait = Math.max(0, numberedAt + NUMBERING_PAUSE_MS - performance.now())
    timer = setTimeout(() => {
      timer = undefined
      numberedAt = performance.now()
      number().catch((err: unknown) => log.warn({ err }, 'changes of products could not be numbered, will retry'))
    }, wait).unref()
  }

  return {
    /** The feed now: everything committed before the call is numbered. */
    now,
    /**
     * Resolves when a change beyond `seq` can be read, after `ms`, or when the client disconnects.
     * Makes no query.
     */
    waitBeyond(seq: number, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<void> {
      if (heard > seq || stopped || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const one = { seq, wake }
        const limit = setTimeout(wake, ms)
        signal.addEventListener('abort', wake, { once: true })
        waiting.add(one)
        function wake() {
          clearTimeout(limit)
          signal.removeEventListener('abort', wake)
          waiting.delete(one)
          resolve()
        }
      })
    },
    /**
     * Numbers what any process commits and listens for it: one connection for all waiting requests.
     */
    open(): void {
      listener = listenForNotifications({
        databaseUrl,
        log,
        onNotification: { zinc_product_due: numberSoon, zinc_product: (seq) => hear(Number(seq)) },
        // Notifications were missed while disconnected: waiting requests read the database.
        onConnected() {
          numberSoon()
          for (const one of waiting) one.wake()
        },
      })
    },
    isStopped: () => stopped,
    /** How many requests wait. */
    waiting: () => waiting.size,
    /** Ends every wait, for a shutdown. */
    stop(): void {
      stopped = true
      clearTimeout(timer)
      for (const one of waiting) one.wake()
    },
    async [Symbol.asyncDispose]() {
      this.stop()
      await listener?.[Symbol.asyncDispose]()
    },
  }
}

/** Numbers all committed changes that have no number yet. */
export async function numberProducts(db: Db): Promise<void> {
  for (;;) {
    const [row] = await db.$queryRaw<{ taken: number }[]>`select number_products(${BATCH}::int) as taken`
    if ((row?.taken ?? 0) < BATCH) return
  }
}

/**
 * Deletes tombstones older than `olderThanDays`: a cursor from before them gets 410 and the reader
 * begins again. For changes older than a month all fields count as changed.
 */
export async function pruneProductFeed(db: Database, { olderThanDays }: { olderThanDays: number }): Promise<void> {
  await numberProducts(db)
  await db.$executeRaw`
    update product_feed_state set
      pruned_seq = greatest(pruned_seq,
        (select max(seq) from product_change where change = 'delete' and changed_at < clock_timestamp() - ${olderThanDays} * interval '1 day')),
      fields_seq = greatest(fields_seq, (select max(seq) from product_change where changed_at < clock_timestamp() - ${FIELDS_DAYS} * interval '1 day'))`
  // The row of a soft-deleted product keeps its number; of one that is deleted for good nothing
  // remains to report.
  await db.$executeRaw`
    delete from product_change c using product_feed_state s
    where c.change = 'delete' and c.seq <= s.pruned_seq and not exists (select 1 from product p where p.id = c.product_id)`
}
