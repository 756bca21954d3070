import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import { type Database, type Db, queryPrepared } from '../database/client.ts'
import { listenForNotifications } from '../database/listen.ts'
import { Prisma } from '../generated/client.ts'
import { shareCalls } from '../lib/share-calls.ts'

/** The product feed at one moment, with nothing left to number that was committed before it. */
export interface ProductFeedSnapshot {
  epoch: string
  cursorKey: KeyObject
  /** Every change up to this number can be read. */
  lastSeq: number
  /** Deletions up to this number are forgotten. */
  prunedSeq: number
  /** Which fields changed is told from this number on. */
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

/** Notes that one numbering takes: its lock is held for a fraction of a second, however much waits. */
const BATCH = 5_000
/** While a sync writes page after page, numbers are given so often and not after each. */
const NUMBERING_PAUSE_MS = 200
/** What changed is told field by field for so long. */
const FIELDS_DAYS = 30

export type ProductFeed = Awaited<ReturnType<typeof openProductFeed>>

/**
 * The change feed of products. Triggers note every change in its own transaction; whoever reads asks for the present moment first, and what is committed by
 * then gets its numbers. The epoch is the photo feed's, which must be open.
 */
export async function openProductFeed({ db, databaseUrl, log }: { db: Database; databaseUrl: string; log: Logger }) {
  await db.$executeRaw`insert into product_feed_state (id) values (1) on conflict (id) do nothing`
  let cursorKey: { text: string; key: KeyObject } | undefined
  /** The newest number that this process has heard of. */
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
    // Numbers of another database say nothing here.
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

  /** Soon, and at most once in a while: each process hears of each commit. */
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
    /** The feed now: everything that was committed before the call is numbered. */
    now,
    /** Resolves when a change beyond `seq` can be read, after `ms`, or when the caller leaves. Costs no query. */
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
    /** Numbers what any process commits, and hears of it: one connection for all who wait. */
    open(): void {
      listener = listenForNotifications({
        databaseUrl,
        log,
        onNotification: { zinc_product_due: numberSoon, zinc_product: (seq) => hear(Number(seq)) },
        // What came meanwhile was not heard: whoever waits looks for itself.
        onConnected() {
          numberSoon()
          for (const one of waiting) one.wake()
        },
      })
    },
    isStopped: () => stopped,
    /** How many callers wait. */
    waiting: () => waiting.size,
    /** Ends every wait: the server stops. */
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

/** Numbers all changes that are committed and wait. */
export async function numberProducts(db: Db): Promise<void> {
  for (;;) {
    const [row] = await db.$queryRaw<{ taken: number }[]>`select number_products(${BATCH}::int) as taken`
    if ((row?.taken ?? 0) < BATCH) return
  }
}

/**
 * Forgets deletions that are older than `olderThanDays`: a cursor from before them gets 410 and the reader begins again. Who asks what changed since more
 * than a month ago hears that all did.
 */
export async function pruneProductFeed(db: Database, { olderThanDays }: { olderThanDays: number }): Promise<void> {
  await numberProducts(db)
  await db.$executeRaw`
    update product_feed_state set
      pruned_seq = greatest(pruned_seq,
        (select max(seq) from product_change where change = 'delete' and changed_at < clock_timestamp() - ${olderThanDays} * interval '1 day')),
      fields_seq = greatest(fields_seq, (select max(seq) from product_change where changed_at < clock_timestamp() - ${FIELDS_DAYS} * interval '1 day'))`
  // The row of a soft-deleted product keeps its number; of one that is gone for good nothing is left to say.
  await db.$executeRaw`
    delete from product_change c using product_feed_state s
    where c.change = 'delete' and c.seq <= s.pruned_seq and not exists (select 1 from product p where p.id = c.product_id)`
}
