import { Prisma } from '../generated/client.ts'
import { sanitizeForJsonb } from '../lib/jsonb.ts'
import { type FieldKind, type FieldValue, fieldSpec, ITEM_FIELD_NAMES, type ItemFieldName } from '../schemas/item-fields.ts'

const SQL_TYPES: Record<FieldKind, string> = {
  text: 'text',
  key: 'text',
  plain: 'text',
  plain_key: 'text',
  decimal: 'numeric',
  flag: 'boolean',
  options: 'jsonb',
}

/** What a source says of an item besides its fields. */
const SOURCE_COLUMNS = {
  custom_fields: 'jsonb',
  zoho_modified_at: 'timestamptz',
  zoho_image_id: 'text',
  zoho_image_name: 'text',
  image_source_url: 'text',
  image_source_key: 'text',
  origin: 'text',
} as const

/**
 * The columns of a product that its source sets, with the types for reading a page of rows from one
 * JSON parameter.
 */
const ITEM_COLUMNS: Record<ItemColumn, string> = {
  ...(Object.fromEntries(ITEM_FIELD_NAMES.map((field) => [field, SQL_TYPES[fieldSpec(field).kind]])) as Record<ItemFieldName, string>),
  ...SOURCE_COLUMNS,
}
export type ItemColumn = ItemFieldName | keyof typeof SOURCE_COLUMNS

/**
 * One item from its source, in zinc's fields. Money and stock are decimal strings; null where the
 * source is blank, absent where it has no such field.
 */
export type ItemRow = { zoho_item_id: string } & { [F in ItemFieldName]?: FieldValue<F> } & {
  custom_fields?: Record<string, unknown>
  zoho_modified_at?: string | null
  zoho_image_id?: string | null
  zoho_image_name?: string | null
  /** Set by a file import; Zoho's list has no URLs. */
  image_source_url?: string | null
  image_source_key?: string | null
  /** Zoho has the item; a product that only a file names keeps `file`. */
  origin?: 'zoho'
}

/** Returns the fields that these rows have; all rows of one statement have the same. */
export const fieldsOf = (row: ItemRow): ItemColumn[] =>
  (Object.keys(ITEM_COLUMNS) as ItemColumn[]).filter((field) => row[field] !== undefined)

/** Groups rows that have the same fields: one statement writes one group. */
export function groupByFields(rows: ItemRow[]): ItemRow[][] {
  const groups = new Map<string, ItemRow[]>()
  for (const row of rows) {
    const key = fieldsOf(row).join()
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups.values()]
}

/**
 * Returns the rows as a table named t. Custom fields that a row does not name keep the product's
 * value: which of them a list row contains is a setting in Zoho, so their absence means nothing.
 */
export function rowsAsTable(rows: ItemRow[], fields: ItemColumn[]): Prisma.Sql {
  const given = recordset(rows, fields)
  if (!fields.includes('custom_fields')) return given
  const others = fields.filter((field) => field !== 'custom_fields')
  return Prisma.sql`(
    select t.zoho_item_id, ${others.length > 0 ? Prisma.sql`${columns(others, 't')}, ` : Prisma.empty}
      coalesce(held.custom_fields, '{}') || t.custom_fields as custom_fields
    from ${given} left join product held on held.zoho_item_id = t.zoho_item_id) as t`
}

/** `jsonb_to_recordset(…) as t(zoho_item_id text, sku text, …)` */
const recordset = (rows: ItemRow[], fields: ItemColumn[]): Prisma.Sql =>
  Prisma.sql`jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(rows))}::jsonb) as t(zoho_item_id text, ${Prisma.raw(fields.map((field) => `${field} ${ITEM_COLUMNS[field]}`).join(', '))})`

/** `p.sku, p.name, …` */
export const columns = (fields: readonly ItemColumn[], table: string): Prisma.Sql =>
  Prisma.raw(fields.map((field) => `${table}.${field}`).join(', '))
