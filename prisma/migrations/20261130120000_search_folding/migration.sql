-- The text that a search looks in: compatibility forms as ordinary letters (NFKD: presentation forms, full width), without accents, vowel signs,
-- stretching and invisible marks; one form of alef, yeh, heh, waw and hamza; Persian and Kurdish letters as the Arabic ones that people type for them;
-- Latin digits; the entities that Zoho writes into texts decoded. A stored column does not follow its function, so it is made again: every row has the new text.
drop index if exists product_search_idx;
alter table product drop column search;

create or replace function search_text(variadic parts text[]) returns text language sql immutable parallel safe as $$
  select translate(lower(regexp_replace(normalize(
      replace(replace(replace(replace(replace(replace(array_to_string(parts, chr(10)),
        '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&nbsp;', ' '), '&amp;', '&'), nfkd),
      '[\u0300-\u036F\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]',
      '', 'g')),
    'ٱىةیېێےەھہکگپچژڤڕڵۆۇۈ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
    'ايهييييهههككبجزفرلووو01234567890123456789')
$$;
alter table product add column search text generated always as (search_text(name, name_en, name_ar, sku, zoho_item_id)) stored;

do $$
begin
  if exists (select 1 from pg_extension where extname = 'pg_trgm') then
    create index product_search_idx on product using gin (search gin_trgm_ops) where deleted_at is null;
  end if;
end $$;
