-- Failures carry a code of zinc's and, beside it, Zoho's own. Rows that hold Zoho's as their code are rewritten.
alter table "failure" add column "zoho_code" text;
alter table "run" add column "zoho_code" text;

create function pg_temp.own_code(code text) returns text language sql immutable as $$
  select case
    when code in ('57', 'OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION') then 'scope_missing'
    when code = '6041' then 'unknown_organization'
    when code in ('43', '44', '429', 'TOO_MANY_REQUESTS') then 'zoho_minute_limit'
    when code in ('45', 'LIMIT_EXCEEDED') then 'zoho_day_limit'
    when code = '1070' then 'zoho_concurrency_limit'
    when code in ('1002', '2006') then 'not_found_in_zoho'
    else 'zoho_refused'
  end
$$;

update "failure" set "zoho_code" = "code", "code" = pg_temp.own_code("code") where "code" ~ '^[0-9A-Z]';
update "run" set "zoho_code" = "failure_code", "failure_code" = pg_temp.own_code("failure_code") where "failure_code" ~ '^[0-9A-Z]';
update "zoho_connection" set "code" = pg_temp.own_code("code") where "code" ~ '^[0-9A-Z]';
update "product" set "image_error_code" = pg_temp.own_code("image_error_code") where "image_error_code" ~ '^[0-9A-Z]';
