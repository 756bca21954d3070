import type { RawDb } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { applyFieldOwnership } from './field-ownership.ts'
import { columns, fieldsOf, groupByFields, type ItemColumn, type ItemRow, rowsAsTable } from './item-fields.ts'

/**
 * Writes any number of items, in one statement per set of fields. Equal rows are not written, and
 * fields that a row lacks stay as they are. An image that is named for the first time, or under
 * another id, makes the product `untried`; one that the source no longer names, `none`. A
 * soft-deleted item that comes back is restored.
 */
export async function upsertItems(tx: RawDb, items: ItemRow[], { at }: { at: Date }): Promise<void> {
  for (const rows of groupByFields(await applyFieldOwnership(tx, items))) {
    const fields = fieldsOf(rows[0]!)
    await tx.$executeRaw(upsertFrom(rowsAsTable(rows, fields), fields, { at }))
  }
}

/** Returns the statement that writes a table named t of rows with these fields. */
export function upsertFrom(table: Prisma.Sql, fields: ItemColumn[], { at }: { at: Date }): Prisma.Sql {
  const raw = (text: string) => Prisma.raw(text)
  // Required columns of a new product that the row may lack.
  const without = (field: ItemColumn, text: string) => raw(fields.includes(field) ? '' : `, ${text}`)
  return Prisma.sql`
    insert into product as p (zoho_item_id, ${raw(fields.join(', '))}${without('name', 'name')}${without('origin', 'origin')}, image_state, created_at, updated_at)
    select t.zoho_item_id, ${columns(fields, 't')}${without('name', "''")}${without('origin', "'file'")}, ${firstState(fields)}, ${at}, ${at}
    from ${table}
    on conflict (zoho_item_id) do update set
      ${raw(fields.map((field) => `${field} = excluded.${field}`).join(', '))},
      ${imageChanges(fields)}
      deleted_at = null,
      updated_at = excluded.updated_at
    where (${columns(fields, 'p')}, p.deleted_at) is distinct from (${columns(fields, 'excluded')}, null::timestamptz)`
}

const firstState = (fields: ItemColumn[]): Prisma.Sql =>
  Prisma.raw(
    fields.includes('image_source_key')
      ? "case when t.image_source_key is null then 'none' else 'untried' end"
      : fields.includes('zoho_image_id')
        ? "case when t.zoho_image_id is null then 'none' else 'untried' end"
        : "'none'",
  )

/** How another image, or none, changes the state of the stored image. */
function imageChanges(fields: ItemColumn[]): Prisma.Sql {
  if (fields.includes('image_source_key')) {
    return Prisma.sql`
      image_state = case when excluded.image_source_key is not null and excluded.image_source_key is distinct from p.image_source_fetched
        then 'untried' else p.image_state end,
      image_attempts = case when excluded.image_source_key is distinct from p.image_source_key then 0 else p.image_attempts end,`
  }
  if (!fields.includes('zoho_image_id')) return Prisma.empty
  return Prisma.sql`
      image_state = case
        when excluded.zoho_image_id is null then case when p.image_source_key is null then 'none' else p.image_state end
        when p.deleted_at is not null then 'untried'
        when excluded.zoho_image_id is distinct from p.zoho_image_id then
          case when excluded.zoho_image_id = p.image_fetched_id then 'stored' else 'untried' end
        else p.image_state end,
      image_attempts = case when excluded.zoho_image_id is distinct from p.zoho_image_id then 0 else p.image_attempts end,
      image_error_code = case when excluded.zoho_image_id is distinct from p.zoho_image_id then null else p.image_error_code end,
      image_error = case when excluded.zoho_image_id is distinct from p.zoho_image_id then null else p.image_error end,`
}
