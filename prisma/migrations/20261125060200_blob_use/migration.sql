-- A photo can only be given bytes that are there: the row of the bytes is held while the photo is written, so neither the sweep nor the
-- delete of the last other photo can pass by at the same moment.
create or replace function note_blob_use() returns trigger language plpgsql as $$
declare
  gone timestamptz;
begin
  if tg_op <> 'DELETE' and new.deleted_at is null then
    select removed_at into gone from blob where sha256 = new.sha256 for no key update;
    if gone is not null then
      raise exception 'the bytes of picture % were removed', new.sha256 using errcode = 'foreign_key_violation';
    end if;
    update blob set orphaned_at = null where sha256 = new.sha256 and orphaned_at is not null;
  end if;
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or new.sha256 <> old.sha256 or new.deleted_at is not null) then
    update blob set orphaned_at = clock_timestamp()
    where sha256 = old.sha256 and orphaned_at is null
      and not exists (select 1 from photo where photo.sha256 = old.sha256 and photo.deleted_at is null);
  end if;
  return null;
end $$;
