-- A person's authenticator app. In a table of its own: a lost key takes the secret, and not the person.
create table "second_factor" (
  "user_id" uuid not null primary key references "app_user" ("id") on delete cascade on update cascade,
  "totp_secret" text not null,
  "created_at" timestamptz(3) not null default now(),
  "confirmed_at" timestamptz(3),
  "last_step" bigint
);
create table "recovery_code" (
  "code_hash" text not null primary key,
  "user_id" uuid not null references "second_factor" ("user_id") on delete cascade on update cascade,
  "used_at" timestamptz(3)
);
create index "recovery_code_user_id_idx" on "recovery_code" ("user_id");
create table "login_challenge" (
  "token_hash" text not null primary key,
  "user_id" uuid not null references "app_user" ("id") on delete cascade on update cascade,
  "address" text not null,
  "expires_at" timestamptz(3) not null
);
create index "login_challenge_user_id_idx" on "login_challenge" ("user_id");
