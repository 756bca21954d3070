create table zoho_token (
  id text primary key,
  access_token text not null,
  expires_at timestamptz(3) not null
);

create table zoho_budget (
  organization text primary key,
  blocked_until timestamptz(3),
  blocked_code text,
  day_limit integer,
  day_left integer,
  day_resets_at timestamptz(3),
  concurrency integer
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
  created_at timestamptz(3) not null default current_timestamp
);

create table refresh_token (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references app_user (id) on delete cascade on update cascade,
  token_hash text not null unique,
  expires_at timestamptz(3) not null,
  created_at timestamptz(3) not null default current_timestamp
);

create table login_failure (
  id bigserial primary key,
  subject text not null,
  at timestamptz(3) not null default current_timestamp
);
create index login_failure_subject_at_idx on login_failure (subject, at);
