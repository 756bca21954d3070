-- Credentials of machines. A key ends with its maker; only hashes are kept.
create table api_key (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references app_user (id) on delete cascade on update cascade,
  name text not null,
  scopes text[] not null,
  prefix text not null,
  key_hash text not null,
  previous_hash text,
  previous_until timestamptz(3),
  lifetime_days integer,
  created_at timestamptz(3) not null default current_timestamp,
  expires_at timestamptz(3),
  last_used_at timestamptz(3)
);
create unique index api_key_key_hash_key on api_key (key_hash);
create unique index api_key_previous_hash_key on api_key (previous_hash);
create index api_key_user_id_idx on api_key (user_id);
