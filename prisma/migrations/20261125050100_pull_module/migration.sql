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
-- A number instead of a flag: after a file is written one row says so, not every record.
alter table zoho_record drop column unfiled, add column changed_in integer not null default 0;
create index zoho_record_changed on zoho_record (app, module, changed_in, record_id);
