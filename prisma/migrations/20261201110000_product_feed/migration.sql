-- The change feed of products. Triggers note what a transaction changes; number_products() gives
-- committed notes their numbers, so that a reader who has seen a number has seen every smaller one.
create table product_change (
  product_id uuid primary key,
  seq bigint not null,
  change text not null,
  changed_at timestamptz(3) not null,
  zoho_item_id text,
  sku text,
  field_seqs jsonb not null
);
create unique index product_change_seq_key on product_change (seq);
create index product_change_changed_at_idx on product_change (changed_at);

create table product_mark (
  id bigserial primary key,
  product_id uuid not null,
  fields text[] not null
);

create table product_feed_state (
  id smallint primary key default 1,
  last_seq bigint not null default 0,
  clock_at timestamptz(3) not null default current_timestamp,
  pruned_seq bigint not null default 0,
  fields_seq bigint not null default 0
);

insert into product_mark (product_id, fields) select id, array['*'] from product order by created_at, id;

-- Which fields of the record differ. Every column that the record shows stands here.
create function product_changed_fields(o product, n product) returns text[] language sql immutable parallel safe as $$
  select array_remove(array[
    case when o.zoho_item_id is distinct from n.zoho_item_id then 'zoho_item_id' end,
    case when o.sku is distinct from n.sku then 'sku' end,
    case when o.name is distinct from n.name then 'name' end,
    case when o.name_en is distinct from n.name_en then 'name_en' end,
    case when o.name_ar is distinct from n.name_ar then 'name_ar' end,
    case when o.description is distinct from n.description then 'description' end,
    case when o.cost_price is distinct from n.cost_price then 'cost_price' end,
    case when o.selling_price is distinct from n.selling_price then 'selling_price' end,
    case when o.currency is distinct from n.currency then 'currency' end,
    case when o.stock_on_hand is distinct from n.stock_on_hand then 'stock_on_hand' end,
    case when (o.stock_on_hand, o.available_stock, o.actual_available_stock)
      is distinct from (n.stock_on_hand, n.available_stock, n.actual_available_stock) then 'stock' end,
    case when o.status is distinct from n.status then 'status' end,
    case when o.unit is distinct from n.unit then 'unit' end,
    case when (o.category, o.category_id) is distinct from (n.category, n.category_id) then 'category' end,
    case when o.brand is distinct from n.brand then 'brand' end,
    case when o.manufacturer is distinct from n.manufacturer then 'manufacturer' end,
    case when o.upc is distinct from n.upc then 'upc' end,
    case when o.ean is distinct from n.ean then 'ean' end,
    case when o.isbn is distinct from n.isbn then 'isbn' end,
    case when o.part_number is distinct from n.part_number then 'part_number' end,
    case when o.item_type is distinct from n.item_type then 'item_type' end,
    case when o.product_type is distinct from n.product_type then 'product_type' end,
    case when (o.tax_id, o.tax_name, o.tax_percentage) is distinct from (n.tax_id, n.tax_name, n.tax_percentage) then 'tax' end,
    case when o.reorder_level is distinct from n.reorder_level then 'reorder_level' end,
    case when (o.length, o.width, o.height, o.dimension_unit) is distinct from (n.length, n.width, n.height, n.dimension_unit) then 'dimensions' end,
    case when (o.weight, o.weight_unit) is distinct from (n.weight, n.weight_unit) then 'weight' end,
    case when o.is_combo is distinct from n.is_combo then 'is_combo' end,
    case when (o.group_id, o.group_name) is distinct from (n.group_id, n.group_name) then 'group' end,
    case when o.attributes is distinct from n.attributes then 'attributes' end,
    case when o.custom_fields is distinct from n.custom_fields then 'custom_fields' end,
    case when o.origin is distinct from n.origin then 'origin' end,
    case when o.image_state is distinct from n.image_state then 'image_state' end,
    case when o.created_at is distinct from n.created_at then 'created_at' end,
    case when o.updated_at is distinct from n.updated_at then 'updated_at' end,
    case when o.deleted_at is distinct from n.deleted_at then 'deleted_at' end], null)
$$;

create function product_written() returns trigger language plpgsql as $$
begin
  insert into product_mark (product_id, fields) select id, array['*'] from added order by created_at, id;
  return null;
end $$;
create trigger product_written after insert on product referencing new table as added
  for each statement execute function product_written();

-- A product that comes back is new to those who were told that it was gone.
create function product_changed() returns trigger language plpgsql as $$
declare
  changed text[];
begin
  if tg_op = 'DELETE' then
    insert into product_mark (product_id, fields) values (old.id, array['deleted_at']);
    return null;
  end if;
  changed := product_changed_fields(old, new);
  if old.deleted_at is not null and new.deleted_at is null then
    changed := array['*'];
  end if;
  if cardinality(changed) > 0 then
    insert into product_mark (product_id, fields) values (new.id, changed);
  end if;
  return null;
end $$;
create trigger product_changed after update or delete on product for each row execute function product_changed();

create function product_raw_changed() returns trigger language plpgsql as $$
begin
  insert into product_mark (product_id, fields) values (new.product_id, array['raw']);
  return null;
end $$;
create trigger product_raw_changed after update on product_raw for each row when (old.raw <> new.raw) execute function product_raw_changed();

-- Of a product's pictures; the primary one stands in fields of its own, too.
create function product_photo_changed() returns trigger language plpgsql as $$
declare
  was_primary boolean := false;
  is_primary boolean := false;
begin
  if tg_op <> 'INSERT' then
    was_primary := old.is_primary and old.deleted_at is null;
  end if;
  if tg_op <> 'DELETE' then
    is_primary := new.is_primary and new.deleted_at is null;
  end if;
  insert into product_mark (product_id, fields)
  select distinct id, array['images'] || case when was_primary or is_primary then array['image_url', 'image_path', 'image_source'] else '{}' end
    || case when was_primary <> is_primary then array['has_image'] else '{}' end
  from unnest(case tg_op when 'INSERT' then array[new.product_id] when 'DELETE' then array[old.product_id]
    else array[old.product_id, new.product_id] end) as id;
  return null;
end $$;
create trigger product_photo_made after insert or delete on photo for each row execute function product_photo_changed();
create trigger product_photo_changed after update on photo for each row
  when ((old.product_id, old.sha256, old.filename, old.is_primary, old.sort_order, old.version, old.alt_en, old.alt_ar, old.source, old.document_id,
      old.source_url, old.updated_at, old.deleted_at) is distinct from
    (new.product_id, new.sha256, new.filename, new.is_primary, new.sort_order, new.version, new.alt_en, new.alt_ar, new.source, new.document_id,
      new.source_url, new.updated_at, new.deleted_at))
  execute function product_photo_changed();

create function product_blob_changed() returns trigger language plpgsql as $$
begin
  insert into product_mark (product_id, fields)
  select distinct product_id, array['images'] from photo where sha256 = new.sha256 and deleted_at is null;
  return null;
end $$;
create trigger product_blob_changed after update on blob for each row
  when ((old.md5, old.size, old.content_type, old.ext, old.width, old.height, old.damaged) is distinct from
        (new.md5, new.size, new.content_type, new.ext, new.width, new.height, new.damaged))
  execute function product_blob_changed();

-- Heard at commit by every zinc on this database: one of them numbers what waits.
create function product_marked() returns trigger language plpgsql as $$
begin
  perform pg_notify('zinc_product_due', '');
  return null;
end $$;
create trigger product_marked after insert on product_mark for each statement execute function product_marked();

-- Numbers committed changes, `at_most` notes a call; answers how many notes it took. Each statement
-- sees what is committed when it begins, and the row lock lets one at a time: so no number is given
-- before a smaller one can be read. Who else listens hears the newest number on zinc_product.
create function number_products(at_most integer) returns integer language plpgsql as $$
declare
  state product_feed_state%rowtype;
  at timestamptz(3);
  taken integer;
  numbered integer;
begin
  select * into strict state from product_feed_state for update;
  at := greatest(date_trunc('milliseconds', clock_timestamp()), state.clock_at);
  with due as (
    delete from product_mark where id in (select id from product_mark order by id limit at_most) returning id, product_id, fields
  ), changed as (
    select product_id, min(id) as first, array_agg(distinct field) as fields from due, unnest(fields) as field group by product_id
  ), given as (
    select c.product_id, c.fields, p.zoho_item_id, p.sku, p.id is not null and p.deleted_at is null as living,
      state.last_seq + row_number() over (order by c.first) as seq
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
  )
  select (select count(*) from due), (select count(*) from written) into taken, numbered;
  if numbered > 0 then
    update product_feed_state set last_seq = state.last_seq + numbered, clock_at = at;
    perform pg_notify('zinc_product', (state.last_seq + numbered)::text);
  end if;
  return taken;
end $$;

-- As with number_feed(): right after a bulk load the planner knows nothing of the tables.
alter function number_products(integer) set enable_seqscan = off;
alter function number_products(integer) set enable_hashjoin = off;
alter function number_products(integer) set enable_mergejoin = off;

-- What changed of a product after a number: what moves with every change is named only alone.
create function fields_changed_after(field_seqs jsonb, after bigint) returns text[] language sql immutable parallel safe as $$
  with changed as (select key from jsonb_each_text(field_seqs) where value::bigint > after)
  select case when exists (select 1 from changed where key = '*') then array['*']
    else coalesce(
      (select array_agg(key order by key) from changed where key not in ('raw', 'updated_at')),
      (select array_agg(key order by key) from changed), '{}') end
$$;
