-- The facts in a notification, so that it can be written in another language than English.
alter table notification add column params jsonb;
