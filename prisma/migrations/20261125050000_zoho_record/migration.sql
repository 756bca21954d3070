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
  unfiled boolean not null default false,
  run_id uuid,
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp,
  primary key (app, module, record_id)
);
-- The order in which a module is read: by modification, records without a time last.
create index zoho_record_read on zoho_record (app, module, (coalesce(modified_at, 'infinity')), record_id);
create index zoho_record_deleted on zoho_record (app, module, deleted_at) where deleted_at is not null;
create index zoho_record_due on zoho_record (app, module, record_id) where detail_due;
create index zoho_record_unfiled on zoho_record (app, module, record_id) where unfiled;
-- Searching inside words needs pg_trgm. Where the account may not install it, a search reads the module row by row, which is slower and right.
do $$
begin
  create extension if not exists pg_trgm;
exception when others then
  raise notice 'pg_trgm is not available: %', sqlerrm;
end $$;
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
