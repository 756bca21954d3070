-- Where a product field is read from and who writes it, where that differs from the default.
create table field_rule (
  field text primary key,
  source text,
  owner text,
  changed_at timestamptz(3) not null default current_timestamp
);
