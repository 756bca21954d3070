-- A login is a session: ending it refuses its access tokens too, and a refresh token that is used twice gives the thief away.
alter table app_user add column last_login_at timestamptz(3);

create table session (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references app_user (id) on delete cascade on update cascade,
  address text,
  created_at timestamptz(3) not null default current_timestamp,
  ended_at timestamptz(3)
);
create index session_user_id_idx on session (user_id);

-- Tokens of before belong to no session: their owners log in once more.
delete from refresh_token;
alter table refresh_token
  add column session_id uuid not null references session (id) on delete cascade on update cascade,
  add column used_at timestamptz(3);
create index refresh_token_session_id_idx on refresh_token (session_id);

-- An attempt whose password is still being looked at is pending: it holds a place and refuses nobody.
alter table login_failure add column address text, add column pending boolean not null default false;
create index login_failure_address_at_idx on login_failure (address, at);
