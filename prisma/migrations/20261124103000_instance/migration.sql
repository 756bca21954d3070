create table instance_fact (
  name text primary key,
  value text not null
);
