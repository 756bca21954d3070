-- What a run did to each record can be read without the product, which a dry run does not make.
alter table run_record add column sku text, add column name text;

-- The open failures are what people look at; closed ones pile up.
create index failure_open on failure (code, created_at) where resolved_at is null and dismissed_at is null;

-- A picture behind an address of a file import: which address of which version of the file is wanted, and which was last dealt with.
alter table product add column image_source_key text, add column image_source_fetched text;
create index product_image_source_pending on product (id) where image_source_key is not null and image_source_fetched is distinct from image_source_key;

-- A block that comes again soon lasts longer; a concurrency that Zoho found too high is raised again with time.
alter table zoho_budget add column block_ms integer, add column concurrency_until timestamptz(3);
