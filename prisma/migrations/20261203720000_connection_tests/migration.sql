-- What each test of the connection found, so that it is still there after the page was left.
create table connection_test (
  id bigserial primary key,
  tested_at timestamptz(3) not null,
  tested_by text not null,
  ok boolean not null,
  checks jsonb not null
);
