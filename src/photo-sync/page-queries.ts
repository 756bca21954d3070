import { type Database, queryPrepared } from '../database/client.ts'
import { eachVariant } from '../facts/variants.ts'
import { Prisma } from '../generated/client.ts'
import { assortmentCondition } from './assortment-filter.ts'
import type { FeedStore } from './change-feed.ts'
import type { FeedCursor } from './cursor.ts'
import { type OffsetWalk, type PackedWalkSnapshot, unpackWalkSnapshot, type WalkSnapshot, walkSnapshot } from './offset-snapshot.ts'
import { type PackedRow, type PageRow, packedRow, unpackRow } from './page-row.ts'

export interface Page {
  rows: PageRow[]
  hasMore: boolean
  /** Of the walk that the page belongs to. */
  began: WalkSnapshot | null
}

/**
 * Below this many matches of `since` they are found by time and sorted; above it the positions are
 * scanned, since most of them match.
 */
const FEW_MATCHES = 20_000

/** A literal in the statement, since a cached plan must know that a page is small. */
const limitTo = (rows: number): Prisma.Sql => Prisma.raw(`limit ${Math.trunc(rows)}`)

/**
 * Reads only the columns that a list entry needs; the page's photos are selected first, so that the
 * joins read a page and never the table.
 */
async function readPage(db: Database, chosen: Prisma.Sql, limit: number, walk: OffsetWalk | null = null): Promise<Page> {
  const [found] = await queryPrepared<{ rows: PackedRow[]; began: PackedWalkSnapshot | null }>(
    db,
    Prisma.sql`
    select coalesce(json_agg(${packedRow} order by c.place), '[]') as rows, ${walk ? walkSnapshot(walk) : Prisma.sql`null`} as began
    from (${chosen} ${limitTo(limit + 1)}) c join feed_photo f on f.id = c.id`,
  )
  const rows = found?.rows ?? []
  return { rows: rows.slice(0, limit).map(unpackRow), hasMore: rows.length > limit, began: unpackWalkSnapshot(found?.began ?? null) }
}

/**
 * Whether the store's membership ever changed without a change of the photo; most stores sell
 * everything and need no second query.
 */
const hasEvents = ({ assortment, had_assortment }: FeedStore) => assortment !== null || had_assortment

/** The last time that a photo entered or left the store's assortment, joined to `photo p`. */
function eventOf(store: FeedStore) {
  if (!hasEvents(store)) return { join: Prisma.empty, seq: Prisma.sql`null::bigint`, at: Prisma.sql`null::timestamptz` }
  return {
    join: Prisma.sql`left join store_event e on e.store_id = ${store.id}::uuid and e.photo_id = p.id`,
    seq: Prisma.sql`e.seq`,
    at: Prisma.sql`e.published_at`,
  }
}

/**
 * What a list shows: photos that the store has, and with tombstones those that it had. Photos
 * deleted before they entered the assortment were never in the store.
 */
function shown(store: FeedStore, withTombstones: boolean): Prisma.Sql {
  const member = assortmentCondition(store)
  if (!withTombstones) return Prisma.sql`(p.feed_live and ${member})`
  if (!hasEvents(store)) return member
  return Prisma.sql`(case when e.photo_id is null then ${member} else e.was_member or (${member} and (p.feed_live or e.seq < p.feed_seq)) end)`
}

export interface Since {
  at: Date
  /** How many photos match. */
  matches: number
}

const changedSince = (store: FeedStore, at: Date): Prisma.Sql =>
  hasEvents(store)
    ? Prisma.sql`select id from photo where published_at >= ${at} union select photo_id from store_event where store_id = ${store.id}::uuid and published_at >= ${at}`
    : Prisma.sql`select id from photo where published_at >= ${at}`

/** Returns a page in the order of positions, which never change. */
export function pageByPosition(
  db: Database,
  store: FeedStore,
  {
    offset,
    since,
    withTombstones,
    limit,
    walk,
  }: { offset: number; since: Since | null; withTombstones: boolean; limit: number; walk: OffsetWalk | null },
): Promise<Page> {
  const event = eventOf(store)
  const few = since !== null && since.matches <= FEW_MATCHES
  const from = few ? Prisma.sql`(${changedSince(store, since.at)}) m join photo p on p.id = m.id` : Prisma.sql`photo p`
  const dense = since !== null && !few ? Prisma.sql`and (p.published_at >= ${since.at} or ${event.at} >= ${since.at})` : Prisma.empty
  return readPage(
    db,
    Prisma.sql`
      select p.id, p.position as place, greatest(p.published_at, ${event.at}) as at, p.feed_live and ${assortmentCondition(store)} as sold
      from ${from} ${event.join}
      where p.position > ${offset} and p.feed_seq is not null and ${shown(store, withTombstones)} ${dense}
      order by p.position`,
    limit,
    walk,
  )
}

/**
 * Returns a page in the order of change. A photo with an unnumbered change is left out: its number
 * will be higher than any so far, so it comes later and is not shown twice.
 */
export function pageByChange(
  db: Database,
  store: FeedStore,
  { cursor: { seq, pages }, withTombstones, limit }: { cursor: FeedCursor; withTombstones: boolean; limit: number },
): Promise<Page> {
  const event = eventOf(store)
  const member = assortmentCondition(store)
  /** Not yet read in the order of positions. */
  const unread = (place: Prisma.Sql) =>
    pages && pages.position > 0 ? Prisma.sql`and not (p.position <= ${pages.position} and ${place} <= ${pages.seq})` : Prisma.empty
  const changes = Prisma.sql`
    select p.id, p.feed_seq as place, p.published_at as at, p.feed_live and ${member} as sold
    from photo p ${event.join}
    where p.feed_seq > ${seq} and not p.feed_pending and ${withTombstones ? member : Prisma.sql`p.feed_live and ${member}`}
      and (${event.seq} is null or ${event.seq} < p.feed_seq) ${unread(Prisma.sql`p.feed_seq`)}
    order by p.feed_seq`
  if (!hasEvents(store)) return readPage(db, changes, limit)
  const events = Prisma.sql`
    select p.id, e.seq as place, e.published_at as at, p.feed_live and ${member} as sold
    from store_event e join photo p on p.id = e.photo_id
    where e.store_id = ${store.id}::uuid and e.seq > ${seq} ${unread(Prisma.sql`e.seq`)}
      and case when ${member} then e.seq > p.feed_seq and not p.feed_pending and (p.feed_live or (${withTombstones} and e.was_member))
               else ${withTombstones} and e.was_member end
    order by e.seq`
  return readPage(
    db,
    Prisma.sql`select * from ((${changes} ${limitTo(limit + 1)}) union all (${events} ${limitTo(limit + 1)})) both_kinds order by place`,
    limit,
  )
}

/** Returns how many photos changed since; with tombstones, including those. */
export async function countSince(
  db: Database,
  store: FeedStore,
  { at, withTombstones }: { at: Date; withTombstones: boolean },
): Promise<number> {
  const [found] = await queryPrepared<{ count: string }>(
    db,
    Prisma.sql`
    select count(*) as count from (${changedSince(store, at)}) m join photo p on p.id = m.id ${eventOf(store).join}
    where p.feed_seq is not null and ${shown(store, withTombstones)}`,
  )
  return Number(found?.count ?? 0)
}

/**
 * Returns the last number given before a time of the feed: everything published then or later has a
 * higher one.
 */
export async function seqBefore(db: Database, store: FeedStore, at: Date): Promise<number> {
  const [found] = await queryPrepared<{ seq: string }>(
    db,
    Prisma.sql`
    select greatest(
      (select feed_seq from photo where published_at < ${at} order by published_at desc, feed_seq desc limit 1),
      (select max(seq) from store_event where store_id = ${store.id}::uuid and published_at < ${at}), 0) as seq`,
  )
  return Number(found?.seq ?? 0)
}

export interface AssortmentTotals {
  count: number
  bytes: number
  /** Checksum over the list's values of each photo: equal sums mean equal lists. */
  content: string
}

export const VARIANT_BYTES = eachVariant((name) => Prisma.raw(`p.feed_${name}_bytes`))

/**
 * Returns the totals of a store with an assortment; for one that sells everything the feed
 * maintains them.
 */
export async function assortmentTotals(db: Database, store: FeedStore): Promise<AssortmentTotals> {
  const size = store.variant === null ? Prisma.sql`p.feed_bytes` : VARIANT_BYTES[store.variant]
  const [found] = await queryPrepared<{ count: string; bytes: string; content: string }>(
    db,
    Prisma.sql`
    select count(*) as count, coalesce(sum(${size}), 0)::text as bytes, coalesce(sum(p.feed_content), 0)::text as content
    from photo p where p.feed_live and ${assortmentCondition(store)}`,
  )
  return { count: Number(found?.count ?? 0), bytes: Number(found?.bytes ?? 0), content: found?.content ?? '0' }
}
