-- One text to search in, kept by the database: small letters, and Arabic as people type it (without
-- vowel signs and stretching, one form of alef, yeh, heh and hamza, Latin digits).
create function search_text(variadic parts text[]) returns text language sql immutable parallel safe as $$
  select translate(lower(regexp_replace(array_to_string(parts, chr(10)), '[\u064B-\u065F\u0670\u0640]', '', 'g')),
                   'أإآٱىةؤئ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', 'اااايهوي01234567890123456789')
$$;

-- Searching inside words needs pg_trgm. Where the account may not install it, a search reads the
-- products row by row: slower, and right.
do $$
begin
  create extension if not exists pg_trgm;
exception when others then
  raise notice 'pg_trgm is not available: %', sqlerrm;
end $$;

-- The catalogue, its pictures, and the runs that keep them true.
create table product (
  id uuid primary key default gen_random_uuid(),
  zoho_item_id text unique,
  sku text,
  name text not null,
  name_en text,
  name_ar text,
  description text,
  cost_price numeric(24, 6),
  selling_price numeric(24, 6),
  currency text,
  stock_on_hand numeric(24, 6),
  status text not null default 'active',
  unit text,
  category text,
  brand text,
  custom_fields jsonb not null default '{}',
  zoho_modified_at timestamptz(3),
  zoho_image_id text,
  zoho_image_name text,
  image_state text not null default 'none',
  image_fetched_id text,
  image_tried_at timestamptz(3),
  image_attempts integer not null default 0,
  image_error_code text,
  image_error text,
  image_source_url text,
  image_run uuid,
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp,
  deleted_at timestamptz(3),
  image_source_key text,
  image_source_fetched text,
  search text generated always as (search_text(name, name_en, name_ar, sku, zoho_item_id)) stored
);
create index product_sku_idx on product (sku);
create index product_category_idx on product (category);
create index product_listing_idx on product (created_at, id) where deleted_at is null;
create index product_image_run_idx on product (image_run);
create index product_image_todo_idx on product (id) where image_state in ('untried', 'failed');
-- A picture behind an address of a file import: which address of which version of the file is
-- wanted, and which was last handled.
create index product_image_source_pending on product (id) where image_source_key is not null and image_source_fetched is distinct from image_source_key;
-- Counting SKUs that stand twice reads this index in its order instead of sorting every product.
create index product_living_sku_idx on product (sku) where deleted_at is null;
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_trgm') then
    create index product_search_idx on product using gin (search gin_trgm_ops) where deleted_at is null;
  end if;
end $$;

create table blob (
  sha256 text primary key,
  md5 text not null,
  size bigint not null,
  content_type text not null,
  ext text not null,
  width integer not null,
  height integer not null,
  frames integer not null default 1,
  damaged boolean not null default false,
  orphaned_at timestamptz(3),
  created_at timestamptz(3) not null default current_timestamp,
  removed_at timestamptz(3)
);

create table photo (
  id uuid primary key default gen_random_uuid(),
  product_id uuid not null references product (id) on delete restrict on update cascade,
  source text not null,
  document_id text,
  source_url text,
  sha256 text not null references blob (sha256) on delete restrict on update cascade,
  filename text not null,
  is_primary boolean not null default false,
  sort_order integer not null default 0,
  alt_en text,
  alt_ar text,
  version integer not null default 1,
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp,
  deleted_at timestamptz(3),
  position bigserial not null unique,
  feed_pending boolean not null default true,
  feed_seq bigint,
  published_at timestamptz(3),
  -- Category or stock of the product changed: what stores sell may have changed, the photo itself
  -- has not.
  member_pending boolean not null default false,
  -- As published. The counts and digests are sums of these, and membership is judged by them, so
  -- that both change only with a number.
  feed_live boolean not null default false,
  feed_bytes bigint not null default 0,
  feed_medium_bytes bigint not null default 0,
  feed_thumb_bytes bigint not null default 0,
  feed_content bigint not null default 0,
  feed_sku text,
  feed_category text,
  feed_in_stock boolean,
  place text not null default 'main'
);
create index photo_product_id_idx on photo (product_id);
create index photo_sha256_idx on photo (sha256);
create index photo_feed_seq_idx on photo (feed_seq);
-- Only this index gives this order, so the search for what is due uses it whatever the statistics
-- say: right after a bulk load they say that everything is due, and the planner would look through
-- the whole table for a row that is no longer there.
create index photo_due_idx on photo ((position + 0)) where feed_pending or member_pending;
create index photo_published_at_idx on photo (published_at);
create index photo_feed_sku_idx on photo (feed_sku);
create index photo_feed_category_idx on photo (feed_category);
-- The database guards it, whatever writers do at the same moment: one primary picture a product.
create unique index photo_one_primary_idx on photo (product_id) where is_primary and deleted_at is null;

create table variant (
  source_sha256 text not null references blob (sha256) on delete cascade on update cascade,
  name text not null,
  format text not null,
  recipe text not null,
  sha256 text not null,
  md5 text not null,
  size bigint not null,
  content_type text not null,
  width integer not null,
  height integer not null,
  created_at timestamptz(3) not null default current_timestamp,
  primary key (source_sha256, name, format, recipe)
);

create table run (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  params jsonb not null default '{}',
  state text not null default 'queued',
  exclusive_key text,
  wanted text,
  fence bigint not null default 0,
  checkpoint jsonb,
  statistics jsonb not null default '{}',
  progress jsonb not null default '{}',
  cause text,
  remedy text,
  failure_code text,
  resumes_at timestamptz(3),
  started_by text,
  created_at timestamptz(3) not null default current_timestamp,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  -- When a person has seen a failed run: it stays in the history and leaves the lists of what needs
  -- a look.
  cleared_at timestamptz(3)
);
create index run_kind_created_at_idx on run (kind, created_at desc);
-- The lock that a second start meets: one unfinished run a key.
create unique index run_exclusive_idx on run (exclusive_key) where state in ('queued', 'running', 'paused');

create table failure (
  id uuid primary key default gen_random_uuid(),
  run_id uuid not null references run (id) on delete cascade on update cascade,
  stage text not null,
  code text not null,
  message text not null,
  product_id uuid,
  zoho_item_id text,
  sku text,
  created_at timestamptz(3) not null default current_timestamp,
  resolved_at timestamptz(3),
  dismissed_at timestamptz(3),
  note text
);
create index failure_run_id_idx on failure (run_id);
create index failure_product_id_idx on failure (product_id);
-- The open failures are what people look at; closed ones pile up.
create index failure_open on failure (code, created_at) where resolved_at is null and dismissed_at is null;

create table run_record (
  run_id uuid not null references run (id) on delete cascade on update cascade,
  record_id text not null,
  outcome text not null,
  changes jsonb not null default '{}',
  sku text,
  name text,
  primary key (run_id, record_id)
);

create table run_page (
  run_id uuid not null references run (id) on delete cascade on update cascade,
  number integer not null,
  ids text[] not null,
  primary key (run_id, number)
);

create table watermark (
  name text primary key,
  up_to timestamptz(3),
  full_at timestamptz(3),
  succeeded_at timestamptz(3),
  run_id uuid
);

create table zoho_token (
  id text primary key,
  access_token text not null,
  expires_at timestamptz(3) not null,
  issued_at timestamptz(3),
  scope text
);

create table zoho_budget (
  organization text primary key,
  blocked_until timestamptz(3),
  blocked_code text,
  day_limit integer,
  day_left integer,
  day_resets_at timestamptz(3),
  concurrency integer,
  -- A block that comes again soon lasts longer; a concurrency that Zoho found too high is raised
  -- again with time.
  block_ms integer,
  concurrency_until timestamptz(3),
  -- How much of the day pictures leave to items.
  image_reserve_percent integer check (image_reserve_percent between 0 and 90)
);

create table zoho_call (
  id bigserial primary key,
  organization text not null,
  job text not null,
  run_id uuid,
  path text not null,
  started_at timestamptz(3) not null,
  finished_at timestamptz(3),
  status integer,
  code text,
  ms integer,
  day_left integer
);
create index zoho_call_organization_started_at_idx on zoho_call (organization, started_at);

create table app_user (
  id uuid primary key default gen_random_uuid(),
  username text not null unique,
  password_hash text not null,
  role text not null,
  created_at timestamptz(3) not null default current_timestamp,
  last_login_at timestamptz(3)
);

-- A login is a session: ending it refuses its access tokens too, and a refresh token that is used
-- twice gives the thief away.
create table session (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references app_user (id) on delete cascade on update cascade,
  address text,
  created_at timestamptz(3) not null default current_timestamp,
  ended_at timestamptz(3)
);
create index session_user_id_idx on session (user_id);

create table refresh_token (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references app_user (id) on delete cascade on update cascade,
  token_hash text not null unique,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default current_timestamp,
  session_id uuid not null references session (id) on delete cascade on update cascade,
  used_at timestamptz(3)
);
create index refresh_token_session_id_idx on refresh_token (session_id);

create table login_failure (
  id bigserial primary key,
  subject text not null,
  at timestamptz(3) not null default current_timestamp,
  address text,
  -- An attempt whose password is still being looked at: it holds a place and refuses nobody.
  pending boolean not null default false
);
create index login_failure_subject_at_idx on login_failure (subject, at);
create index login_failure_address_at_idx on login_failure (address, at);

create table instance_fact (
  name text primary key,
  value text not null
);

create table setting (
  name text primary key,
  value text not null,
  sealed boolean not null default false,
  changed_at timestamptz(3) not null default current_timestamp,
  changed_by text not null
);
create table zoho_module (
  slug text primary key,
  enabled boolean not null,
  selection jsonb
);
create table schedule (
  module text not null,
  mode text not null,
  cron text not null,
  zone text not null,
  next_at timestamptz(3) not null,
  due_at timestamptz(3),
  taken_at timestamptz(3),
  primary key (module, mode)
);
create table zoho_connection (
  id text primary key,
  state text not null,
  since timestamptz(3) not null,
  until timestamptz(3),
  code text,
  cause text,
  remedy text,
  scopes jsonb not null default '{}'
);
create table zoho_organization (
  id text primary key,
  name text,
  currency text,
  time_zone text
);
create table zoho_sign_in (
  id text primary key,
  issued_at timestamptz(3)[],
  held_until timestamptz(3)
);
create table oauth_state (
  hash text primary key,
  cookie_hash text not null,
  username text not null,
  expires_at timestamptz(3) not null,
  link_hash text
);
create table notice (
  id bigserial primary key,
  kind text not null,
  subject text not null,
  text text not null,
  created_at timestamptz(3) not null default current_timestamp,
  sent_by text[],
  sent_at timestamptz(3),
  attempts integer not null default 0,
  try_at timestamptz(3) not null default current_timestamp,
  error text
);
create index notice_sent_at_try_at_idx on notice (sent_at, try_at);
create table notice_told (
  key text primary key,
  since timestamptz(3) not null
);

-- Who changed what, when. Rows are only ever added: the trigger refuses everything else to every
-- user, the owner included.
create table audit_entry (
  id bigserial primary key,
  at timestamptz(3) not null default clock_timestamp(),
  actor text not null,
  action text not null,
  target text not null,
  fields text[] not null default '{}',
  request_id text,
  ip text
);
create index audit_entry_action_idx on audit_entry (action, id desc);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'permission denied: audit_entry is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete or truncate on audit_entry
  for each statement execute function audit_is_append_only();

create table coverage_day (
  day date primary key,
  total integer not null,
  counts jsonb not null,
  measured_at timestamptz(3) not null
);

-- Where a product field is read from and who writes it, where that differs from the default.
create table field_rule (
  field text primary key,
  source text,
  owner text,
  changed_at timestamptz(3) not null default current_timestamp
);

-- Zoho's notices of changed items: one row an item, however often it is noticed, until the item was
-- read.
create table item_notice (
  zoho_item_id text primary key,
  noticed_at timestamptz(3) not null,
  due_at timestamptz(3),
  read_at timestamptz(3)
);
create index item_notice_due_idx on item_notice (due_at) where due_at is not null;

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
  updated_at timestamptz(3) not null default current_timestamp,
  paused_at timestamptz(3)
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

-- Where a photo entered or left what one store sells, without a change of its own: at most one row
-- a store and photo, the last time.
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

-- A photo with everything that its list entry says. Of a variant the newest one made is what stores
-- get.
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

-- Whether an assortment (see src/contract/stores.ts) holds a product. SKUs and categories together,
-- less what is sold out when in_stock is asked.
create function store_sells(assortment jsonb, sku text, category text, in_stock boolean) returns boolean language sql immutable parallel safe as $$
  select assortment is null or (
    (not (assortment ? 'skus' or assortment ? 'categories')
      or coalesce(assortment -> 'skus' ? sku, false) or coalesce(assortment -> 'categories' ? category, false))
    and (coalesce((assortment ->> 'in_stock')::boolean, false) is false or in_stock))
$$;

-- Whoever writes, through whatever door: what a list entry says has changed, so the photo waits for
-- a number. The flags are set without asking whether they stand already: the numbering may be about
-- to clear them, and setting waits for it.
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
-- Processes read the stores again when one changes; a store that is paused gets nothing.
create trigger store_feed_written after insert or delete on store for each statement execute function store_feed_changed();
create trigger store_feed_changed after update of code, name, variant, assortment, generation, resynced_at, paused_at on store
  for each statement execute function store_feed_changed();

-- Gives committed changes their numbers, `at_most` photos a call; answers how many photos it looked
-- at. Numbers are given after commit and under one lock, so a reader that has seen a number has
-- seen every smaller one, however long a writer took. A row that a writer holds is passed over: it
-- keeps waiting, and gets a higher number later.
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
-- A numbering looks at a few thousand photos by their ids. Right after a bulk load the planner
-- knows nothing of the tables and would read them whole for each batch; looking rows up one by one
-- is never far from the best.
alter function number_feed(integer) set enable_seqscan = off;
alter function number_feed(integer) set enable_hashjoin = off;
alter function number_feed(integer) set enable_mergejoin = off;

-- Notes for one store which photos its new assortment takes in or leaves out, and numbers them.
-- Call it with the feed's row locked and nothing due.
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

-- Shows photos to one store again, as if they had changed for it alone; its reports of them count
-- as not done.
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

create table zoho_record (
  app text not null,
  module text not null,
  record_id text not null,
  data jsonb not null,
  raw text,
  modified_at timestamptz(3),
  deleted_at timestamptz(3),
  search text not null default '',
  detailed boolean not null default false,
  detail_due boolean not null default false,
  listed_modified_at timestamptz(3),
  run_id uuid,
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp,
  changed_in integer not null default 0,
  primary key (app, module, record_id)
);
-- The order in which a module is read: by modification, records without a time last.
create index zoho_record_read on zoho_record (app, module, (coalesce(modified_at, 'infinity')), record_id);
create index zoho_record_deleted on zoho_record (app, module, deleted_at) where deleted_at is not null;
create index zoho_record_due on zoho_record (app, module, record_id) where detail_due;
create index zoho_record_changed on zoho_record (app, module, changed_in, record_id);
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_trgm') then
    create index zoho_record_search on zoho_record using gin (search gin_trgm_ops);
  end if;
end $$;

create table pull_row (
  run_id uuid not null,
  module text not null,
  record_id text not null,
  raw text not null,
  primary key (run_id, module, record_id)
);

create table pull_module (
  app text not null,
  module text not null,
  up_to timestamptz(3),
  full_at timestamptz(3),
  succeeded_at timestamptz(3),
  run_id uuid,
  filings integer not null default 0,
  primary key (app, module)
);

-- Pictures: where a picture of Zoho belongs, bytes that nobody refers to, settings of the variants,
-- integrity findings, imports.
create table media_setting (
  name text primary key,
  value jsonb not null,
  updated_at timestamptz(3) not null default current_timestamp
);

create table media_scan (
  run_id uuid primary key references run (id) on delete cascade,
  started_at timestamptz(3) not null default current_timestamp,
  finished_at timestamptz(3),
  checked integer not null default 0
);
create table media_finding (
  run_id uuid not null references media_scan (run_id) on delete cascade,
  kind text not null,
  sha256 text not null,
  size bigint,
  repair text not null,
  repaired_at timestamptz(3),
  primary key (run_id, kind, sha256)
);

create table image_import (
  id uuid primary key default gen_random_uuid(),
  -- The SHA-256 of the ZIP, which waits in the store; null when the pictures are in a folder of
  -- this machine.
  archive text,
  folder text,
  plan jsonb not null default '{}',
  created_at timestamptz(3) not null default current_timestamp,
  expires_at timestamptz(3) not null,
  started_at timestamptz(3)
);

-- Since when nobody refers to the bytes, kept by the database itself, whoever writes photos: the
-- sweep goes by it. A photo can only be given bytes that are there: the row of the bytes is held
-- while the photo is written, so neither the sweep nor the delete of the last other photo can pass
-- by at the same moment.
create function note_blob_use() returns trigger language plpgsql as $$
declare
  gone timestamptz;
begin
  if tg_op <> 'DELETE' and new.deleted_at is null then
    select removed_at into gone from blob where sha256 = new.sha256 for no key update;
    if gone is not null then
      raise exception 'the bytes of picture % were removed', new.sha256 using errcode = 'foreign_key_violation';
    end if;
    update blob set orphaned_at = null where sha256 = new.sha256 and orphaned_at is not null;
  end if;
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or new.sha256 <> old.sha256 or new.deleted_at is not null) then
    update blob set orphaned_at = clock_timestamp()
    where sha256 = old.sha256 and orphaned_at is null
      and not exists (select 1 from photo where photo.sha256 = old.sha256 and photo.deleted_at is null);
  end if;
  return null;
end $$;
create trigger photo_blob_use after insert or update of sha256, deleted_at or delete on photo for each row execute function note_blob_use();
create index blob_orphaned_idx on blob (orphaned_at) where orphaned_at is not null;

-- How Zoho's notices arrive, and links to the consent page for a person without a login here.
create table webhook_state (
  id text primary key,
  accepted_at timestamptz(3),
  accepted_items text[] not null default '{}',
  accepted bigint not null default 0,
  refused_at timestamptz(3),
  refused bigint not null default 0
);
create table consent_link (
  hash text primary key,
  username text not null,
  expires_at timestamptz(3) not null
);
