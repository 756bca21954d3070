-- Price lists and item groups of Zoho. What a price list says of a product is computed by a view, so
-- that the API, the filters and the ERP's views cannot differ.
create table price_list (
  id text primary key,
  name text not null,
  type text not null,
  currency text,
  kind text not null,
  percentage numeric(24, 6),
  rounding text not null,
  decimal_place integer,
  is_default boolean,
  status text not null,
  modified_at timestamptz(3),
  read_at timestamptz(3)
);

create table price_list_rate (
  price_list_id text not null references price_list (id) on delete cascade on update cascade,
  zoho_item_id text not null,
  rate numeric(24, 6),
  brackets jsonb,
  primary key (price_list_id, zoho_item_id)
);
create index price_list_rate_zoho_item_id_idx on price_list_rate (zoho_item_id);

-- Zoho's roundings by their keys; PostgreSQL rounds half away from zero. Null: a rounding that is
-- not known here. Nothing is below zero only because a cent was taken off.
create function round_price(price numeric, rounding text, decimal_place integer) returns numeric language sql immutable parallel safe as $$
  select case when price is null then null else case rounding
    when 'no_rounding' then round(price, 6)
    when 'round_to_one_cent' then round(price, 2)
    when 'round_to_two_cents' then round(price * 50) * 0.02
    when 'round_to_nickel' then round(price * 20) * 0.05
    when 'round_to_dime' then round(price, 1)
    when 'round_to_quarter' then round(price * 4) * 0.25
    when 'round_to_half_dollar' then round(price * 2) * 0.5
    when 'round_to_dollar' then round(price)
    when 'round_to_dollor' then round(price)
    when 'round_to_dollar_minus_01' then greatest(round(price) - 0.01, 0)
    when 'round_to_dollar_minus_02' then greatest(round(price) - 0.02, 0)
    when 'round_to_dollar_minus_05' then greatest(round(price) - 0.05, 0)
    when 'round_to_dollar_minus_11' then greatest(round(price) - 0.11, 0)
    when 'round_to_half_dollar_minus_01' then greatest(round(price * 2) * 0.5 - 0.01, 0)
    when 'round_to_half_dollar_minus_05' then greatest(round(price * 2) * 0.5 - 0.05, 0)
    when 'round_to_dime_minus_01' then greatest(round(price, 1) - 0.01, 0)
    when 'round_based_on_decimal' then round(price, decimal_place) end end
$$;

-- Of [{from, to, rate}], texts, the prices; null without one. Readers of the ERP's views look nothing
-- up in this schema, so the names in it are resolved here.
create function bracket_prices(brackets jsonb, rounding text, decimal_place integer) returns jsonb language sql immutable parallel safe
begin atomic
  select jsonb_agg(jsonb_build_object('from', value ->> 'from', 'to', value ->> 'to', 'price', trim_scale(price)::text) order by place)
  from jsonb_array_elements(brackets) with ordinality as b (value, place),
    lateral round_price((value ->> 'rate')::numeric, rounding, decimal_place) as price
  where price is not null;
end;

-- A percentage counts from the price of its own currency only.
create view product_price as
select * from (
  select p.id as product_id, l.id as price_list_id, l.name as price_list, l.type, coalesce(l.currency, p.currency) as currency,
    case when r.brackets is null then round_price(r.rate, l.rounding, l.decimal_place) end::numeric(24, 6) as price,
    bracket_prices(r.brackets, l.rounding, l.decimal_place) as brackets
  from price_list l
  join price_list_rate r on r.price_list_id = l.id
  join product p on p.zoho_item_id = r.zoho_item_id
  where l.status = 'active' and l.kind = 'per_item' and p.deleted_at is null
  union all
  select p.id, l.id, l.name, l.type, p.currency,
    round_price(case l.type when 'purchase' then p.cost_price else p.selling_price end * (100 + l.percentage) * 0.01,
      l.rounding, l.decimal_place)::numeric(24, 6), null
  from price_list l
  cross join product p
  where l.status = 'active' and l.kind = 'percentage' and p.deleted_at is null
    and (l.currency is null or p.currency is null or l.currency = p.currency)
) as priced where price is not null or brackets is not null;

-- The change feed: a price that moves is a change of the product, though its own row did not move.
create function price_list_changed() returns trigger language plpgsql as $$
declare
  list price_list := case tg_op when 'DELETE' then old else new end;
begin
  if list.kind = 'percentage' then
    insert into product_mark (product_id, fields) select id, array['prices'] from product
    where deleted_at is null and case list.type when 'purchase' then cost_price else selling_price end is not null;
  else
    insert into product_mark (product_id, fields) select p.id, array['prices'] from price_list_rate r
    join product p on p.zoho_item_id = r.zoho_item_id and p.deleted_at is null where r.price_list_id = list.id;
  end if;
  return list;
end $$;
create trigger price_list_made after insert on price_list for each row when (new.status = 'active') execute function price_list_changed();
create trigger price_list_changed after update on price_list for each row
  when ((old.status = 'active' or new.status = 'active') and
    (old.name, old.type, old.currency, old.kind, old.percentage, old.rounding, old.decimal_place, old.status) is distinct from
    (new.name, new.type, new.currency, new.kind, new.percentage, new.rounding, new.decimal_place, new.status))
  execute function price_list_changed();
-- Before, while its rates can still be read.
create trigger price_list_removed before delete on price_list for each row when (old.status = 'active') execute function price_list_changed();

create function price_list_rates_changed() returns trigger language plpgsql as $$
begin
  insert into product_mark (product_id, fields) select distinct p.id, array['prices'] from changed c
  join price_list l on l.id = c.price_list_id and l.status = 'active'
  join product p on p.zoho_item_id = c.zoho_item_id and p.deleted_at is null;
  return null;
end $$;
create trigger price_list_rates_made after insert on price_list_rate referencing new table as changed
  for each statement execute function price_list_rates_changed();
create trigger price_list_rates_changed after update on price_list_rate referencing new table as changed
  for each statement execute function price_list_rates_changed();
create trigger price_list_rates_removed after delete on price_list_rate referencing old table as changed
  for each statement execute function price_list_rates_changed();

create function product_prices_moved() returns trigger language plpgsql as $$
begin
  if exists (select 1 from price_list where status = 'active' and kind = 'percentage') then
    insert into product_mark (product_id, fields) values (new.id, array['prices']);
  end if;
  return null;
end $$;
create trigger product_prices_moved after update of selling_price, cost_price, currency on product for each row
  when (new.deleted_at is null and (old.selling_price, old.cost_price, old.currency) is distinct from (new.selling_price, new.cost_price, new.currency))
  execute function product_prices_moved();

-- As before, and a price of a list is a price.
create or replace function webhook_product_kinds(fields text[], living boolean) returns text[] language sql immutable parallel safe as $$
  select case when not living then array['product.deleted']
    when '*' = any(fields) then array['product.created']
    else coalesce((select array_agg(distinct case
        when field in ('cost_price', 'selling_price', 'currency', 'prices') then 'product.price_changed'
        when field in ('stock_on_hand', 'stock') then 'product.stock_changed'
        when field in ('images', 'image_url', 'image_path', 'image_source', 'image_state', 'has_image') then 'product.images_changed'
        else 'product.updated' end)
      from unnest(fields) as field where field not in ('raw', 'updated_at')), array['product.updated']) end
$$;

-- What the products of a group do not say themselves. The group exists as long as products name it.
create table product_group (
  id text primary key,
  name text,
  description text,
  brand text,
  manufacturer text,
  unit text,
  attributes jsonb not null default '[]',
  content_key text,
  image_document_id text,
  image_name text,
  image_fetched_id text,
  image_sha256 text references blob (sha256) on delete restrict on update cascade,
  read_at timestamptz(3)
);
create index product_group_image_sha256_idx on product_group (image_sha256);
create index product_group_id_idx on product (group_id) where group_id is not null;

-- Groups as products name them, with the options in use in Zoho's order as far as it was read.
create view product_group_in_use as
select p.group_id as id, max(p.group_name) as name, count(*)::integer as products, coalesce((
  select jsonb_agg(jsonb_build_object('name', a.name, 'options', a.options) order by a.place, a.name) from (
    select used.name, min(coalesce(known.place, used.place)) as place,
      jsonb_agg(used.option order by known.option_place nulls last, used.option) as options
    from (
      select v.value ->> 'name' as name, v.value ->> 'option' as option, min(v.place) as place
      from product m, jsonb_array_elements(m.attributes) with ordinality as v (value, place)
      where m.group_id = p.group_id and m.deleted_at is null and v.value ->> 'option' <> '' group by 1, 2
    ) as used left join (
      select v.value ->> 'name' as name, o.value as option, min(v.place) as place, min(o.place) as option_place
      from product_group g, jsonb_array_elements(g.attributes) with ordinality as v (value, place),
        jsonb_array_elements_text(v.value -> 'options') with ordinality as o (value, place)
      where g.id = p.group_id group by 1, 2
    ) as known on known.name = used.name and known.option = used.option
    group by used.name
  ) as a), '[]') as attributes
from product p where p.group_id is not null and p.deleted_at is null group by p.group_id;

-- Bytes are in use while a picture of a product or of a group refers to them.
create function blob_is_used(hash text) returns boolean language sql stable as $$
  select exists (select 1 from photo where photo.sha256 = hash and photo.deleted_at is null)
    or exists (select 1 from product_group where product_group.image_sha256 = hash)
$$;
create or replace function note_blob_use() returns trigger language plpgsql as $$
declare
  gone timestamptz;
begin
  if tg_op <> 'DELETE' and new.deleted_at is null then
    select removed_at into gone from blob where sha256 = new.sha256 for no key update;
    if gone is not null then
      raise exception 'the bytes of picture % were removed', new.sha256 using errcode = 'foreign_key_violation';
    end if;
    update blob set orphaned_at = null where sha256 = new.sha256 and orphaned_at is not null;
  end if;
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or new.sha256 <> old.sha256 or new.deleted_at is not null) then
    update blob set orphaned_at = clock_timestamp() where sha256 = old.sha256 and orphaned_at is null and not blob_is_used(old.sha256);
  end if;
  return null;
end $$;
create function note_group_blob_use() returns trigger language plpgsql as $$
declare
  gone timestamptz;
begin
  if tg_op <> 'DELETE' and new.image_sha256 is not null then
    select removed_at into gone from blob where sha256 = new.image_sha256 for no key update;
    if gone is not null then
      raise exception 'the bytes of picture % were removed', new.image_sha256 using errcode = 'foreign_key_violation';
    end if;
    update blob set orphaned_at = null where sha256 = new.image_sha256 and orphaned_at is not null;
  end if;
  if tg_op <> 'INSERT' and old.image_sha256 is not null and (tg_op = 'DELETE' or new.image_sha256 is distinct from old.image_sha256) then
    update blob set orphaned_at = clock_timestamp()
    where sha256 = old.image_sha256 and orphaned_at is null and not blob_is_used(old.image_sha256);
  end if;
  return null;
end $$;
create trigger product_group_blob_use after insert or update of image_sha256 or delete on product_group
  for each row execute function note_group_blob_use();

create or replace view erp.product_price as
select product_id, price_list_id, price_list, currency, price, brackets from public.product_price;
comment on view erp.product_price is 'What each active price list of Zoho asks or pays for a product; empty without price lists.';
comment on column erp.product_price.price is 'Price, rounded as the list says; null where it depends on the quantity';
comment on column erp.product_price.brackets is 'Prices by quantity, the numbers as texts: [{"from", "to", "price"}]; to is null for the last';

create or replace view erp.product_group as
select id, name, attributes from public.product_group_in_use;
comment on column erp.product_group.attributes is 'Attributes with the options in use, in Zoho''s order: [{"name", "options"}]';
