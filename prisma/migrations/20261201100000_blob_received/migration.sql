-- A BMP is stored as PNG; its own bytes stay in the store under this hash.
alter table blob add column received_sha256 text;
