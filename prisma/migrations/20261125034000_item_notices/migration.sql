-- Zoho's notices of changed items: one row an item, however often it is noticed, until the item was read.
create table item_notice (
  zoho_item_id text primary key,
  noticed_at timestamptz(3) not null,
  due_at timestamptz(3),
  read_at timestamptz(3)
);
create index item_notice_due_idx on item_notice (due_at) where due_at is not null;
