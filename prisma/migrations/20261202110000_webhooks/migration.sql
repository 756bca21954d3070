-- Webhooks to others. Deliveries are rows of the transaction that makes the change; a job only sends them.
create table webhook_endpoint (
  id uuid primary key default gen_random_uuid(),
  url text not null,
  events text[] not null,
  description text not null default '',
  enabled boolean not null default true,
  disabled_reason text,
  secret text not null,
  previous_secret text,
  previous_until timestamptz(3),
  failing_since timestamptz(3),
  created_at timestamptz(3) not null default current_timestamp,
  updated_at timestamptz(3) not null default current_timestamp
);

create table webhook_delivery (
  id uuid primary key default gen_random_uuid(),
  position bigserial not null,
  webhook_id uuid not null references webhook_endpoint (id) on delete cascade on update cascade,
  type text not null,
  product_id uuid,
  zoho_item_id text,
  sku text,
  seq bigint,
  fields text[] not null default '{}',
  data jsonb,
  occurred_at timestamptz(3) not null,
  state text not null default 'pending',
  begun boolean not null default false,
  tries integer not null default 0,
  due_at timestamptz(3) not null,
  attempts jsonb not null default '[]',
  finished_at timestamptz(3)
);
create unique index webhook_delivery_position_key on webhook_delivery (position);
create index webhook_delivery_webhook_id_idx on webhook_delivery (webhook_id, position desc);
create index webhook_delivery_occurred_at_idx on webhook_delivery (occurred_at);
-- What waits and was never sent takes up later changes of its product.
create unique index webhook_delivery_waiting_key on webhook_delivery (webhook_id, product_id) where state = 'pending' and not begun;
create index webhook_delivery_due_idx on webhook_delivery (webhook_id, due_at) where state = 'pending';
create index webhook_delivery_pending_idx on webhook_delivery (webhook_id, position) where state = 'pending';
create index webhook_delivery_order_idx on webhook_delivery (webhook_id, product_id, position) where state = 'pending';

create function webhook_subscribed(kind text, events text[]) returns boolean language sql immutable parallel safe as $$
  select events && array[kind, '*', split_part(kind, '.', 1) || '.*']
$$;

-- The kinds of a change, by its fields. What moves with every change is counted only alone.
create function webhook_product_kinds(fields text[], living boolean) returns text[] language sql immutable parallel safe as $$
  select case when not living then array['product.deleted']
    when '*' = any(fields) then array['product.created']
    else coalesce((select array_agg(distinct case
        when field in ('cost_price', 'selling_price', 'currency') then 'product.price_changed'
        when field in ('stock_on_hand', 'stock') then 'product.stock_changed'
        when field in ('images', 'image_url', 'image_path', 'image_source', 'image_state', 'has_image') then 'product.images_changed'
        else 'product.updated' end)
      from unnest(fields) as field where field not in ('raw', 'updated_at')), array['product.updated']) end
$$;

-- The event that a webhook gets for a change; null: none. Several kinds are product.updated, unless it wants only one of them.
create function webhook_product_type(kinds text[], events text[]) returns text language sql immutable parallel safe as $$
  select case when cardinality(kinds) > 1 and (webhook_subscribed('product.updated', events) or count(*) > 1) then 'product.updated' else min(kind) end
  from unnest(kinds) as kind where webhook_subscribed(kind, events)
$$;

-- What was not sent yet, and what came after it: a product that is new to the receiver stays new.
create function webhook_merged_type(before text, after text) returns text language sql immutable parallel safe as $$
  select case when after = 'product.deleted' or before = 'product.deleted' then after
    when before = 'product.created' or before = after then before
    when after = 'product.created' then after
    else 'product.updated' end
$$;

-- Webhooks that are read for a delivery are not removed before it is written.
create function hold_webhooks() returns void language sql as $$ select 1 from webhook_endpoint for key share $$;

-- Writes an event other than of products for each webhook that wants it.
create function add_webhook_event(event text, facts jsonb) returns void language sql as $$
  select hold_webhooks();
  insert into webhook_delivery (webhook_id, type, data, occurred_at, due_at)
  select id, event, facts, clock_timestamp(), clock_timestamp() from webhook_endpoint where enabled and webhook_subscribed(event, events)
$$;

create function webhook_run_finished() returns trigger language plpgsql as $$
begin
  perform hold_webhooks();
  insert into webhook_delivery (webhook_id, type, data, occurred_at, due_at)
  select id, type, jsonb_build_object('run_id', new.id, 'kind', new.kind, 'state', new.state, 'started_by', new.started_by,
      'failure_code', new.failure_code, 'statistics', new.statistics), clock_timestamp(), clock_timestamp()
  from (
    select id, events, case when new.state = 'failed' then 'run.failed'
      when new.kind = 'pull' and webhook_subscribed('pull.finished', events) then 'pull.finished' else 'run.finished' end as type
    from webhook_endpoint where enabled
  ) as w where webhook_subscribed(type, events);
  return null;
end $$;
create trigger webhook_run_finished after update of state on run for each row
  when (new.state in ('success', 'partial', 'failed', 'cancelled') and old.state is distinct from new.state)
  execute function webhook_run_finished();

create function webhook_connection_changed() returns trigger language plpgsql as $$
begin
  perform add_webhook_event('connection.changed', jsonb_build_object('state', new.state, 'code', new.code, 'since', new.since));
  return null;
end $$;
create trigger webhook_connection_made after insert on zoho_connection for each row execute function webhook_connection_changed();
create trigger webhook_connection_changed after update of state on zoho_connection for each row
  when (old.state is distinct from new.state) execute function webhook_connection_changed();

-- As before, and in the same transaction each webhook is told.
create or replace function number_products(at_most integer) returns integer language plpgsql as $$
declare
  feed product_feed_state%rowtype;
  at timestamptz(3);
  taken integer;
  numbered integer;
begin
  select * into strict feed from product_feed_state for update;
  perform hold_webhooks();
  at := greatest(date_trunc('milliseconds', clock_timestamp()), feed.clock_at);
  with due as (
    delete from product_mark where id in (select id from product_mark order by id limit at_most) returning id, product_id, fields
  ), changed as (
    select product_id, min(id) as first, array_agg(distinct field) as fields from due, unnest(fields) as field group by product_id
  ), given as (
    select c.product_id, c.fields, p.zoho_item_id, p.sku, p.id is not null and p.deleted_at is null as living,
      feed.last_seq + row_number() over (order by c.first) as seq
    from changed c left join product p on p.id = c.product_id
  ), written as (
    insert into product_change as old (product_id, seq, change, changed_at, zoho_item_id, sku, field_seqs)
    select product_id, seq, case when living then 'upsert' else 'delete' end, at, zoho_item_id, sku,
      (select jsonb_object_agg(field, seq) from unnest(fields) as field)
    from given
    on conflict (product_id) do update set seq = excluded.seq, change = excluded.change, changed_at = excluded.changed_at,
      zoho_item_id = coalesce(excluded.zoho_item_id, old.zoho_item_id), sku = coalesce(excluded.sku, old.sku),
      field_seqs = old.field_seqs || excluded.field_seqs
    returning 1
  ), told as (
    insert into webhook_delivery as old (webhook_id, type, product_id, zoho_item_id, sku, seq, fields, occurred_at, due_at)
    select w.id, t.type, g.product_id,
      coalesce(g.zoho_item_id, c.zoho_item_id), coalesce(g.sku, c.sku), g.seq, g.fields, at, at + interval '2 seconds'
    from given g cross join webhook_endpoint w left join product_change c on c.product_id = g.product_id
      -- Once for each row: the lock is held meanwhile.
      cross join lateral (select webhook_product_type(webhook_product_kinds(g.fields, g.living), w.events) as type offset 0) as t
    where w.enabled and t.type is not null
    order by g.seq
    on conflict (webhook_id, product_id) where state = 'pending' and not begun do update set
      type = webhook_merged_type(old.type, excluded.type), seq = excluded.seq, occurred_at = excluded.occurred_at,
      fields = array(select distinct unnest(old.fields || excluded.fields)),
      zoho_item_id = coalesce(excluded.zoho_item_id, old.zoho_item_id), sku = coalesce(excluded.sku, old.sku)
  )
  select (select count(*) from due), (select count(*) from written) into taken, numbered;
  if numbered > 0 then
    update product_feed_state set last_seq = feed.last_seq + numbered, clock_at = at;
    perform pg_notify('zinc_product', (feed.last_seq + numbered)::text);
  end if;
  return taken;
end $$;

-- As with number_feed(): right after a bulk load the planner knows nothing of the tables.
alter function number_products(integer) set enable_seqscan = off;
alter function number_products(integer) set enable_hashjoin = off;
alter function number_products(integer) set enable_mergejoin = off;
