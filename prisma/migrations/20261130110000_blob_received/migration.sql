-- A BMP is stored as PNG; its own bytes stay in the store under this hash.
alter table blob add column received_sha256 text;
-- Whether some pixel lets the ground through: such a picture has no JPEG that shows it as it is.
alter table blob add column transparent boolean not null default false;
