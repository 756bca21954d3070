import { Prisma } from '../generated/client.ts'
import { sanitizeForJsonb } from '../lib/jsonb.ts'

/** The columns of a product that its source decides, with the types in which a page of rows is read out of one JSON parameter. */
export const ITEM_FIELDS = {
  sku: 'text',
  name: 'text',
  name_en: 'text',
  name_ar: 'text',
  description: 'text',
  cost_price: 'numeric',
  selling_price: 'numeric',
  currency: 'text',
  stock_on_hand: 'numeric',
  status: 'text',
  unit: 'text',
  category: 'text',
  brand: 'text',
  custom_fields: 'jsonb',
  zoho_modified_at: 'timestamptz',
  zoho_image_id: 'text',
  zoho_image_name: 'text',
  image_source_url: 'text',
  image_source_key: 'text',
} as const
export type ItemField = keyof typeof ITEM_FIELDS

/** One item as its source has it, in our words. Money and stock are decimal strings; null where the source is blank, absent where it has no such field. */
export interface ItemRow {
  zoho_item_id: string
  sku?: string | null
  name?: string
  name_en?: string | null
  name_ar?: string | null
  description?: string | null
  cost_price?: string | null
  selling_price?: string | null
  currency?: string | null
  stock_on_hand?: string | null
  status?: 'active' | 'inactive'
  unit?: string | null
  category?: string | null
  brand?: string | null
  custom_fields?: Record<string, unknown>
  zoho_modified_at?: string | null
  zoho_image_id?: string | null
  zoho_image_name?: string | null
  /** A file import's; Zoho's list has no addresses. */
  image_source_url?: string | null
  image_source_key?: string | null
}

/** The fields that these rows carry; all rows of one statement carry the same. */
export const fieldsOf = (row: ItemRow): ItemField[] => (Object.keys(ITEM_FIELDS) as ItemField[]).filter((field) => row[field] !== undefined)

/** Rows in groups that carry the same fields: one statement writes one group. */
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
 * The rows as a table named t. Custom fields that a row does not name keep the value that the product has: which of them a list row carries is a setting in
 * Zoho, so their absence means nothing.
 */
export function rowsAsTable(rows: ItemRow[], fields: ItemField[]): Prisma.Sql {
  const given = recordset(rows, fields)
  if (!fields.includes('custom_fields')) return given
  const others = fields.filter((field) => field !== 'custom_fields')
  return Prisma.sql`(
    select t.zoho_item_id, ${others.length > 0 ? Prisma.sql`${columns(others, 't')}, ` : Prisma.empty}
      coalesce(held.custom_fields, '{}') || t.custom_fields as custom_fields
    from ${given} left join product held on held.zoho_item_id = t.zoho_item_id) as t`
}

/** `jsonb_to_recordset(…) as t(zoho_item_id text, sku text, …)` */
const recordset = (rows: ItemRow[], fields: ItemField[]): Prisma.Sql =>
  Prisma.sql`jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(rows))}::jsonb) as t(zoho_item_id text, ${Prisma.raw(fields.map((field) => `${field} ${ITEM_FIELDS[field]}`).join(', '))})`

/** `p.sku, p.name, …` */
export const columns = (fields: readonly ItemField[], table: string): Prisma.Sql =>
  Prisma.raw(fields.map((field) => `${table}.${field}`).join(', '))
