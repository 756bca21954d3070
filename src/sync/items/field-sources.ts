import type { FieldRules, Sources } from '../../catalog/field-mapping.ts'
import { decodeEntities, splitName } from '../../catalog/split-name.ts'
import type { MappedField } from '../../schemas/mapping.ts'
import { Decimal, Key, Text, type ZohoItem } from '../../zoho/schemas.ts'

/** The fields of Zoho's list rows that zinc reads, beside the custom ones. */
const ITEM_KEYS = [
  'sku',
  'name',
  'status',
  'description',
  'rate',
  'purchase_rate',
  'stock_on_hand',
  'unit',
  'category_name',
  'brand',
] as const
const CURRENCY = 'organization.currency'

const DEFAULT_SOURCE: Record<MappedField, string> = {
  sku: 'sku',
  name: 'name',
  name_en: 'name',
  name_ar: 'name',
  description: 'description',
  cost_price: 'purchase_rate',
  selling_price: 'rate',
  currency: CURRENCY,
  stock_on_hand: 'stock_on_hand',
  status: 'status',
  unit: 'unit',
  category: 'category_name',
  brand: 'brand',
}
/** `name` is Zoho's own text to the byte, a status is one of two words, and the currency is the organisation's. */
const FIXED: MappedField[] = ['name', 'status', 'currency']
const DECIMALS: MappedField[] = ['cost_price', 'selling_price', 'stock_on_hand']
const KEYS: MappedField[] = ['sku', 'category']
const NAMES: MappedField[] = ['name_en', 'name_ar']

const isCustom = (source: string): boolean => /^cf_\w{1,95}$/.test(source)

export const fieldSources: Sources & { all: readonly string[] } = {
  all: ITEM_KEYS,
  isEditable: (field) => !FIXED.includes(field),
  isSource: (source) => (ITEM_KEYS as readonly string[]).includes(source) || isCustom(source),
  defaultOf: (field) => DEFAULT_SOURCE[field],
}

type FieldValues = Record<Exclude<MappedField, 'name' | 'status'>, string | null> & { name: string; status: 'active' | 'inactive' }

/** Reads every field of a product out of Zoho's item, each from the source that its rule names. */
export function readFields(item: ZohoItem, { rules, currency }: { rules: FieldRules; currency: string | null }): FieldValues {
  const names = splitName(item.name)
  const values: FieldValues = {
    sku: item.sku,
    name: item.name,
    ...names,
    description: item.description,
    cost_price: item.purchase_rate,
    selling_price: item.rate,
    currency,
    stock_on_hand: item.stock_on_hand,
    status: item.status === 'inactive' ? 'inactive' : 'active',
    unit: item.unit,
    category: item.category_name,
    brand: item.brand,
  }
  for (const [field, { source }] of rules) {
    if (source === null || field === 'name' || field === 'status' || field === 'currency') continue
    const type = DECIMALS.includes(field) ? Decimal : KEYS.includes(field) ? Key.catch(null) : Text
    const read = type.parse(sourceValue(item, source))
    // A language whose own field is blank is still read out of the name: half a mapping is better than half a name.
    if (NAMES.includes(field)) values[field] = read === null ? values[field] : decodeEntities(read)
    else values[field] = read
  }
  return values
}

/** What the item says under a source, as it was sent; undefined where it says nothing. */
export function sourceValue(item: ZohoItem, source: string): unknown {
  const known: Record<string, unknown> = item
  return isCustom(source) ? item.custom_fields[source] : known[source]
}
