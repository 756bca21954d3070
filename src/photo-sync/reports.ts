import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { parseTimestamp } from '../lib/parse-timestamp.ts'
import type { StatusBody } from '../schemas/photo-sync.ts'
import { assortmentCondition } from './assortment-filter.ts'
import type { FeedStore } from './change-feed.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Longer error texts, such as stack traces, are cut off. */
const MAX_ERROR_LENGTH = 2_000

interface Report {
  photo_id: string
  status: StatusBody['sync_batch'][number]['status']
  synced_at: string | null
  error: string | null
  version: number | null
}

/**
 * Saves what a store reports, the newest report of each photo: an earlier report never overwrites a
 * later one, in whichever order they arrive, and a repeated one counts once. A time in the future
 * is replaced by now, and now is at least the feed's `server_time`: with one process's own clock, a
 * report could lose to an older one that a process with a faster clock saved. Throws
 * BadRequestError for an invalid time.
 */
export async function saveReports(
  db: Db,
  store: FeedStore,
  batch: StatusBody['sync_batch'],
): Promise<{ updated: number; unknown: string[] }> {
  const unknown: string[] = []
  const given: Report[] = []
  for (const [n, { photo_id, status, synced_at, error, version }] of batch.entries()) {
    const at = synced_at ? parseTimestamp(`sync_batch.${n}.synced_at`, synced_at).toISOString() : null
    const id = photo_id.toLowerCase()
    if (!UUID.test(id)) {
      unknown.push(photo_id)
      continue
    }
    given.push({
      photo_id: id,
      status,
      synced_at: at,
      // PostgreSQL stores no NUL and no lone surrogates.
      error: status === 'failed' && error ? error.replaceAll('\0', '').toWellFormed().slice(0, MAX_ERROR_LENGTH) : null,
      version: version ?? null,
    })
  }
  if (given.length === 0) return { updated: 0, unknown }
  const [found] = await db.$queryRaw<{ known: string[]; updated: number }[]>`
    with present as materialized (
      select greatest(clock_at, date_trunc('milliseconds', clock_timestamp())) as now from feed_state
    ), given as (
      -- The newest of each photo: two reports of a photo in one batch count like two batches.
      -- A report without a time gets the time of arrival.
      select distinct on (t.photo_id) t.photo_id, t.status, t.error, t.version, least(t.synced_at, present.now) as synced_at, present.now
      from present, rows from (jsonb_to_recordset(${JSON.stringify(given)}::jsonb)
        as (photo_id uuid, status text, synced_at timestamptz, error text, version integer)) with ordinality
        as t(photo_id, status, synced_at, error, version, nth)
      order by t.photo_id, least(t.synced_at, present.now) desc, t.nth desc
    ), known as (
      -- A photo that the store never had is unknown to it, whether it exists or not.
      select g.*, p.version as present, p.published_at,
        -- What it was before: a report that is repeated counts once in the history.
        r.status as was_status, r.version as was_version, r.generation as was_generation, r.synced_at as was_synced_at
      from given g join photo p on p.id = g.photo_id
        left join photo_report r on r.store_id = ${store.id}::uuid and r.photo_id = p.id
      where ${assortmentCondition(store)} or exists (select 1 from store_event e where e.store_id = ${store.id}::uuid and e.photo_id = p.id)
        or exists (select 1 from photo_report r where r.store_id = ${store.id}::uuid and r.photo_id = p.id)
    ), written as (
      insert into photo_report as r (store_id, photo_id, status, version, error, attempts, synced_at, reported_at, generation)
      select ${store.id}::uuid, photo_id, status, coalesce(version, present), error, (status = 'failed')::int, synced_at, now, ${store.generation}
      from known order by photo_id
      on conflict (store_id, photo_id) do update set
        status = excluded.status, version = excluded.version, error = excluded.error, synced_at = excluded.synced_at,
        reported_at = excluded.reported_at, generation = excluded.generation,
        attempts = case
          when excluded.status <> 'failed' then 0
          when r.synced_at = excluded.synced_at and r.status = 'failed' then r.attempts
          else r.attempts + 1 end
      where r.synced_at <= excluded.synced_at
      returning photo_id
    ), news as (
      select k.status, greatest(0, extract(epoch from k.now - greatest(k.published_at, s.created_at, s.resynced_at)))::int as lag
      from written w join known k using (photo_id) join store s on s.id = ${store.id}::uuid
      where (k.status = 'failed' and k.was_synced_at is distinct from k.synced_at)
        or (k.status = 'synced' and coalesce(k.version, k.present) = k.present
          and (k.was_status, k.was_version, k.was_generation) is distinct from ('synced', k.present, ${store.generation}))
    ), counted as (
      insert into store_day as d (store_id, day, photos_synced, photos_failed, lag_seconds_max, lag_seconds_sum)
      select ${store.id}::uuid, (clock_timestamp() at time zone 'utc')::date, count(*) filter (where status = 'synced'),
        count(*) filter (where status = 'failed'), coalesce(max(lag) filter (where status = 'synced'), 0),
        coalesce(sum(lag) filter (where status = 'synced'), 0)
      from news having count(*) > 0
      on conflict (store_id, day) do update set photos_synced = d.photos_synced + excluded.photos_synced,
        photos_failed = d.photos_failed + excluded.photos_failed, lag_seconds_sum = d.lag_seconds_sum + excluded.lag_seconds_sum,
        lag_seconds_max = greatest(d.lag_seconds_max, excluded.lag_seconds_max)
    )
    select (select coalesce(array_agg(photo_id::text), '{}') from known) as known, (select count(*)::int from written) as updated`
  const known = new Set(found?.known ?? [])
  for (const { photo_id } of batch) if (UUID.test(photo_id) && !known.has(photo_id.toLowerCase())) unknown.push(photo_id)
  return { updated: found?.updated ?? 0, unknown: [...new Set(unknown)] }
}

/** Condition for reports of a store (`r`, `p`, `s` joined) that confirm the present bytes. */
export const isSynced = Prisma.sql`(r.status = 'synced' and r.version = p.version and r.generation = s.generation)`
