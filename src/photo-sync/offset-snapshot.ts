import { LRUCache } from 'lru-cache'
import { type Database, queryPrepared } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { FeedSnapshot } from './change-feed.ts'

/** One client's walk through the pages of one list by offset. */
export interface OffsetWalk {
  store_id: string
  reader: string
  /** The `since` of the list; empty without one. */
  since: string
}

/**
 * Walks whose first page this process has recorded: while nothing has changed since, another one
 * begins at the same point.
 */
const NOTED = 5_000
const NOTED_FOR_MS = 3_600_000

/** The state of the feed at a walk's first page. */
export interface WalkSnapshot {
  seq: number
  clockAt: string
}
export interface PackedWalkSnapshot {
  seq: number
  clock_at: string
}

/**
 * Returns an SQL expression for when the walk began. Of several within the hour it takes the
 * oldest, since a request does not say which walk it continues. Null: there was no first page.
 */
export const walkSnapshot = ({ store_id, reader, since }: OffsetWalk): Prisma.Sql => Prisma.sql`(
  select json_build_object('seq', seq, 'clock_at', clock_at at time zone 'utc') from feed_walk
  where store_id = ${store_id}::uuid and reader = ${reader}::uuid and since = ${since}
  order by clock_at > clock_timestamp() - interval '1 hour' desc,
    case when clock_at > clock_timestamp() - interval '1 hour' then clock_at end, clock_at desc limit 1)`

export const unpackWalkSnapshot = (packed: PackedWalkSnapshot | null): WalkSnapshot | null =>
  packed && { seq: packed.seq, clockAt: new Date(`${packed.clock_at}Z`).toISOString() }

export type OffsetWalks = ReturnType<typeof createOffsetWalks>

export function createOffsetWalks(db: Database) {
  const noted = new LRUCache<string, string>({ max: NOTED, ttl: NOTED_FOR_MS })
  return {
    /**
     * Records when a walk by offset began. A change on a page that the reader has passed is visible
     * only with the next `since`, so later pages must return the time at which the first one was
     * read.
     */
    async note({ store_id, reader, since }: OffsetWalk, { epoch, lastSeq, clockAt }: FeedSnapshot): Promise<void> {
      const key = `${store_id} ${reader} ${since}`
      if (noted.get(key) === `${epoch} ${lastSeq}`) return
      await db.$executeRaw`
        with older as (
          delete from feed_walk where store_id = ${store_id}::uuid and reader = ${reader}::uuid and since = ${since}
            and clock_at < clock_timestamp() - interval '1 hour')
        insert into feed_walk (store_id, reader, since, seq, clock_at)
        values (${store_id}::uuid, ${reader}::uuid, ${since}, ${lastSeq}, ${clockAt}::timestamptz)`
      noted.set(key, `${epoch} ${lastSeq}`)
    },

    async began(walk: OffsetWalk): Promise<WalkSnapshot | null> {
      const [found] = await queryPrepared<{ began: PackedWalkSnapshot | null }>(db, Prisma.sql`select ${walkSnapshot(walk)} as began`)
      return unpackWalkSnapshot(found?.began ?? null)
    },
  }
}
