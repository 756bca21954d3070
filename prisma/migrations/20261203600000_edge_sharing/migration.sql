-- Edge servers of a store that fetch pictures from each other. peer_key_version rises when a token
-- is revoked, and with it the key changes by which they know each other.
alter table store
  add column share boolean not null default false,
  add column peer_key_version integer not null default 0;

drop trigger store_feed_changed on store;
create trigger store_feed_changed
  after update of code, name, variant, assortment, generation, resynced_at, paused_at, rate_limit, share, peer_key_version on store
  for each statement execute function store_feed_changed();

-- What a store received and reported, by day in UTC.
create table store_day (
  store_id uuid not null references store (id) on delete cascade on update cascade,
  day date not null,
  bytes_served bigint not null default 0,
  photos_served bigint not null default 0,
  bytes_from_peers bigint not null default 0,
  photos_from_peers bigint not null default 0,
  photos_synced bigint not null default 0,
  photos_failed bigint not null default 0,
  -- From the publication of a photo until its first report as synced.
  lag_seconds_max integer not null default 0,
  lag_seconds_sum bigint not null default 0,
  primary key (store_id, day)
);

-- The last totals of each edge server, from which the next report's difference is counted.
create table edge_client (
  store_id uuid not null references store (id) on delete cascade on update cascade,
  id uuid not null,
  bytes_from_peers bigint not null,
  photos_from_peers bigint not null,
  reported_at timestamptz(3) not null,
  primary key (store_id, id)
);
