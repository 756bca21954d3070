import { LRUCache } from 'lru-cache'
import { type Database, queryPrepared } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { FeedSnapshot } from './change-feed.ts'

/** One reader's walk through the pages of one list. */
export interface OffsetWalk {
  store_id: string
  reader: string
  /** The `since` of the list; empty without. */
  since: string
}

/** Walks whose beginning this process has noted: while nothing has changed since, a further one begins at the same point. */
const NOTED = 5_000
const NOTED_FOR_MS = 3_600_000

/** The moment of a walk's first page. */
export interface WalkSnapshot {
  seq: number
  clockAt: string
}
export interface PackedWalkSnapshot {
  seq: number
  clock_at: string
}

/** When the walk began, as a value of a statement: of several within the hour the oldest, since nobody says which of them asks. Null: there was no first page. */
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
     * Notes when a walk by offset began. What changes on a page that the reader has passed is seen by nobody until the next `since`,
     * so the later pages must answer the time at which the first one was read.
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
