import { z } from 'zod'

/**
 * How a field's value is read and stored. key: a text that products are looked up by | plain,
 * plain_key: the same with HTML entities decoded | decimal: money or a measure, exact | flag:
 * boolean | options: the attributes of a variant
 */
export type FieldKind = 'text' | 'key' | 'plain' | 'plain_key' | 'decimal' | 'flag' | 'options'

interface FieldSpec {
  kind: FieldKind
  /** Zoho's key for it in an item; a mapping may use another. */
  zoho: string
  /** It has a mapping, and the ERP may own and write it. */
  mapped?: true
  /** Its source cannot be changed. */
  fixed?: true
  /** The longest text that the ERP may write. */
  max?: number
  /** Its name in a CSV, and further names in import files. */
  csv?: string
  files?: readonly string[]
}

/**
 * The fields of an item, each a column of the product under the same name. Types, SQL, mapping,
 * import files, CSV, PATCH and the change feed use this table; `ItemFields` below is the same in
 * the nested form of the API.
 */
export const ITEM_FIELDS = {
  sku: { kind: 'key', zoho: 'sku', mapped: true, max: 200, files: ['code'] },
  name: { kind: 'text', zoho: 'name', mapped: true, fixed: true, max: 1000 },
  name_en: { kind: 'plain', zoho: 'name', mapped: true, max: 1000 },
  name_ar: { kind: 'plain', zoho: 'name', mapped: true, max: 1000 },
  description: { kind: 'plain', zoho: 'description', mapped: true, max: 20_000 },
  cost_price: { kind: 'decimal', zoho: 'purchase_rate', mapped: true, files: ['cost_price_usd', 'purchase_rate'] },
  selling_price: { kind: 'decimal', zoho: 'rate', mapped: true, files: ['selling_price_usd', 'rate'] },
  currency: { kind: 'text', zoho: 'organization.currency', mapped: true, fixed: true },
  stock_on_hand: { kind: 'decimal', zoho: 'stock_on_hand', mapped: true },
  status: { kind: 'text', zoho: 'status', mapped: true, fixed: true },
  unit: { kind: 'text', zoho: 'unit', mapped: true, max: 100 },
  category: { kind: 'plain_key', zoho: 'category_name', mapped: true, max: 300, csv: 'category_name', files: ['category_name'] },
  category_id: { kind: 'key', zoho: 'category_id' },
  brand: { kind: 'plain', zoho: 'brand', mapped: true, max: 300 },
  manufacturer: { kind: 'plain', zoho: 'manufacturer', mapped: true, max: 300 },
  upc: { kind: 'key', zoho: 'upc', mapped: true, max: 100 },
  ean: { kind: 'key', zoho: 'ean', mapped: true, max: 100 },
  isbn: { kind: 'key', zoho: 'isbn', mapped: true, max: 100 },
  part_number: { kind: 'key', zoho: 'part_number', mapped: true, max: 100 },
  item_type: { kind: 'text', zoho: 'item_type', mapped: true, max: 100 },
  product_type: { kind: 'text', zoho: 'product_type', mapped: true, max: 100 },
  tax_id: { kind: 'key', zoho: 'tax_id' },
  tax_name: { kind: 'plain', zoho: 'tax_name', mapped: true, max: 300 },
  tax_percentage: { kind: 'decimal', zoho: 'tax_percentage', mapped: true },
  reorder_level: { kind: 'decimal', zoho: 'reorder_level', mapped: true },
  length: { kind: 'decimal', zoho: 'length', mapped: true },
  width: { kind: 'decimal', zoho: 'width', mapped: true },
  height: { kind: 'decimal', zoho: 'height', mapped: true },
  dimension_unit: { kind: 'text', zoho: 'dimension_unit', mapped: true, max: 20 },
  weight: { kind: 'decimal', zoho: 'weight', mapped: true },
  weight_unit: { kind: 'text', zoho: 'weight_unit', mapped: true, max: 20 },
  is_combo: { kind: 'flag', zoho: 'is_combo_product' },
  group_id: { kind: 'key', zoho: 'group_id' },
  group_name: { kind: 'plain', zoho: 'group_name' },
  attributes: { kind: 'options', zoho: 'attributes' },
  available_stock: { kind: 'decimal', zoho: 'available_stock' },
  actual_available_stock: { kind: 'decimal', zoho: 'actual_available_stock' },
} as const satisfies Record<string, FieldSpec>

type Fields = typeof ITEM_FIELDS
export type ItemFieldName = keyof Fields
export const ITEM_FIELD_NAMES = Object.keys(ITEM_FIELDS) as ItemFieldName[]
/** Returns the specification of a field, with its optional keys. */
export const fieldSpec = (field: ItemFieldName): FieldSpec => ITEM_FIELDS[field]

/**
 * Returns the field with Zoho's id for a name: the id is meaningless for a name from another
 * source.
 */
export function idBeside(field: ItemFieldName): 'category_id' | 'tax_id' | null {
  return field === 'category' ? 'category_id' : field === 'tax_name' ? 'tax_id' : null
}

type MappedName = { [F in ItemFieldName]: Fields[F] extends { mapped: true } ? F : never }[ItemFieldName]
const mappedNames = ITEM_FIELD_NAMES.filter((field) => fieldSpec(field).mapped) as MappedName[]
/** Product fields that have a mapping. */
export const MappedField = z.enum(mappedNames)
export type MappedField = z.infer<typeof MappedField>

/** What varies between the products of a group, in Zoho's order. */
export const ItemAttribute = z.object({ name: z.string(), option: z.string() })
export type ItemAttribute = z.infer<typeof ItemAttribute>

interface KindValues {
  text: string
  key: string
  plain: string
  plain_key: string
  decimal: string
  flag: boolean
  options: ItemAttribute[]
}
/** A field's value: decimals as strings. Only these are never blank. */
type NeverNull = 'name' | 'status' | 'is_combo' | 'attributes'
export type FieldValue<F extends ItemFieldName> = F extends 'status'
  ? 'active' | 'inactive'
  : KindValues[Fields[F]['kind']] | (F extends NeverNull ? never : null)

const text = z.string().nullable()
const decimal = z.string().nullable()

/** An item of the catalogue, wherever it is shown; money, stock and measures as decimal strings. */
export const ItemFields = z.object({
  sku: text,
  name: z.string(),
  name_en: text,
  name_ar: text,
  description: text,
  cost_price: decimal,
  selling_price: decimal,
  currency: text,
  stock_on_hand: decimal,
  status: z.enum(['active', 'inactive']),
  upc: text,
  ean: text,
  isbn: text,
  part_number: text,
  brand: text,
  manufacturer: text,
  unit: text,
  item_type: text,
  product_type: text,
  /** Without an id where the name does not come from Zoho's category. */
  category: z.object({ id: text, name: z.string() }).nullable(),
  tax: z.object({ id: text, name: text, percentage: decimal }).nullable(),
  reorder_level: decimal,
  dimensions: z.object({ length: decimal, width: decimal, height: decimal, unit: text }).nullable(),
  weight: z.object({ value: z.string(), unit: text }).nullable(),
  is_combo: z.boolean(),
  /** An item group that has variants. */
  group: z.object({ id: z.string(), name: text }).nullable(),
  attributes: z.array(ItemAttribute),
  custom_fields: z.record(z.string(), z.unknown()),
})
export type ItemFields = z.infer<typeof ItemFields>
