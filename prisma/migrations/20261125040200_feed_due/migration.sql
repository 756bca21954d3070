-- Only this index gives this order, so the search for what is due uses it whatever the statistics say: right after a bulk load they say that everything is
-- due, and the planner would look through the whole table for a row that is no longer there.
drop index photo_due_idx;
create index photo_due_idx on photo ((position + 0)) where feed_pending or member_pending;

-- Gives committed changes their numbers, `at_most` photos a call; answers how many photos it looked at.
-- Numbers are given after commit and under one lock, so a reader that has seen a number has seen every smaller one, however long a writer took.
-- A row that a writer holds is passed over: it keeps waiting, and gets a higher number later.
create or replace function number_feed(at_most integer) returns integer language plpgsql as $$
declare
  state feed_state%rowtype;
  ids uuid[];
  at timestamptz(3);
  contents bigint;
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);

  -- Rows that are gone for good. A tombstone: readers that have not come to it must begin anew. A photo that was there: nobody can be told, so all must.
  with gone as (delete from feed_erased returning *), summed as (
    select coalesce(max(case when live then state.last_seq + 1 else seq end), 0) as seq, count(*) filter (where live) as photos,
      coalesce(sum(bytes) filter (where live), 0) as bytes, coalesce(sum(medium_bytes) filter (where live), 0) as medium_bytes,
      coalesce(sum(thumb_bytes) filter (where live), 0) as thumb_bytes, coalesce(sum(content) filter (where live), 0) as content, count(*) as rows
    from gone)
  update feed_state f set last_seq = f.last_seq + 1, pruned_seq = greatest(f.pruned_seq, s.seq), photos = f.photos - s.photos, bytes = f.bytes - s.bytes,
    medium_bytes = f.medium_bytes - s.medium_bytes, thumb_bytes = f.thumb_bytes - s.thumb_bytes, content = f.content - s.content
  from summed s where s.rows > 0;
  if found then
    state.last_seq := state.last_seq + 1;
  end if;

  select array_agg(due.id) into ids from (
    select id from photo where feed_pending or member_pending order by position + 0 limit at_most for no key update skip locked) due;
  if ids is null then
    return 0;
  end if;
  -- A statement of its own, so that it sees the rows as they are now that they are locked.
  select count(*) into contents from photo where id = any(ids) and feed_pending;

  with moved as (
    select p.id, p.position, p.feed_pending, s.id as store_id, store_sells(s.assortment, f.sku, f.category, f.in_stock) as sells_now
    from photo p join feed_photo f on f.id = p.id cross join store s
    where p.id = any(ids) and p.feed_seq is not null and s.assortment is not null
      and store_sells(s.assortment, p.feed_sku, p.feed_category, p.feed_in_stock) <> store_sells(s.assortment, f.sku, f.category, f.in_stock)
  ), kept as (
    -- What enters with a number of its own needs no event beside it.
    select store_id, id, row_number() over (order by position, store_id) as n from moved where not (sells_now and feed_pending)
  )
  insert into store_event (store_id, photo_id, seq, published_at) select store_id, id, state.last_seq + contents + n, at from kept
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at;
  get diagnostics events = row_count;

  with face as (
    select f.*, p.feed_live as old_live, p.feed_bytes as old_bytes, p.feed_medium_bytes as old_medium, p.feed_thumb_bytes as old_thumb,
      p.feed_content as old_content, row_number() over (partition by p.feed_pending order by p.position) as n
    from feed_photo f join photo p on p.id = f.id where p.id = any(ids)
  ), written as (
    update photo p set
      feed_seq = case when face.feed_pending then state.last_seq + face.n else p.feed_seq end,
      published_at = case when face.feed_pending then at else p.published_at end,
      feed_live = face.live,
      feed_bytes = case when face.live then face.size else 0 end,
      feed_medium_bytes = case when face.live then coalesce(face.medium_size, face.size) else 0 end,
      feed_thumb_bytes = case when face.live then coalesce(face.thumb_size, face.size) else 0 end,
      feed_content = case when face.live then hashtextextended(row(face.id, face.product_id, face.sku, face.name, face.zoho_item_id, face.filename,
        face.version, face.is_primary, face.sort_order, face.source, face.document_id, face.source_url, face.sha256, face.md5, face.size,
        face.content_type, face.ext, face.width, face.height, face.medium_sha256, face.medium_size, face.thumb_sha256, face.thumb_size)::text, 0) else 0 end,
      feed_sku = face.sku, feed_category = face.category, feed_in_stock = face.in_stock, feed_pending = false, member_pending = false
    from face where p.id = face.id
    returning p.feed_live, p.feed_bytes, p.feed_medium_bytes, p.feed_thumb_bytes, p.feed_content, face.old_live, face.old_bytes, face.old_medium,
      face.old_thumb, face.old_content
  ), sums as (
    select sum(feed_live::int - old_live::int) as photos, sum(feed_bytes - old_bytes) as bytes, sum(feed_medium_bytes - old_medium) as medium_bytes,
      sum(feed_thumb_bytes - old_thumb) as thumb_bytes, sum(feed_content::numeric - old_content) as content from written)
  update feed_state f set
    last_seq = state.last_seq + contents + events,
    clock_at = case when contents + events > 0 then at + interval '1 millisecond' else f.clock_at end,
    photos = f.photos + s.photos, bytes = f.bytes + s.bytes, medium_bytes = f.medium_bytes + s.medium_bytes,
    thumb_bytes = f.thumb_bytes + s.thumb_bytes, content = f.content + s.content
  from sums s;
  return cardinality(ids);
end $$;
