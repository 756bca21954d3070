-- What an operator sets and sees on the page: how much of the day pictures leave to items, what a module's sync takes,
-- how Zoho's notices arrive, and links to the consent page for somebody who has no login here.
alter table zoho_budget add column image_reserve_percent integer check (image_reserve_percent between 0 and 90);
alter table zoho_module add column selection jsonb;
create table webhook_state (
  id text primary key,
  accepted_at timestamptz(3),
  accepted_items text[] not null default '{}',
  accepted bigint not null default 0,
  refused_at timestamptz(3),
  refused bigint not null default 0
);
create table consent_link (
  hash text primary key,
  username text not null,
  expires_at timestamptz(3) not null
);
alter table oauth_state add column link_hash text;
