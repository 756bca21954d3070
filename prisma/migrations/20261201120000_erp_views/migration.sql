-- Stable views for an ERP in SQL. Columns may be added; taking one away or changing its type needs a
-- new schema (erp_v2). `zinc db reader` makes roles that can read these and nothing else.
create schema if not exists erp;
comment on schema erp is 'The catalogue of zinc for other programs: stable views, read only';

create view erp.product as
select p.id, p.zoho_item_id, p.sku, p.name, p.name_en, p.name_ar, p.description, p.status, p.cost_price, p.selling_price, p.currency,
  p.stock_on_hand, p.unit, p.brand, p.manufacturer, p.category, p.upc, p.ean, p.isbn, p.part_number, p.item_type, p.tax_percentage,
  p.reorder_level, p.group_id, p.group_name, p.attributes, p.custom_fields,
  '/images/' || coalesce(p.zoho_item_id, p.id::text) || '.' || b.ext as image_url_path,
  p.created_at, p.updated_at, p.deleted_at, c.seq
from product p
left join product_change c on c.product_id = p.id
left join photo f on f.product_id = p.id and f.is_primary and f.deleted_at is null
left join blob b on b.sha256 = f.sha256;
comment on view erp.product is 'One row for each product, deleted ones included. The currency of a price stands beside it; stock and prices are exact decimals.';
comment on column erp.product.id is 'Id of the product in zinc; it never changes';
comment on column erp.product.zoho_item_id is 'Id of the item in Zoho; null for a product that Zoho does not know';
comment on column erp.product.sku is 'SKU as in Zoho; not unique, null when blank';
comment on column erp.product.name is 'Name as in Zoho, to the byte';
comment on column erp.product.name_en is 'English name';
comment on column erp.product.name_ar is 'Arabic name';
comment on column erp.product.description is 'Description';
comment on column erp.product.status is 'active or inactive';
comment on column erp.product.cost_price is 'Purchase price; null when blank';
comment on column erp.product.selling_price is 'Selling price; null when blank, 0 when it is 0';
comment on column erp.product.currency is 'Currency of both prices, three letters';
comment on column erp.product.stock_on_hand is 'Stock in all locations; null for what Zoho does not track';
comment on column erp.product.unit is 'Unit of sale';
comment on column erp.product.brand is 'Brand';
comment on column erp.product.manufacturer is 'Manufacturer';
comment on column erp.product.category is 'Name of the category';
comment on column erp.product.upc is 'UPC, leading zeros kept';
comment on column erp.product.ean is 'EAN, leading zeros kept';
comment on column erp.product.isbn is 'ISBN';
comment on column erp.product.part_number is 'Part number of the manufacturer';
comment on column erp.product.item_type is 'Kind of item in Zoho: inventory, sales, purchases, sales_and_purchases';
comment on column erp.product.tax_percentage is 'Tax in percent; null without a tax';
comment on column erp.product.reorder_level is 'Stock at which to order again';
comment on column erp.product.group_id is 'Id of the item group; null for a product without variants';
comment on column erp.product.group_name is 'Name of the item group';
comment on column erp.product.attributes is 'Attributes of a variant in their order: [{"name", "option"}]';
comment on column erp.product.custom_fields is 'Custom fields by their names in Zoho (cf_…); …_unformatted is the plain value';
comment on column erp.product.image_url_path is 'Path of the primary image below the address of zinc; null without one';
comment on column erp.product.created_at is 'When zinc first saw the product';
comment on column erp.product.updated_at is 'When zinc last wrote the product';
comment on column erp.product.deleted_at is 'Since when the product is gone; null while it exists';
comment on column erp.product.seq is 'Number of its newest change; rises with each';

create view erp.product_image as
select f.id, f.product_id, f.sha256, f.filename, b.content_type, b.width, b.height, f.is_primary, f.sort_order, f.alt_en, f.alt_ar, f.updated_at
from photo f
join product p on p.id = f.product_id and p.deleted_at is null
join blob b on b.sha256 = f.sha256
where f.deleted_at is null;
comment on view erp.product_image is 'One row for each image of an existing product.';
comment on column erp.product_image.id is 'Id of the image';
comment on column erp.product_image.product_id is 'Its product';
comment on column erp.product_image.sha256 is 'SHA-256 of the bytes, in hexadecimal';
comment on column erp.product_image.filename is 'Name of the file';
comment on column erp.product_image.content_type is 'Media type of the bytes';
comment on column erp.product_image.width is 'Width in pixels';
comment on column erp.product_image.height is 'Height in pixels';
comment on column erp.product_image.is_primary is 'The one image that lists show';
comment on column erp.product_image.sort_order is 'Order among the images of the product';
comment on column erp.product_image.alt_en is 'Alternative text, English';
comment on column erp.product_image.alt_ar is 'Alternative text, Arabic';
comment on column erp.product_image.updated_at is 'When it last changed';

create view erp.product_price as
select null::uuid as product_id, null::text as price_list_id, null::text as price_list, null::text as currency, null::numeric(24, 6) as price,
  null::jsonb as brackets
where false;
comment on view erp.product_price is 'Prices of price lists; empty until price lists are read.';
comment on column erp.product_price.product_id is 'The product';
comment on column erp.product_price.price_list_id is 'Id of the price list in Zoho';
comment on column erp.product_price.price_list is 'Name of the price list';
comment on column erp.product_price.currency is 'Currency, three letters';
comment on column erp.product_price.price is 'Price; null where it depends on the quantity';
comment on column erp.product_price.brackets is 'Prices by quantity: [{"from", "to", "price"}]';

create view erp.product_stock as
select null::uuid as product_id, null::text as location_id, null::text as location, null::numeric(24, 6) as on_hand,
  null::numeric(24, 6) as available, null::numeric(24, 6) as committed, null::timestamptz(3) as as_of
where false;
comment on view erp.product_stock is 'Stock by location; empty until locations are read.';
comment on column erp.product_stock.product_id is 'The product';
comment on column erp.product_stock.location_id is 'Id of the location in Zoho';
comment on column erp.product_stock.location is 'Name of the location';
comment on column erp.product_stock.on_hand is 'Stock on hand; may be negative';
comment on column erp.product_stock.available is 'Stock available for sale';
comment on column erp.product_stock.committed is 'Stock promised to orders';
comment on column erp.product_stock.as_of is 'When Zoho said so';

create view erp.product_group as
select g.group_id as id, max(g.group_name) as name,
  coalesce((
    select jsonb_agg(jsonb_build_object('name', a.name, 'options', a.options) order by a.place) from (
      select v.value ->> 'name' as name, min(v.place) as place, jsonb_agg(distinct v.value ->> 'option') as options
      from product p, jsonb_array_elements(p.attributes) with ordinality as v (value, place)
      where p.group_id = g.group_id and p.deleted_at is null group by 1) a), '[]') as attributes
from product g where g.group_id is not null and g.deleted_at is null group by g.group_id;
comment on view erp.product_group is 'Item groups that have variants.';
comment on column erp.product_group.id is 'Id of the item group in Zoho';
comment on column erp.product_group.name is 'Name of the group';
comment on column erp.product_group.attributes is 'Attributes with the options in use: [{"name", "options"}]';

create view erp.product_change as
select c.seq, c.change, c.product_id, fields_changed_after(c.field_seqs, c.seq - 1) as changed_fields, c.changed_at from product_change c;
comment on view erp.product_change is 'The newest change of each product, in the order of seq: read on from the highest seq that you have. A transaction that commits late gets a later seq.';
comment on column erp.product_change.seq is 'Number of the change; a product has its newest one only';
comment on column erp.product_change.change is 'upsert or delete';
comment on column erp.product_change.product_id is 'The product';
comment on column erp.product_change.changed_fields is 'Fields of the record that the change touched; * for a new product';
comment on column erp.product_change.changed_at is 'When the change could be read';

create view erp.store as
select s.id, s.code, s.name, null::text as location_id from store s;
comment on view erp.store is 'Stores with an edge server.';
comment on column erp.store.id is 'Id of the store';
comment on column erp.store.code is 'Short code';
comment on column erp.store.name is 'Name';
comment on column erp.store.location_id is 'Its location in Zoho; null when none is set';
