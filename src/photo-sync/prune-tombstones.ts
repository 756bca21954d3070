import type { Database } from '../database/client.ts'
import { assignSequence } from './change-feed.ts'

const BATCH = 5_000
/** A deleted photo can be restored for a week, so its row stays at least that long. */
const GRACE_DAYS = 7

/**
 * Deletes tombstones older than `olderThanDays`. A store that has not read them by then gets 410
 * for its cursor and lists everything again, so no deleted photo stays on its edge server. Returns
 * how many were deleted.
 */
export async function pruneTombstones(
  db: Database,
  { olderThanDays }: { olderThanDays: number },
): Promise<{ photos: number; events: number }> {
  await assignSequence(db)
  const days = Math.max(olderThanDays, GRACE_DAYS)
  const pruned = { photos: 0, events: 0 }
  for (;;) {
    const deleted = await db.$executeRaw`
      delete from photo where id in (
        select id from photo where deleted_at < clock_timestamp() - ${days} * interval '1 day'
          and coalesce(published_at < clock_timestamp() - ${days} * interval '1 day', true) and not feed_pending limit ${BATCH} for update skip locked)`
    pruned.photos += deleted
    if (deleted < BATCH) break
  }
  // The feed's row is locked first, as by every numbering, so that no concurrent change is missed.
  await db.$transaction(async (tx) => {
    await tx.$queryRaw`select 1 from feed_state for update`
    // Tombstones whose rows are kept for a restore lose their number all the same: a reader that
    // has not read them lists everything again. Without a number no list shows them; a restore gets
    // a new one.
    const [waiting] = await tx.$queryRaw<{ photos: number }[]>`
      with due as (
        select id, feed_seq from photo where feed_seq is not null and not feed_live and not feed_pending
          and published_at <= clock_timestamp() - ${olderThanDays} * interval '1 day' for no key update),
        forgotten as (update photo set feed_seq = null, published_at = null from due where photo.id = due.id returning due.feed_seq),
        old as (select max(feed_seq) as seq, count(*)::int as photos from forgotten)
      update feed_state set pruned_seq = greatest(pruned_seq, old.seq) from old where old.photos > 0 returning old.photos`
    pruned.photos += waiting?.photos ?? 0
    const [row] = await tx.$queryRaw<{ events: number }[]>`
      with gone as (delete from store_event where published_at <= clock_timestamp() - ${olderThanDays} * interval '1 day' returning seq),
        noted as (update feed_state set pruned_seq = greatest(pruned_seq, (select max(seq) from gone)) where exists (select 1 from gone))
      select count(*)::int as events from gone`
    pruned.events = row?.events ?? 0
  })
  await assignSequence(db)
  await db.$executeRaw`delete from feed_walk where clock_at < clock_timestamp() - interval '2 days'`
  return pruned
}
