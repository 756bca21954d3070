-- The item's zoho_modified_at when its image was last asked for: an item that was edited since may have another image under the same document id.
alter table "product" add column "image_checked_modified_at" timestamptz(3);
update "product" set "image_checked_modified_at" = "zoho_modified_at"
where "image_state" = 'stored' and "image_tried_at" >= "zoho_modified_at";
