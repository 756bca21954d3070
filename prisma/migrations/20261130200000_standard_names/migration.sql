-- Tables and columns get the names that the code and the API use. Only names change, no row is rewritten.
alter table "notice_told" rename to "sent_notification";
alter table "notice" rename to "notification";
alter table "item_notice" rename to "webhook_event";
alter table "feed_pass" rename to "feed_walk";
alter table "instance_fact" rename to "instance_property";
alter table "zoho_budget" rename to "zoho_rate_limit";
alter table "field_rule" rename to "field_mapping";
alter table "run" rename column "wanted" to "requested_action";
alter table "zoho_record" rename column "detail_due" to "needs_detail";
alter table "pull_module" rename column "filings" to "pull_count";
alter table "feed_state" rename column "born_in" to "database_id";
alter table "setting" rename column "sealed" to "encrypted";
alter table "webhook_event" rename column "noticed_at" to "received_at";
