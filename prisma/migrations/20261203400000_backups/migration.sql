-- Backups by the clock: what an operator set, and each backup and rehearsal with its outcome.
create table backup_plan (
  id integer primary key default 1 check (id = 1),
  target text,
  keep_daily integer,
  keep_weekly integer,
  keep_monthly integer,
  rehearse_after_backup boolean not null default false,
  warn_after_hours integer,
  changed_at timestamptz(3) not null default current_timestamp
);

create table backup (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  target text not null,
  backup_id text,
  state text not null default 'queued',
  started_by text not null,
  created_at timestamptz(3) not null default current_timestamp,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  counts jsonb not null default '{}',
  code text,
  message text,
  params jsonb,
  pruned_at timestamptz(3)
);
create index backup_created_at_idx on backup (created_at desc);
