-- The facts in a message: with its code they make the sentences of every language. What was stored before keeps its English text.
alter table "run" add column "failure_params" jsonb;
alter table "failure" add column "params" jsonb;
alter table "zoho_connection" add column "params" jsonb;
