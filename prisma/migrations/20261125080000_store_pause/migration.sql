-- A store that is paused gets nothing until it is let go on; processes read the stores again when it changes.
alter table store add column paused_at timestamptz(3);
drop trigger store_feed_changed on store;
create trigger store_feed_changed after update of code, name, variant, assortment, generation, resynced_at, paused_at on store
  for each statement execute function store_feed_changed();
