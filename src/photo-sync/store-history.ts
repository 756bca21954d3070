import type { Db } from '../database/client.ts'
import type { StatusBody, StoreHistoryDay } from '../schemas/photo-sync.ts'
import type { FeedStore } from './change-feed.ts'

/** More would be a client that makes up ids. */
const MAX_CLIENTS = 1_000

/** Returns the days (UTC) of a store on which anything happened, newest first. */
export async function storeHistory(db: Db, storeId: string, days: number): Promise<StoreHistoryDay[]> {
  const rows = await db.$queryRaw<{ entry: StoreHistoryDay }[]>`
    select json_build_object('day', day, 'bytes_served', bytes_served, 'photos_served', photos_served, 'bytes_from_peers', bytes_from_peers,
      'photos_from_peers', photos_from_peers, 'photos_synced', photos_synced, 'photos_failed', photos_failed,
      'lag_seconds_average', case when photos_synced > 0 then round(lag_seconds_sum / photos_synced::numeric) end,
      'lag_seconds_max', case when photos_synced > 0 then lag_seconds_max end) as entry
    from store_day where store_id = ${storeId}::uuid and day > (clock_timestamp() at time zone 'utc')::date - ${days}::int order by day desc`
  return rows.map(({ entry }) => entry)
}

/**
 * Counts what an edge server has fetched from its peers since its last report: it reports totals,
 * so a report that is repeated counts once.
 */
export async function saveEdgeClient(
  db: Db,
  store: FeedStore,
  { id, bytes_from_peers, photos_from_peers }: NonNullable<StatusBody['edge_client']>,
): Promise<void> {
  await db.$executeRaw`
    with before as materialized (
      select bytes_from_peers as bytes, photos_from_peers as photos from edge_client where store_id = ${store.id}::uuid and id = ${id}::uuid
    ), saved as (
      insert into edge_client as c (store_id, id, bytes_from_peers, photos_from_peers, reported_at)
      select ${store.id}::uuid, ${id}::uuid, ${bytes_from_peers}::bigint, ${photos_from_peers}::bigint, clock_timestamp()
      where exists (select 1 from before) or (select count(*) from edge_client where store_id = ${store.id}::uuid) < ${MAX_CLIENTS}
      on conflict (store_id, id) do update set bytes_from_peers = greatest(c.bytes_from_peers, excluded.bytes_from_peers),
        photos_from_peers = greatest(c.photos_from_peers, excluded.photos_from_peers), reported_at = excluded.reported_at
      returning bytes_from_peers, photos_from_peers
    )
    insert into store_day as d (store_id, day, bytes_from_peers, photos_from_peers)
    select ${store.id}::uuid, (clock_timestamp() at time zone 'utc')::date,
      saved.bytes_from_peers - coalesce((select bytes from before), 0), saved.photos_from_peers - coalesce((select photos from before), 0)
    from saved
    on conflict (store_id, day) do update
      set bytes_from_peers = d.bytes_from_peers + excluded.bytes_from_peers, photos_from_peers = d.photos_from_peers + excluded.photos_from_peers`
}
