-- Pictures: where a picture of Zoho belongs, bytes that nobody refers to, settings of the variants, integrity findings, imports.
alter table photo add column place text not null default 'main';
alter table blob add column removed_at timestamptz(3);

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
  -- The SHA-256 of the ZIP, which waits in the store; null when the pictures are in a folder of this machine.
  archive text,
  folder text,
  plan jsonb not null default '{}',
  created_at timestamptz(3) not null default current_timestamp,
  expires_at timestamptz(3) not null,
  started_at timestamptz(3)
);

-- Since when nobody refers to the bytes, kept by the database itself, whoever writes photos: the sweep goes by it.
create function note_blob_use() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or new.sha256 <> old.sha256 or new.deleted_at is not null) then
    update blob set orphaned_at = clock_timestamp()
    where sha256 = old.sha256 and orphaned_at is null
      and not exists (select 1 from photo where photo.sha256 = old.sha256 and photo.deleted_at is null);
  end if;
  if tg_op <> 'DELETE' and new.deleted_at is null then
    update blob set orphaned_at = null where sha256 = new.sha256 and orphaned_at is not null;
  end if;
  return null;
end $$;
create trigger photo_blob_use after insert or update of sha256, deleted_at or delete on photo for each row execute function note_blob_use();
create index blob_orphaned_idx on blob (orphaned_at) where orphaned_at is not null;
