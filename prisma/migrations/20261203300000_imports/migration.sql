-- What an import of images besides its files says: a bucket in place of a folder, which file belongs
-- to which product, and whether the images are copies of Zoho's.
alter table image_import
  add column bucket_url text,
  add column map jsonb,
  add column as_zoho boolean not null default false;
comment on column image_import.bucket_url is 's3://BUCKET/PREFIX';

-- A file that a person put into the folder of item images: `file` is its name there.
alter table media_finding add column file text;

-- Where a product comes from, for programs that must not take what only a file names for Zoho's.
create or replace view erp.product as
select p.id, p.zoho_item_id, p.sku, p.name, p.name_en, p.name_ar, p.description, p.status, p.cost_price, p.selling_price, p.currency,
  p.stock_on_hand, p.unit, p.brand, p.manufacturer, p.category, p.upc, p.ean, p.isbn, p.part_number, p.item_type, p.tax_percentage,
  p.reorder_level, p.group_id, p.group_name, p.attributes, p.custom_fields,
  '/images/' || coalesce(p.zoho_item_id, p.id::text) || '.' || b.ext as image_url_path,
  p.created_at, p.updated_at, p.deleted_at, c.seq, p.origin
from product p
left join product_change c on c.product_id = p.id
left join photo f on f.product_id = p.id and f.is_primary and f.deleted_at is null
left join blob b on b.sha256 = f.sha256;
comment on column erp.product.origin is 'zoho, file or erp: who brought the product in; a full sync removes only what came from zoho';
