-- Entries are looked for by date.
create index "audit_entry_at_idx" on "audit_entry" ("at");
