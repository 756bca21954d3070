-- Words by which people group stores: a city, a region, a kind of shop.
alter table store add column tags text[] not null default '{}';
