import type { Database } from '../database/client.ts'
import { VARIANT_NAMES } from '../facts/variants.ts'
import { Prisma } from '../generated/client.ts'
import type { StoreStatus } from '../schemas/photo-sync.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'
import type { PhotoList } from './list.ts'
import { VARIANT_BYTES } from './page-queries.ts'
import { resetStoreCursors } from './publish-store-change.ts'
import { isSynced } from './reports.ts'

/** Failing photos listed in a store's entry. */
const MAX_FAILING = 100

interface Counted {
  id: string
  last_seen_at: string | null
  paused_at: string | null
  synced: number
  failed: number
  bytes: number
  served: { bytes: number; photos: number; bytes_from_peers: number; photos_from_peers: number }
  failing: { photo_id: string; product_id: string; product_name: string; error: string | null; attempts: number; at: string }[]
}

const iso = (utc: string) => new Date(`${utc}Z`).toISOString()

const BYTES_OF_VARIANT = Prisma.join(
  VARIANT_NAMES.map((name) => Prisma.sql`when ${Prisma.raw(`'${name}'`)} then ${VARIANT_BYTES[name]}`),
  ' ',
)

/** Returns each store's progress: counted from its reports about the photos that it has now. */
export async function listStoreStatus(
  { db, list }: { db: Database; list: PhotoList },
  snapshot: FeedSnapshot,
  stores: FeedStore[],
): Promise<StoreStatus[]> {
  if (stores.length === 0) return []
  const ids = stores.map((store) => store.id)
  const mine = Prisma.sql`p.feed_live and (s.assortment is null or store_sells(s.assortment, p.feed_sku, p.feed_category, in_stock_in(s.location_id, p.feed_in_stock, p.feed_in_stock_at)))`
  const rows = await db.$queryRaw<{ counted: Counted }[]>`
    select json_build_object('id', s.id, 'last_seen_at', s.last_seen_at at time zone 'utc', 'paused_at', s.paused_at at time zone 'utc', 'synced', coalesce(c.synced, 0), 'failed', coalesce(c.failed, 0),
      'bytes', coalesce(c.bytes, 0), 'served', d.served, 'failing', coalesce(f.failing, '[]')) as counted
    from store s
    left join lateral (
      select count(*) filter (where ${isSynced}) as synced,
        count(*) filter (where r.status = 'failed' and r.generation = s.generation) as failed,
        sum(case s.variant ${BYTES_OF_VARIANT} else p.feed_bytes end) filter (where ${isSynced}) as bytes
      from photo_report r join photo p on p.id = r.photo_id where r.store_id = s.id and ${mine}
    ) c on true
    left join lateral (
      select json_agg(json_build_object('photo_id', t.photo_id, 'product_id', t.product_id, 'product_name', t.product_name, 'error', t.error, 'attempts', t.attempts, 'at', t.synced_at at time zone 'utc') order by t.synced_at desc) as failing
      from (
        select r.*, p.product_id, pr.name as product_name from photo_report r
        join photo p on p.id = r.photo_id join product pr on pr.id = p.product_id
        where r.store_id = s.id and r.status = 'failed' and r.generation = s.generation and ${mine} order by r.synced_at desc limit ${MAX_FAILING}
      ) t
    ) f on true
    left join lateral (
      select json_build_object('bytes', coalesce(sum(bytes_served), 0), 'photos', coalesce(sum(photos_served), 0),
        'bytes_from_peers', coalesce(sum(bytes_from_peers), 0), 'photos_from_peers', coalesce(sum(photos_from_peers), 0)) as served
      from store_day where store_id = s.id
    ) d on true
    where s.id = any(${ids}::uuid[])`
  const counts = new Map(rows.map(({ counted }) => [counted.id, counted]))
  const answers: StoreStatus[] = []
  for (const store of stores) {
    const counted = counts.get(store.id)
    if (!counted) continue // deleted just now
    const { count } = await list.holdings(snapshot, store)
    answers.push({
      id: store.id,
      code: store.code,
      name: store.name,
      last_seen_at: counted.last_seen_at === null ? null : iso(counted.last_seen_at),
      paused_at: counted.paused_at === null ? null : iso(counted.paused_at),
      photos_total: count,
      photos_synced: counted.synced,
      photos_failed: counted.failed,
      photos_behind: Math.max(0, count - counted.synced),
      bytes_synced: Number(counted.bytes),
      bytes_served: counted.served.bytes,
      photos_served: counted.served.photos,
      bytes_from_peers: counted.served.bytes_from_peers,
      photos_from_peers: counted.served.photos_from_peers,
      failing: counted.failing.map((failing) => ({ ...failing, at: iso(failing.at) })),
    })
  }
  return answers
}

/**
 * Makes a store download everything again, or the given photos. Returns how many photos that
 * concerns.
 */
export async function resync(
  { db, list }: { db: Database; list: PhotoList },
  snapshot: FeedSnapshot,
  store: FeedStore,
  photoIds: string[] | undefined,
): Promise<number> {
  if (photoIds === undefined) {
    await db.$transaction((tx) => resetStoreCursors(tx, store.id))
    return (await list.holdings(snapshot, store)).count
  }
  const [row] = await db.$queryRaw<{ photos: number }[]>`select resend_photos(${store.id}::uuid, ${photoIds}::uuid[])::int as photos`
  return row?.photos ?? 0
}
