-- Stores, the tokens of their edge servers, and the change feed that they read.
create table store (
  id uuid primary key default gen_random_uuid(),
  code text not null unique,
  name text not null,
  variant text,
  assortment jsonb,
  generation integer not null default 0,
  resynced_at timestamptz(3),
  last_seen_at timestamptz(3),
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp
);

create table edge_token (
  id uuid primary key default gen_random_uuid(),
  store_id uuid not null references store (id) on delete cascade on update cascade,
  name text not null,
  created_at timestamptz(3) not null default current_timestamp,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3)
);
create index edge_token_store_id_idx on edge_token (store_id);

-- One row, made when the feed is first opened. Its row lock is what numbering takes.
create table feed_state (
  id smallint primary key default 1 check (id = 1),
  epoch uuid not null default gen_random_uuid(),
  born_in text not null,
  cursor_key text not null default gen_random_uuid()::text || gen_random_uuid()::text,
  last_seq bigint not null default 0,
  clock_at timestamptz(3) not null default date_trunc('milliseconds', clock_timestamp()),
  pruned_seq bigint not null default 0,
  store_version bigint not null default 0,
  photos bigint not null default 0,
  bytes bigint not null default 0,
  medium_bytes bigint not null default 0,
  thumb_bytes bigint not null default 0,
  content numeric not null default 0
);

-- Where a photo entered or left what one store sells, without a change of its own: at most one row a store and photo, the last time.
create table store_event (
  store_id uuid not null references store (id) on delete cascade on update cascade,
  photo_id uuid not null references photo (id) on delete cascade on update cascade,
  seq bigint not null,
  published_at timestamptz(3) not null,
  primary key (store_id, photo_id)
);
create unique index store_event_seq_idx on store_event (store_id, seq);
create index store_event_published_at_idx on store_event (store_id, published_at);
create index store_event_photo_id_idx on store_event (photo_id);

-- What a store's edge server reported of a photo, the newest report only.
create table photo_report (
  store_id uuid not null references store (id) on delete cascade on update cascade,
  photo_id uuid not null references photo (id) on delete cascade on update cascade,
  status text not null,
  version integer,
  error text,
  attempts integer not null default 0,
  synced_at timestamptz(3) not null,
  reported_at timestamptz(3) not null default current_timestamp,
  generation integer not null default 0,
  primary key (store_id, photo_id)
);
create index photo_report_photo_id_idx on photo_report (photo_id);
create index photo_report_failed_idx on photo_report (store_id, synced_at desc) where status = 'failed';

-- When a reader of offset pages began: its later pages must not answer a later time than that.
create table feed_pass (
  id bigserial primary key,
  store_id uuid not null references store (id) on delete cascade on update cascade,
  reader uuid not null,
  since text not null,
  seq bigint not null,
  clock_at timestamptz(3) not null
);
create index feed_pass_reader_idx on feed_pass (store_id, reader, since, clock_at);

-- Photo rows that somebody removed for good: the next numbering takes them out of the counts.
create table feed_erased (
  id bigserial primary key,
  seq bigint not null,
  live boolean not null,
  bytes bigint not null,
  medium_bytes bigint not null,
  thumb_bytes bigint not null,
  content bigint not null
);

alter table photo
  -- Category or stock of the product moved: what stores sell may have changed, the photo itself has not.
  add column member_pending boolean not null default false,
  -- As published. The counts and digests are sums of these, and membership is judged by them, so that both change only with a number.
  add column feed_live boolean not null default false,
  add column feed_bytes bigint not null default 0,
  add column feed_medium_bytes bigint not null default 0,
  add column feed_thumb_bytes bigint not null default 0,
  add column feed_content bigint not null default 0,
  add column feed_sku text,
  add column feed_category text,
  add column feed_in_stock boolean;
drop index photo_pending_idx;
create index photo_due_idx on photo (position) where feed_pending or member_pending;
create index photo_published_at_idx on photo (published_at);
create index photo_feed_sku_idx on photo (feed_sku);
create index photo_feed_category_idx on photo (feed_category);

-- A photo with everything that its list entry says. Of a variant the newest one made is what stores get.
create view feed_photo as
select p.id, p.position, p.feed_seq, p.published_at, p.feed_pending, p.product_id, pr.sku, pr.name, pr.zoho_item_id, pr.category,
  coalesce(pr.stock_on_hand > 0, true) as in_stock, p.filename, p.version, p.is_primary, p.sort_order, p.source, p.document_id, p.source_url,
  p.deleted_at is null and pr.deleted_at is null as live,
  p.sha256, b.md5, b.size, b.content_type, b.ext, b.width, b.height,
  m.sha256 as medium_sha256, m.md5 as medium_md5, m.size as medium_size, m.content_type as medium_content_type, m.width as medium_width,
  m.height as medium_height,
  t.sha256 as thumb_sha256, t.md5 as thumb_md5, t.size as thumb_size, t.content_type as thumb_content_type, t.width as thumb_width,
  t.height as thumb_height
from photo p
join product pr on pr.id = p.product_id
join blob b on b.sha256 = p.sha256
left join lateral (
  select v.* from variant v where v.source_sha256 = p.sha256 and v.name = 'medium' and v.format = 'webp' order by v.created_at desc, v.recipe desc limit 1
) m on true
left join lateral (
  select v.* from variant v where v.source_sha256 = p.sha256 and v.name = 'thumb' and v.format = 'webp' order by v.created_at desc, v.recipe desc limit 1
) t on true;

-- Whether an assortment (see src/contract/stores.ts) holds a product. SKUs and categories together, less what is sold out when in_stock is asked.
create function store_sells(assortment jsonb, sku text, category text, in_stock boolean) returns boolean language sql immutable parallel safe as $$
  select assortment is null or (
    (not (assortment ? 'skus' or assortment ? 'categories')
      or coalesce(assortment -> 'skus' ? sku, false) or coalesce(assortment -> 'categories' ? category, false))
    and (coalesce((assortment ->> 'in_stock')::boolean, false) is false or in_stock))
$$;

-- Whoever writes, through whatever door: what a list entry says has changed, so the photo waits for a number.
-- The flags are set without asking whether they stand already: the numbering may be about to clear them, and setting waits for it.
create function photo_feed_changed() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    new.feed_pending := true;
    new.feed_seq := null;
    new.published_at := null;
    new.feed_live := false;
  elsif (new.product_id, new.sha256, new.filename, new.is_primary, new.sort_order, new.version, new.deleted_at, new.source, new.document_id, new.source_url)
    is distinct from
    (old.product_id, old.sha256, old.filename, old.is_primary, old.sort_order, old.version, old.deleted_at, old.source, old.document_id, old.source_url) then
    new.feed_pending := true;
  end if;
  return new;
end $$;
create trigger photo_feed_inserted before insert on photo for each row execute function photo_feed_changed();
create trigger photo_feed_updated
  before update of product_id, sha256, filename, is_primary, sort_order, version, deleted_at, source, document_id, source_url on photo
  for each row execute function photo_feed_changed();

create function photo_feed_erased() returns trigger language plpgsql as $$
begin
  if old.feed_seq is not null then
    insert into feed_erased (seq, live, bytes, medium_bytes, thumb_bytes, content)
    values (old.feed_seq, old.feed_live, old.feed_bytes, old.feed_medium_bytes, old.feed_thumb_bytes, old.feed_content);
  end if;
  return null;
end $$;
create trigger photo_feed_erased after delete on photo for each row execute function photo_feed_erased();

create function product_feed_changed() returns trigger language plpgsql as $$
begin
  if (new.sku, new.name, new.zoho_item_id, new.deleted_at is null) is distinct from (old.sku, old.name, old.zoho_item_id, old.deleted_at is null) then
    update photo set feed_pending = true, member_pending = true where product_id = new.id;
  else
    update photo set member_pending = true where product_id = new.id;
  end if;
  return null;
end $$;
create trigger product_feed_changed after update on product for each row
  when (old.sku is distinct from new.sku or old.name is distinct from new.name or old.zoho_item_id is distinct from new.zoho_item_id
    or (old.deleted_at is null) <> (new.deleted_at is null) or old.category is distinct from new.category
    or coalesce(old.stock_on_hand > 0, true) <> coalesce(new.stock_on_hand > 0, true))
  execute function product_feed_changed();

create function blob_feed_changed() returns trigger language plpgsql as $$
begin
  update photo set feed_pending = true where sha256 = new.sha256;
  return null;
end $$;
create trigger blob_feed_changed after update on blob for each row
  when ((old.md5, old.size, old.content_type, old.ext, old.width, old.height) is distinct from
        (new.md5, new.size, new.content_type, new.ext, new.width, new.height))
  execute function blob_feed_changed();

create function variant_feed_changed() returns trigger language plpgsql as $$
begin
  update photo set feed_pending = true where sha256 = case when tg_op = 'DELETE' then old.source_sha256 else new.source_sha256 end;
  return null;
end $$;
create trigger variant_feed_made after insert on variant for each row when (new.format = 'webp') execute function variant_feed_changed();
create trigger variant_feed_gone after delete on variant for each row when (old.format = 'webp') execute function variant_feed_changed();
create trigger variant_feed_changed after update on variant for each row
  when (new.format = 'webp' and (old.sha256, old.md5, old.size, old.content_type, old.width, old.height, old.created_at) is distinct from
        (new.sha256, new.md5, new.size, new.content_type, new.width, new.height, new.created_at))
  execute function variant_feed_changed();

create function store_feed_changed() returns trigger language plpgsql as $$
begin
  update feed_state set store_version = store_version + 1;
  return null;
end $$;
create trigger store_feed_written after insert or delete on store for each statement execute function store_feed_changed();
create trigger store_feed_changed after update of code, name, variant, assortment, generation, resynced_at on store
  for each statement execute function store_feed_changed();

-- Gives committed changes their numbers, `at_most` photos a call; answers how many photos it looked at.
-- Numbers are given after commit and under one lock, so a reader that has seen a number has seen every smaller one, however long a writer took.
-- A row that a writer holds is passed over: it keeps waiting, and gets a higher number later.
create function number_feed(at_most integer) returns integer language plpgsql as $$
declare
  state feed_state%rowtype;
  ids uuid[];
  at timestamptz(3);
  contents bigint;
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);

  -- Rows that are gone for good: a reader that has not read past them could never hear of it, so its cursor ends.
  with gone as (delete from feed_erased returning *), summed as (
    select coalesce(max(case when live then state.last_seq else seq end), 0) as seq, count(*) filter (where live) as photos,
      coalesce(sum(bytes) filter (where live), 0) as bytes, coalesce(sum(medium_bytes) filter (where live), 0) as medium_bytes,
      coalesce(sum(thumb_bytes) filter (where live), 0) as thumb_bytes, coalesce(sum(content) filter (where live), 0) as content, count(*) as rows
    from gone)
  update feed_state f set pruned_seq = greatest(f.pruned_seq, s.seq), photos = f.photos - s.photos, bytes = f.bytes - s.bytes,
    medium_bytes = f.medium_bytes - s.medium_bytes, thumb_bytes = f.thumb_bytes - s.thumb_bytes, content = f.content - s.content
  from summed s where s.rows > 0;

  select array_agg(due.id) into ids from (
    select id from photo where feed_pending or member_pending order by position limit at_most for no key update skip locked) due;
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

-- Notes for one store which photos its new assortment takes in or leaves out, and numbers them. Call it with the feed's row locked and nothing due.
create function number_assortment(of_store uuid, old_assortment jsonb, new_assortment jsonb) returns bigint language plpgsql as $$
declare
  state feed_state%rowtype;
  at timestamptz(3);
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  insert into store_event (store_id, photo_id, seq, published_at)
  select of_store, p.id, state.last_seq + row_number() over (order by p.position), at from photo p
  where p.feed_seq is not null
    and store_sells(old_assortment, p.feed_sku, p.feed_category, p.feed_in_stock) <> store_sells(new_assortment, p.feed_sku, p.feed_category, p.feed_in_stock)
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at;
  get diagnostics events = row_count;
  if events > 0 then
    update feed_state set last_seq = state.last_seq + events, clock_at = at + interval '1 millisecond';
  end if;
  return events;
end $$;

-- Shows photos to one store again, as if they had changed for it alone; its reports of them count as not done.
create function resend_photos(of_store uuid, ids uuid[]) returns bigint language plpgsql as $$
declare
  state feed_state%rowtype;
  at timestamptz(3);
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  insert into store_event (store_id, photo_id, seq, published_at)
  select of_store, p.id, state.last_seq + row_number() over (order by p.position), at from photo p, store s
  where p.id = any(ids) and s.id = of_store and p.feed_live and store_sells(s.assortment, p.feed_sku, p.feed_category, p.feed_in_stock)
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at;
  get diagnostics events = row_count;
  update photo_report set generation = -1 where store_id = of_store and photo_id = any(ids);
  -- The stores are read again, since this one has events from now on.
  update feed_state set last_seq = state.last_seq + events, clock_at = at + interval '1 millisecond', store_version = store_version + 1 where events > 0;
  return events;
end $$;
