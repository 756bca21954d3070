-- How fast the edge servers of a store may fetch, as `zinc edge pull --limit` takes it; null: no limit.
alter table store add column rate_limit text;

drop trigger store_feed_changed on store;
create trigger store_feed_changed
  after update of code, name, variant, assortment, generation, resynced_at, paused_at, rate_limit on store
  for each statement execute function store_feed_changed();
