import { LRUCache } from 'lru-cache'
import { type Database, readPrepared } from '../db.ts'
import { Prisma } from '../generated/client.ts'
import type { FeedMoment } from './state.ts'

/** One reader's walk through the pages of one list. */
export interface Pass {
  store_id: string
  reader: string
  /** The `since` of the list; empty without. */
  since: string
}

/** Walks whose beginning this process has noted: while nothing has changed since, a further one begins at the same point. */
const NOTED = 5_000
const NOTED_FOR_MS = 3_600_000

export type Passes = ReturnType<typeof createPasses>

export function createPasses(db: Database) {
  const noted = new LRUCache<string, string>({ max: NOTED, ttl: NOTED_FOR_MS })
  return {
    /**
     * Notes when a walk by offset began. What changes on a page that the reader has passed is seen by nobody until the next `since`,
     * so the later pages must answer the time at which the first one was read.
     */
    async note({ store_id, reader, since }: Pass, { epoch, lastSeq, clockAt }: FeedMoment): Promise<void> {
      const key = `${store_id} ${reader} ${since}`
      if (noted.get(key) === `${epoch} ${lastSeq}`) return
      await db.$executeRaw`
        with older as (
          delete from feed_pass where store_id = ${store_id}::uuid and reader = ${reader}::uuid and since = ${since}
            and clock_at < clock_timestamp() - interval '1 hour')
        insert into feed_pass (store_id, reader, since, seq, clock_at)
        values (${store_id}::uuid, ${reader}::uuid, ${since}, ${lastSeq}, ${clockAt}::timestamptz)`
      noted.set(key, `${epoch} ${lastSeq}`)
    },

    /** When the walk began: of several within the hour the oldest, since nobody says which of them asks. Null: there was no first page. */
    async began({ store_id, reader, since }: Pass): Promise<{ seq: number; clockAt: string } | null> {
      const [found] = await readPrepared<{ seq: string; clock_at: Date }>(
        db,
        Prisma.sql`
        select seq, clock_at from feed_pass where store_id = ${store_id}::uuid and reader = ${reader}::uuid and since = ${since}
        order by clock_at > clock_timestamp() - interval '1 hour' desc,
          case when clock_at > clock_timestamp() - interval '1 hour' then clock_at end, clock_at desc limit 1`,
      )
      return found ? { seq: Number(found.seq), clockAt: found.clock_at.toISOString() } : null
    },
  }
}
