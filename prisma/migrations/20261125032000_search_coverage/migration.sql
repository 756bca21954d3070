-- One text to search in, kept by the database: small letters, and Arabic as people type it (without vowel signs and stretching, one form of
-- alef, yeh, heh and hamza, Latin digits). In Prisma's model it does not stand, since nobody reads it.
create function search_text(variadic parts text[]) returns text language sql immutable parallel safe as $$
  select translate(lower(regexp_replace(array_to_string(parts, chr(10)), '[\u064B-\u065F\u0670\u0640]', '', 'g')),
                   'أإآٱىةؤئ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', 'اااايهوي01234567890123456789')
$$;
alter table product add column search text generated always as (search_text(name, name_en, name_ar, sku, zoho_item_id)) stored;

-- Searching inside words needs pg_trgm. Where the account may not install it, a search reads the products row by row: slower, and right.
do $$
begin
  create extension if not exists pg_trgm;
exception when others then
  raise notice 'pg_trgm is not available: %', sqlerrm;
end $$;
do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_trgm') then
    create index product_search_idx on product using gin (search gin_trgm_ops) where deleted_at is null;
  end if;
end $$;

create table coverage_day (
  day date primary key,
  total integer not null,
  counts jsonb not null,
  measured_at timestamptz(3) not null
);

-- Counting SKUs that stand twice reads this index in its order instead of sorting every product.
create index product_living_sku_idx on product (sku) where deleted_at is null;
