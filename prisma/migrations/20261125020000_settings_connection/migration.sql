create table "setting" (
  "name" text primary key,
  "value" text not null,
  "sealed" boolean not null default false,
  "changed_at" timestamptz(3) not null default current_timestamp,
  "changed_by" text not null
);
create table "zoho_module" (
  "slug" text primary key,
  "enabled" boolean not null
);
create table "schedule" (
  "module" text not null,
  "mode" text not null,
  "cron" text not null,
  "zone" text not null,
  "next_at" timestamptz(3) not null,
  "due_at" timestamptz(3),
  "taken_at" timestamptz(3),
  primary key ("module", "mode")
);
create table "zoho_connection" (
  "id" text primary key,
  "state" text not null,
  "since" timestamptz(3) not null,
  "until" timestamptz(3),
  "code" text,
  "cause" text,
  "remedy" text,
  "scopes" jsonb not null default '{}'
);
create table "zoho_organization" (
  "id" text primary key,
  "name" text,
  "currency" text,
  "time_zone" text
);
create table "zoho_sign_in" (
  "id" text primary key,
  "issued_at" timestamptz(3)[],
  "held_until" timestamptz(3)
);
create table "oauth_state" (
  "hash" text primary key,
  "cookie_hash" text not null,
  "username" text not null,
  "expires_at" timestamptz(3) not null
);
create table "notice" (
  "id" bigserial primary key,
  "kind" text not null,
  "subject" text not null,
  "text" text not null,
  "created_at" timestamptz(3) not null default current_timestamp,
  "sent_by" text[],
  "sent_at" timestamptz(3),
  "attempts" integer not null default 0,
  "try_at" timestamptz(3) not null default current_timestamp,
  "error" text
);
create index "notice_sent_at_try_at_idx" on "notice" ("sent_at", "try_at");
create table "notice_told" (
  "key" text primary key,
  "since" timestamptz(3) not null
);
alter table "zoho_token" add column "issued_at" timestamptz(3), add column "scope" text;
