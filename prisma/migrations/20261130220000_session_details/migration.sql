-- What a person needs to recognise a session of theirs.
alter table "session" add column "last_used_at" timestamptz(3) not null default now();
update "session" set "last_used_at" = "created_at";
alter table "session" add column "user_agent" text;
