-- Places where goods are kept, and the stock of each product there. A place that Zoho no longer lists
-- keeps its row: stores may still be linked to it.
create table location (
  id text primary key,
  name text not null,
  status text not null default 'active',
  is_primary boolean not null default false,
  address jsonb,
  listed_at timestamptz(3),
  gone_at timestamptz(3)
);

create table product_stock (
  product_id uuid not null references product (id) on delete cascade on update cascade,
  location_id text not null references location (id) on update cascade,
  on_hand numeric(24, 6),
  available numeric(24, 6),
  actual_available numeric(24, 6),
  committed numeric(24, 6),
  primary key (product_id, location_id)
);
create index product_stock_location_id_idx on product_stock (location_id, product_id);

-- When the detail of an item was read, and what only the detail says. Apart from product_stock, so
-- that reading the same stock again is no change of it.
create table item_detail (
  product_id uuid primary key references product (id) on delete cascade on update cascade,
  asked_run uuid,
  stock_as_of timestamptz(3),
  custom_fields_at timestamptz(3),
  custom_fields text[] not null default '{}',
  stored_modified_at timestamptz(3)
);
create index item_detail_custom_fields_idx on item_detail using gin (custom_fields);

-- Custom fields of items. Zoho shows in lists only those that are set to.
create table custom_field (
  api_name text primary key,
  label text,
  listed_run uuid,
  in_list boolean not null default false
);

-- How much of the day stock by location may use; null: STOCK_PERCENT.
alter table zoho_rate_limit add column stock_percent integer check (stock_percent between 0 and 90);

alter table store add column location_id text references location (id) on update cascade;
drop trigger store_feed_changed on store;
create trigger store_feed_changed after update of code, name, variant, assortment, location_id, generation, resynced_at, paused_at on store
  for each statement execute function store_feed_changed();

-- The locations that have the product, as published; null: only the total is known.
alter table photo add column feed_in_stock_at text[];

-- Whether a store has a product in stock: in its own location, as far as that is known.
create function in_stock_in(location text, in_stock boolean, in_stock_at text[]) returns boolean language sql immutable parallel safe as $$
  select case when location is null or in_stock_at is null then in_stock else location = any(in_stock_at) end
$$;

-- A location that Zoho no longer lists has what the shop has: a store that is still linked to it
-- must not be emptied.
create or replace view feed_photo as
select p.id, p.position, p.feed_seq, p.published_at, p.feed_pending, p.product_id, pr.sku, pr.name, pr.zoho_item_id, pr.category,
  coalesce(pr.stock_on_hand > 0, true) as in_stock, p.filename, p.version, p.is_primary, p.sort_order, p.source, p.document_id, p.source_url,
  p.deleted_at is null and pr.deleted_at is null as live,
  p.sha256, b.md5, b.size, b.content_type, b.ext, b.width, b.height,
  m.sha256 as medium_sha256, m.md5 as medium_md5, m.size as medium_size, m.content_type as medium_content_type, m.width as medium_width,
  m.height as medium_height,
  t.sha256 as thumb_sha256, t.md5 as thumb_md5, t.size as thumb_size, t.content_type as thumb_content_type, t.width as thumb_width,
  t.height as thumb_height,
  case when pr.stock_on_hand is not null and exists (select 1 from item_detail d where d.product_id = pr.id and d.stock_as_of is not null) then array(
    select s.location_id from product_stock s where s.product_id = pr.id and s.on_hand > 0
    union select l.id from location l where l.gone_at is not null and pr.stock_on_hand > 0 order by 1) end as in_stock_at
from photo p
join product pr on pr.id = p.product_id
join blob b on b.sha256 = p.sha256
left join lateral (
  select v.* from variant v where v.source_sha256 = p.sha256 and v.name = 'medium' and v.format = 'webp' order by v.created_at desc, v.recipe desc limit 1
) m on true
left join lateral (
  select v.* from variant v where v.source_sha256 = p.sha256 and v.name = 'thumb' and v.format = 'webp' order by v.created_at desc, v.recipe desc limit 1
) t on true;

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
    select p.id, p.position, p.feed_pending, s.id as store_id, store_sells(s.assortment, f.sku, f.category, in_stock_in(s.location_id, f.in_stock, f.in_stock_at)) as sells_now
    from photo p join feed_photo f on f.id = p.id cross join store s
    where p.id = any(ids) and p.feed_seq is not null and s.assortment is not null
      and store_sells(s.assortment, p.feed_sku, p.feed_category, in_stock_in(s.location_id, p.feed_in_stock, p.feed_in_stock_at)) <> store_sells(s.assortment, f.sku, f.category, in_stock_in(s.location_id, f.in_stock, f.in_stock_at))
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
      feed_sku = face.sku, feed_category = face.category, feed_in_stock = face.in_stock, feed_in_stock_at = face.in_stock_at, feed_pending = false, member_pending = false
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

-- Replacing a function forgets its settings.
alter function number_feed(integer) set enable_seqscan = off;
alter function number_feed(integer) set enable_hashjoin = off;
alter function number_feed(integer) set enable_mergejoin = off;

create or replace function resend_photos(of_store uuid, ids uuid[]) returns bigint language plpgsql as $$
declare
  state feed_state%rowtype;
  at timestamptz(3);
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  insert into store_event (store_id, photo_id, seq, published_at)
  select of_store, p.id, state.last_seq + row_number() over (order by p.position), at from photo p, store s
  where p.id = any(ids) and s.id = of_store and p.feed_live and store_sells(s.assortment, p.feed_sku, p.feed_category, in_stock_in(s.location_id, p.feed_in_stock, p.feed_in_stock_at))
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at;
  get diagnostics events = row_count;
  update photo_report set generation = -1 where store_id = of_store and photo_id = any(ids);
  -- The stores are read again, since this one has events from now on.
  update feed_state set last_seq = state.last_seq + events, clock_at = at + interval '1 millisecond', store_version = store_version + 1 where events > 0;
  return events;
end $$;

create or replace function store_event_was_member() returns trigger language plpgsql as $$
begin
  select coalesce(e.was_member, false)
    or (coalesce(store_sells(s.assortment, p.feed_sku, p.feed_category, in_stock_in(s.location_id, p.feed_in_stock, p.feed_in_stock_at)), false)
      and (p.feed_live or e.seq is null or e.seq < p.feed_seq))
  into new.was_member
  from store s join photo p on p.id = new.photo_id left join store_event e on e.store_id = s.id and e.photo_id = p.id
  where s.id = new.store_id;
  return new;
end $$;

drop function number_assortment(uuid, jsonb, jsonb);
-- Notes for one store which photos its new assortment or location takes in or leaves out, and
-- numbers them. Call it with the feed's row locked and nothing due.
create function number_assortment(of_store uuid, old_assortment jsonb, old_location text, new_assortment jsonb, new_location text) returns bigint language plpgsql as $$
declare
  state feed_state%rowtype;
  at timestamptz(3);
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  insert into store_event (store_id, photo_id, seq, published_at, was_member)
  select of_store, p.id, state.last_seq + row_number() over (order by p.position), at,
    coalesce(e.was_member, false)
      or (store_sells(old_assortment, p.feed_sku, p.feed_category, in_stock_in(old_location, p.feed_in_stock, p.feed_in_stock_at)) and (p.feed_live or e.seq is null or e.seq < p.feed_seq))
  from photo p left join store_event e on e.store_id = of_store and e.photo_id = p.id
  where p.feed_seq is not null
    and store_sells(old_assortment, p.feed_sku, p.feed_category, in_stock_in(old_location, p.feed_in_stock, p.feed_in_stock_at)) <> store_sells(new_assortment, p.feed_sku, p.feed_category, in_stock_in(new_location, p.feed_in_stock, p.feed_in_stock_at))
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at, was_member = excluded.was_member;
  get diagnostics events = row_count;
  if events > 0 then
    update feed_state set last_seq = state.last_seq + events, clock_at = at + interval '1 millisecond';
  end if;
  return events;
end $$;

-- A location that is gone counts as the whole shop, so every photo is looked at again. Its name is
-- part of the records of products.
create function location_changed() returns trigger language plpgsql as $$
begin
  if (old.gone_at is null) <> (new.gone_at is null) then
    update photo set member_pending = true;
  end if;
  if old.name <> new.name then
    insert into product_mark (product_id, fields) select product_id, array['stock'] from product_stock where location_id = new.id;
  end if;
  return null;
end $$;
create trigger location_changed after update on location for each row
  when ((old.gone_at is null) <> (new.gone_at is null) or old.name <> new.name) execute function location_changed();

-- Stock by location is part of the product's record; what crosses zero moves the stores of that
-- location.
create function product_stock_changed() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into product_mark (product_id, fields) select distinct product_id, array['stock'] from new_rows;
    update photo set member_pending = true where product_id in (select product_id from new_rows where on_hand > 0);
  elsif tg_op = 'DELETE' then
    insert into product_mark (product_id, fields) select distinct product_id, array['stock'] from old_rows;
    update photo set member_pending = true where product_id in (select product_id from old_rows where on_hand > 0);
  else
    insert into product_mark (product_id, fields)
    select distinct product_id, array['stock'] from (select * from new_rows except select * from old_rows) as changed
    union select product_id, array['stock'] from (select * from old_rows except select * from new_rows) as changed;
    update photo set member_pending = true where product_id in (
      select product_id from (
        (select product_id, location_id from new_rows where on_hand > 0 except select product_id, location_id from old_rows where on_hand > 0)
        union (select product_id, location_id from old_rows where on_hand > 0 except select product_id, location_id from new_rows where on_hand > 0)
      ) as crossed);
  end if;
  return null;
end $$;
create trigger product_stock_added after insert on product_stock referencing new table as new_rows
  for each statement execute function product_stock_changed();
create trigger product_stock_removed after delete on product_stock referencing old table as old_rows
  for each statement execute function product_stock_changed();
create trigger product_stock_changed after update on product_stock referencing old table as old_rows new table as new_rows
  for each statement execute function product_stock_changed();

-- Stock that is read for the first time, or is no longer tracked, decides by other figures than before.
create function product_stock_known() returns trigger language plpgsql as $$
begin
  update photo set member_pending = true where product_id = new.product_id;
  return null;
end $$;
create trigger item_detail_made after insert on item_detail for each row when (new.stock_as_of is not null) execute function product_stock_known();
create trigger item_detail_changed after update on item_detail for each row
  when ((old.stock_as_of is null) <> (new.stock_as_of is null)) execute function product_stock_known();

create function product_stock_tracked() returns trigger language plpgsql as $$
begin
  update photo set member_pending = true where product_id = new.id;
  return null;
end $$;
create trigger product_stock_tracked after update on product for each row
  when ((old.stock_on_hand is null) <> (new.stock_on_hand is null)) execute function product_stock_tracked();

create or replace view erp.product_stock as
select s.product_id, s.location_id, l.name as location, s.on_hand, s.available, s.committed, d.stock_as_of as as_of
from product_stock s
join product p on p.id = s.product_id and p.deleted_at is null
join location l on l.id = s.location_id
left join item_detail d on d.product_id = s.product_id;
comment on view erp.product_stock is 'Stock by location of existing products; empty where Zoho has no locations.';

create or replace view erp.store as
select s.id, s.code, s.name, s.location_id from store s;
