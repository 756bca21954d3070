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
  deleted_at timestamptz(3)
);
create index product_sku_idx on product (sku);
create index product_category_idx on product (category);
create index product_listing_idx on product (created_at, id) where deleted_at is null;
create index product_image_todo_idx on product (id) where image_state in ('untried', 'failed');

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
  created_at timestamptz(3) not null default current_timestamp
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
  published_at timestamptz(3)
);
create index photo_product_id_idx on photo (product_id);
create index photo_sha256_idx on photo (sha256);
create index photo_pending_idx on photo (id) where feed_pending;
create index photo_feed_seq_idx on photo (feed_seq);
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
  finished_at timestamptz(3)
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
create index product_image_run_idx on product (image_run);
create index failure_run_id_idx on failure (run_id);
create index failure_product_id_idx on failure (product_id);

create table run_record (
  run_id uuid not null references run (id) on delete cascade on update cascade,
  record_id text not null,
  outcome text not null,
  changes jsonb not null default '{}',
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
