-- The whole item record: what Zoho's list row says, each in a column of its own.
alter table product
  add column manufacturer text,
  add column category_id text,
  add column upc text,
  add column ean text,
  add column isbn text,
  add column part_number text,
  add column item_type text,
  add column product_type text,
  add column tax_id text,
  add column tax_name text,
  add column tax_percentage numeric(24, 6),
  add column reorder_level numeric(24, 6),
  add column length numeric(24, 6),
  add column width numeric(24, 6),
  add column height numeric(24, 6),
  add column dimension_unit text,
  add column weight numeric(24, 6),
  add column weight_unit text,
  add column is_combo boolean not null default false,
  add column group_id text,
  add column group_name text,
  add column attributes jsonb not null default '[]',
  add column available_stock numeric(24, 6),
  add column actual_available_stock numeric(24, 6),
  add column origin text not null default 'zoho';
update product set origin = 'file' where zoho_item_id is null;

create index product_upc_idx on product (upc) where upc is not null;
create index product_ean_idx on product (ean) where ean is not null;
create index product_isbn_idx on product (isbn) where isbn is not null;
create index product_part_number_idx on product (part_number) where part_number is not null;
create index product_group_idx on product (group_id) where group_id is not null;

-- A stored column does not follow its expression, so it is made again, now with the barcodes.
drop index if exists product_search_idx;
alter table product drop column search;
alter table product add column search text generated always as (
  search_text(name, name_en, name_ar, sku, zoho_item_id, upc, ean, isbn, part_number)) stored;
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_trgm') then
    create index product_search_idx on product using gin (search gin_trgm_ops) where deleted_at is null;
  end if;
end $$;

-- Apart from the product, which is read far more often than this.
create table product_raw (
  product_id uuid primary key references product (id) on delete cascade on update cascade,
  raw text not null
);

-- Whether the last digit of a barcode (EAN-8, UPC-A, EAN-13, GTIN-14) is what the others give. Null:
-- this is no code of that kind.
create function has_check_digit(code text) returns boolean language sql immutable parallel safe as $$
  select case when code ~ '^(\d{8}|\d{12}|\d{13}|\d{14})$' then
    (select sum(substr(code, n, 1)::integer * case when (length(code) - n) % 2 = 1 then 3 else 1 end) % 10 = 0
     from generate_series(1, length(code)) n) end
$$;
