import type { z } from 'zod'
import type { FieldRules, Sources } from '../../catalog/field-mapping.ts'
import { splitName } from '../../catalog/split-name.ts'
import {
  type FieldValue,
  fieldSpec,
  ITEM_FIELD_NAMES,
  ITEM_FIELDS,
  type ItemFieldName,
  idBeside,
  MappedField,
} from '../../schemas/item-fields.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { Key, PlainKey, PlainText, ReadableDecimal, Text } from '../../zoho/value-types.ts'

const CURRENCY = ITEM_FIELDS.currency.zoho
const mapped = MappedField.options
const ITEM_KEYS: string[] = [...new Set(mapped.map((field) => ITEM_FIELDS[field].zoho).filter((key) => key !== CURRENCY))]
const NAMES: readonly ItemFieldName[] = ['name_en', 'name_ar']

/** Whether a rule reads a custom field. */
export const isCustom = (source: string | null): boolean => source !== null && /^cf_\w{1,95}$/.test(source)

export const fieldSources: Sources & { all: readonly string[] } = {
  all: ITEM_KEYS,
  isEditable: (field) => !fieldSpec(field).fixed,
  isSource: (source) => ITEM_KEYS.includes(source) || isCustom(source),
  defaultOf: (field) => ITEM_FIELDS[field].zoho,
}

/** An undefined field keeps the product's value. */
export type FieldValues = { [F in ItemFieldName]?: FieldValue<F> }

/**
 * The type that a chosen source is parsed with. Only custom fields and Zoho's name still contain
 * HTML entities; decoding others twice would change their text.
 */
function typeOf(field: MappedField, source: string): z.ZodType<string | null> {
  const { kind } = fieldSpec(field)
  if (kind === 'decimal') return ReadableDecimal
  const escaped = isCustom(source) || source === 'name'
  if (kind === 'plain') return escaped ? PlainText : Text
  if (kind === 'plain_key') return escaped ? PlainKey : Key
  return kind === 'key' ? Key : Text
}

export interface ReadOptions {
  rules: FieldRules
  currency: string | null
  /** The product's custom fields: one that the row does not name keeps its value. */
  held?: Record<string, unknown> | undefined
}

/**
 * Reads every field of a product from Zoho's item, each from the source that its rule names;
 * `unreadable` lists the sources that could not be read.
 */
export function readFields(item: ZohoItem, { rules, currency, held = {} }: ReadOptions): { values: FieldValues; unreadable: string[] } {
  const values: { [F in ItemFieldName]?: unknown } = {
    ...Object.fromEntries(ITEM_FIELD_NAMES.map((field) => [field, sourceValue(item, fieldSpec(field).zoho)])),
    name_en: undefined,
    name_ar: undefined,
    ...(item.name !== undefined && splitName(item.name)),
    // An unknown currency must not clear the product's own.
    currency: currency ?? undefined,
  }
  const unreadable: string[] = []
  for (const [field, { source }] of rules) {
    if (source === null || fieldSpec(field).fixed) continue
    const id = idBeside(field)
    if (id !== null) values[id] = null
    const given = isCustom(source) ? { ...held, ...item.custom_fields }[source] : sourceValue(item, source)
    if (given === undefined && !isCustom(source)) {
      values[field] = undefined
      continue
    }
    // A custom field that neither the row nor the product has is one that the item does not have.
    const { success, data } = typeOf(field, source).safeParse(
      typeof given === 'boolean' || Array.isArray(given) ? String(given) : (given ?? null),
    )
    if (!success) {
      unreadable.push(source)
      values[field] = undefined
    }
    // A language whose own field is blank is still read from the name: otherwise a partial mapping
    // would lose it.
    else if (NAMES.includes(field)) values[field] = data ?? values[field]
    else values[field] = data
  }
  return { values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as FieldValues, unreadable }
}

/** Whether reading a product's fields needs its stored custom fields. */
export const readsCustomFields = (rules: FieldRules): boolean =>
  [...rules.values()].some(({ source }) => source !== null && isCustom(source))

/** The item's value for a source, as it was sent; undefined where it has none. */
export function sourceValue(item: ZohoItem, source: string): unknown {
  return isCustom(source) ? item.custom_fields[source] : (item as unknown as Record<string, unknown>)[source]
}
