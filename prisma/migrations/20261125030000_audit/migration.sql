-- Who changed what, when. Rows are only ever added: the trigger refuses everything else to every user, the owner included.
create table audit_entry (
  id bigserial primary key,
  at timestamptz(3) not null default clock_timestamp(),
  actor text not null,
  action text not null,
  target text not null,
  fields text[] not null default '{}',
  request_id text,
  ip text
);
create index audit_entry_action_idx on audit_entry (action, id desc);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'permission denied: audit_entry is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete or truncate on audit_entry
  for each statement execute function audit_is_append_only();
