import type { FieldRules, Sources } from '../../catalog/field-mapping.ts'
import { decodeEntities, splitName } from '../../catalog/split-name.ts'
import type { MappedField } from '../../schemas/mapping.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { Key, ReadableDecimal, Text } from '../../zoho/schemas.ts'

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

/** A field that is undefined keeps what the product has. */
export type FieldValues = { [F in Exclude<MappedField, 'name' | 'status'>]?: string | null } & {
  name?: string
  status?: 'active' | 'inactive'
}

export interface ReadOptions {
  rules: FieldRules
  currency: string | null
  /** The custom fields that the product has: one that the row does not name still has that value. */
  held?: Record<string, unknown> | undefined
}

/** Reads every field of a product out of Zoho's item, each from the source that its rule names; `unreadable` names the sources of which none can be read. */
export function readFields(item: ZohoItem, { rules, currency, held = {} }: ReadOptions): { values: FieldValues; unreadable: string[] } {
  const names = item.name === undefined ? {} : splitName(item.name)
  const values: Partial<Record<MappedField, string | null | undefined>> = {
    sku: item.sku,
    name: item.name,
    ...names,
    description: item.description,
    cost_price: item.purchase_rate,
    selling_price: item.rate,
    // Not yet known, it is no reason to forget the one that the product has.
    currency: currency ?? undefined,
    stock_on_hand: item.stock_on_hand,
    status: item.status,
    unit: item.unit,
    category: item.category_name,
    brand: item.brand,
  }
  const unreadable: string[] = []
  for (const [field, { source }] of rules) {
    if (source === null || field === 'name' || field === 'status' || field === 'currency') continue
    const given = isCustom(source) ? { ...held, ...item.custom_fields }[source] : sourceValue(item, source)
    if (given === undefined && !isCustom(source)) {
      values[field] = undefined
      continue
    }
    const type = DECIMALS.includes(field) ? ReadableDecimal : KEYS.includes(field) ? Key : Text
    // A custom field that is named nowhere, now or before, is one that the item does not have.
    const { success, data } = type.safeParse(typeof given === 'boolean' || Array.isArray(given) ? String(given) : (given ?? null))
    if (!success) {
      unreadable.push(source)
      values[field] = undefined
    }
    // A language whose own field is blank is still read out of the name: half a mapping is better than half a name.
    else if (NAMES.includes(field)) values[field] = data === null ? values[field] : decodeEntities(data)
    else values[field] = data
  }
  return { values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as FieldValues, unreadable }
}

/** Whether reading a product's fields needs the custom fields that it has. */
export const readsCustomFields = (rules: FieldRules): boolean =>
  [...rules.values()].some(({ source }) => source !== null && isCustom(source))

/** What the item says under a source, as it was sent; undefined where it says nothing. */
export function sourceValue(item: ZohoItem, source: string): unknown {
  return isCustom(source) ? item.custom_fields[source] : (item as unknown as Record<string, unknown>)[source]
}
