-- An item that Zoho no longer tracks has no stock anywhere: its rows by location go with the totals,
-- whoever reads that first. Tracked again, its locations are unknown until they are read.
create or replace function product_stock_tracked() returns trigger language plpgsql as $$
begin
  if (new.stock_on_hand, new.available_stock, new.actual_available_stock) is not distinct from (null::numeric, null::numeric, null::numeric) then
    delete from product_stock where product_id = new.id;
    update item_detail set stock_as_of = null where product_id = new.id and stock_as_of is not null;
  end if;
  update photo set member_pending = true where product_id = new.id;
  return null;
end $$;
drop trigger product_stock_tracked on product;
create trigger product_stock_tracked after update on product for each row
  when ((old.stock_on_hand is null, old.available_stock is null, old.actual_available_stock is null)
    is distinct from (new.stock_on_hand is null, new.available_stock is null, new.actual_available_stock is null))
  execute function product_stock_tracked();
delete from product_stock s using product p
where p.id = s.product_id and p.stock_on_hand is null and p.available_stock is null and p.actual_available_stock is null;

-- A list that becomes another kind, or one of purchases, also changes what it had a price for before.
create or replace function price_list_changed() returns trigger language plpgsql as $$
declare
  list price_list := case tg_op when 'DELETE' then old else new end;
  before price_list := case tg_op when 'UPDATE' then old else list end;
begin
  insert into product_mark (product_id, fields) select id, array['prices'] from product
  where deleted_at is null and (
    list.kind = 'percentage' and case list.type when 'purchase' then cost_price else selling_price end is not null
    or before.kind = 'percentage' and case before.type when 'purchase' then cost_price else selling_price end is not null);
  if 'per_item' in (list.kind, before.kind) then
    insert into product_mark (product_id, fields) select p.id, array['prices'] from price_list_rate r
    join product p on p.zoho_item_id = r.zoho_item_id and p.deleted_at is null where r.price_list_id = list.id;
  end if;
  return list;
end $$;
