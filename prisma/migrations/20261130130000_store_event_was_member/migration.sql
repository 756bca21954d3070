-- Whether the store ever had the photo. A widened assortment takes in deleted photos as well: a store must not be told to delete what it never had.
-- Rows from before may have had theirs; a deletion too many harms less than one too few.
alter table store_event add column was_member boolean;
update store_event set was_member = true;
alter table store_event alter column was_member set not null;

-- Of an event that does not say it: the photo was in what the store sold until now, and was not deleted before it came in.
create function store_event_was_member() returns trigger language plpgsql as $$
begin
  select coalesce(e.was_member, false)
    or (coalesce(store_sells(s.assortment, p.feed_sku, p.feed_category, p.feed_in_stock), false)
      and (p.feed_live or e.seq is null or e.seq < p.feed_seq))
  into new.was_member
  from store s join photo p on p.id = new.photo_id left join store_event e on e.store_id = s.id and e.photo_id = p.id
  where s.id = new.store_id;
  return new;
end $$;
create trigger store_event_made before insert on store_event for each row when (new.was_member is null) execute function store_event_was_member();
create trigger store_event_moved before update of seq on store_event for each row when (not new.was_member) execute function store_event_was_member();

-- Notes for one store which photos its new assortment takes in or leaves out, and numbers them. Call it with the feed's row locked and nothing due.
create or replace function number_assortment(of_store uuid, old_assortment jsonb, new_assortment jsonb) returns bigint language plpgsql as $$
declare
  state feed_state%rowtype;
  at timestamptz(3);
  events bigint;
begin
  select * into strict state from feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  insert into store_event (store_id, photo_id, seq, published_at, was_member)
  select of_store, p.id, state.last_seq + row_number() over (order by p.position), at,
    coalesce(e.was_member, false)
      or (store_sells(old_assortment, p.feed_sku, p.feed_category, p.feed_in_stock) and (p.feed_live or e.seq is null or e.seq < p.feed_seq))
  from photo p left join store_event e on e.store_id = of_store and e.photo_id = p.id
  where p.feed_seq is not null
    and store_sells(old_assortment, p.feed_sku, p.feed_category, p.feed_in_stock) <> store_sells(new_assortment, p.feed_sku, p.feed_category, p.feed_in_stock)
  on conflict (store_id, photo_id) do update set seq = excluded.seq, published_at = excluded.published_at, was_member = excluded.was_member;
  get diagnostics events = row_count;
  if events > 0 then
    update feed_state set last_seq = state.last_seq + events, clock_at = at + interval '1 millisecond';
  end if;
  return events;
end $$;
