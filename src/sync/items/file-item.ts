import { z } from 'zod'
import type { ItemRow } from '../../catalog/item-fields.ts'
import { splitName } from '../../catalog/split-name.ts'
import { decodeEntities } from '../../lib/html-entities.ts'
import { withFirstMember } from '../../lib/raw-json.ts'
import type { Message } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
import { fieldSpec, ITEM_FIELD_NAMES, type ItemFieldName } from '../../schemas/item-fields.ts'
import { readCustomFields } from '../../zoho/read-custom-fields.ts'
import { readItem } from '../../zoho/read-item.ts'
import { Decimal, Flag, Id, instantIn, Key, Text } from '../../zoho/value-types.ts'

/**
 * Our field, and the names under which files have it: zinc's own export, Zoho's item shape, and the
 * files of zinc's predecessors.
 */
const namesIn = (field: ItemFieldName): string[] => [field, ...(fieldSpec(field).files ?? [fieldSpec(field).zoho])]
const IMAGE_NAMES = { zoho_image_id: ['image_id', 'image_document_id'], zoho_image_name: ['image_name'] } as const
/** Read separately: names by language, and fields that need parsing of their own. */
const APART: readonly ItemFieldName[] = ['name', 'name_en', 'name_ar', 'currency', 'status', 'is_combo', 'attributes']
const PLAIN_FIELDS = ITEM_FIELD_NAMES.filter((field) => !APART.includes(field))

/** Keys that are read, and those of zinc's own export. */
const KNOWN_KEYS = new Set([
  ...ITEM_FIELD_NAMES.flatMap(namesIn),
  ...Object.values(IMAGE_NAMES).flat(),
  ...['zoho_item_id', 'item_id', 'item_name', 'is_combo_product', 'custom_fields', 'last_modified_time', 'zoho_modified_at'],
  ...['image_url', 'image_path', 'is_active', 'specifications', 'category', 'tax', 'dimensions', 'group', 'stock', 'prices', 'origin'],
  ...['created_at', 'updated_at'],
])

export interface FileItem {
  row: ItemRow
  /** A price without a currency of its own. */
  needsCurrency: boolean
  /** The path of its image beside the file, as it was written; null without one. */
  imagePath: string | null
  /** Written by zinc: its image may be an upload, so it is not taken for Zoho's. */
  isOwnExport: boolean
  /** Keys that no field of a product is read from. */
  unknownKeys: string[]
}

export interface InvalidItemError {
  zoho_item_id: string | null
  sku: string | null
  reason: Message
}

/**
 * Reads one record of a file: returns only the fields that it has, so that the others keep their
 * values in the catalogue.
 */
export function readFileItem(
  value: unknown,
  { mappings, version, timeZone }: { mappings: Map<string, string>; version: string; timeZone: string },
): FileItem | InvalidItemError {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { zoho_item_id: null, sku: null, reason: message('file_item.no_object') }
  const record = flatRecord(value as Record<string, unknown>)
  const sku = textOf(record, namesIn('sku')) ?? null
  const read = readFileId(record.zoho_item_id ?? record.item_id)
  if ('reason' in read) return { zoho_item_id: null, sku, reason: read.reason }
  const { id } = read

  // Texts of zinc's own export are decoded already.
  const decoded = isOwnExport(record) ? (text: string) => text : decodeEntities
  const row: ItemRow = { zoho_item_id: id, ...namesOf(record, decoded) }
  if (row.name === undefined) return { zoho_item_id: id, sku, reason: message('file_item.no_name') }
  for (const field of PLAIN_FIELDS) {
    const { kind } = fieldSpec(field)
    const names = namesIn(field)
    if (kind === 'decimal') {
      const key = names.find((it) => record[it] !== undefined)
      if (key === undefined) continue
      const amount = Decimal.safeParse(isBlank(record[key]) ? null : record[key])
      if (!amount.success || (amount.data === null && !isBlank(record[key])))
        return { zoho_item_id: id, sku, reason: message('file_item.not_number', { field: key, value: String(record[key]).slice(0, 50) }) }
      Object.assign(row, { [field]: amount.data })
      if (key.endsWith('_usd')) row.currency = 'USD'
      continue
    }
    if (names.some((key) => isUnreadable(record[key]))) return { zoho_item_id: id, sku, reason: message('file_item.not_text', { field }) }
    const text = textOf(record, names)
    if ((kind === 'key' || kind === 'plain_key') && !Key.safeParse(text).success)
      return { zoho_item_id: id, sku: null, reason: message('file_item.too_long', { field }) }
    if (text !== undefined) Object.assign(row, { [field]: text && kind.startsWith('plain') ? decoded(text) : text })
  }
  for (const field of Object.keys(IMAGE_NAMES) as (keyof typeof IMAGE_NAMES)[]) {
    if (IMAGE_NAMES[field].some((key) => isUnreadable(record[key])))
      return { zoho_item_id: id, sku, reason: message('file_item.not_text', { field }) }
    const text = textOf(record, IMAGE_NAMES[field])
    if (text !== undefined) row[field] = text
  }
  const combo = Flag.safeParse(record.is_combo)
  if (combo.success) row.is_combo = combo.data
  const attributes = AttributeList.safeParse(record.attributes)
  if (attributes.success) row.attributes = attributes.data
  if (record.item_id !== undefined && record.zoho_item_id === undefined) Object.assign(row, zohoRules(record))
  if (typeof record.currency === 'string' && !isBlank(record.currency)) row.currency = record.currency
  if (typeof record.status === 'string' && !isBlank(record.status))
    row.status = /^inactive$/i.test(record.status.trim()) ? 'inactive' : 'active'
  const modified = instantIn(timeZone).safeParse(record.zoho_modified_at ?? record.last_modified_time)
  if (modified.success) row.zoho_modified_at = modified.data.toISOString()
  const custom = customOf(record)
  if (custom) row.custom_fields = custom
  const url = isBlank(record.image_url) ? mappings.get(id) : String(record.image_url)
  if (url !== undefined && url.trim() !== '') {
    row.image_source_url = url.trim()
    row.image_source_key = `${version} ${url.trim()}`
  }
  return {
    row,
    needsCurrency: row.currency === undefined && (isPrice(row.cost_price) || isPrice(row.selling_price)),
    imagePath: isBlank(record.image_path) ? null : pathOf(record.image_path),
    isOwnExport: isOwnExport(record),
    unknownKeys: Object.keys(value).filter((key) => !KNOWN_KEYS.has(key) && !key.startsWith('cf_')),
  }
}

/** What is no path is reported as it was written. */
const pathOf = (value: unknown): string => (isUnreadable(value) ? JSON.stringify(value) : String(value).trim())
const isPrice = (amount: string | null | undefined): boolean => amount !== undefined && amount !== null

/**
 * Zoho's id in the key of an object by id, for a record that does not have it itself. Null for a
 * member that is no item, such as `page_context` of a saved response.
 */
export function itemOfMember(key: string, value: string): string | null {
  if (key === 'items' || !value.startsWith('{')) return null
  const record = parseObject(value)
  if (record && (record.zoho_item_id !== undefined || record.item_id !== undefined)) return value
  return /^[\d.e+٠-٩۰-۹]+$/i.test(key) ? withFirstMember(value, 'zoho_item_id', key) : null
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

/**
 * zinc's export groups related values into objects; Zoho's rows and older files have a key for
 * each.
 */
function flatRecord(record: Record<string, unknown>): Record<string, unknown> {
  const part = (key: string, names: Record<string, string>): Record<string, unknown> => {
    const value = record[key]
    // A unit without a measure is omitted, so nothing is said about it.
    if (value === null) return Object.fromEntries(Object.values(names).flatMap((name) => (name.endsWith('_unit') ? [] : [[name, null]])))
    if (typeof value !== 'object' || Array.isArray(value)) return {}
    return Object.fromEntries(Object.entries(names).map(([inner, name]) => [name, (value as Record<string, unknown>)[inner] ?? null]))
  }
  return {
    ...record,
    ...part('category', { id: 'category_id', name: 'category' }),
    ...part('tax', { id: 'tax_id', name: 'tax_name', percentage: 'tax_percentage' }),
    ...part('dimensions', { length: 'length', width: 'width', height: 'height', unit: 'dimension_unit' }),
    ...part('weight', { value: 'weight', unit: 'weight_unit' }),
    ...part('group', { id: 'group_id', name: 'group_name' }),
    ...part('stock', { available: 'available_stock', actual_available: 'actual_available_stock' }),
    ...ofPredecessor(record),
  }
}

/** The ERP importer before zinc wrote the status as a flag, and some fields in an object. */
function ofPredecessor({ is_active, status, specifications }: Record<string, unknown>): Record<string, unknown> {
  const active = Flag.safeParse(is_active)
  const more = typeof specifications === 'object' && specifications !== null ? (specifications as Record<string, unknown>) : {}
  const named = Object.entries(more).filter(([key, value]) => ['category', 'tax_id', 'item_type'].includes(key) && !isBlank(value))
  return {
    ...(isBlank(status) && !isBlank(is_active) && active.success && { status: active.data ? 'active' : 'inactive' }),
    ...Object.fromEntries(named),
  }
}

const isOwnExport = (record: Record<string, unknown>): boolean => 'zoho_modified_at' in record && 'image_path' in record

const AttributeList = z.array(z.object({ name: z.string(), option: z.string() }))

/**
 * Zoho's rules across keys: a group without variants is none, an absent stock may be none, 0 %
 * without a tax is no tax.
 */
function zohoRules(record: Record<string, unknown>): Partial<ItemRow> {
  const item = readItem({ ...record, item_id: '1' })
  const { group_id, group_name, attributes, is_combo_product: is_combo, stock_on_hand, available_stock, actual_available_stock } = item
  const read = { group_id, group_name, attributes, is_combo, stock_on_hand, available_stock, actual_available_stock }
  const known = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
  return {
    ...known,
    ...(item.tax_percentage === null && { tax_percentage: null }),
    ...(item.reorder_level === null && { reorder_level: null }),
  }
}

/** What programs write for an empty field: pandas, Python, Excel, JavaScript and people. */
const BLANK_WORD = /^(none|n\/a|#n\/a|nan|null|undefined|[-–—]+)?$/i
export const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && BLANK_WORD.test(value.trim())) || Number.isNaN(value)

/**
 * Reads a Zoho id from a file, without what editors and spreadsheets put around it. Anything but
 * digits is refused: `2.60815E+17` may be any of several items, and Zoho refuses a whole call for
 * one such id.
 */
export function readFileId(value: unknown): { id: string } | { reason: Message } {
  if (isBlank(value)) return { reason: message('file_item.no_id') }
  const text = String(value)
    .replace(/\p{Cf}/gu, '')
    .replace(/[٠-٩۰-۹]/g, (digit) => String(digit.charCodeAt(0) & 0xf))
    .trim()
    .replace(/^['"]|"$/g, '')
  if (/^\d+([.,]\d+)?e\+?\d+$/i.test(text)) return { reason: message('file_item.shortened_id', { value: text }) }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return { reason: message('file_item.rounded_id') }
  const id = Id.safeParse(text)
  if (!id.success || !/^\d+$/.test(text))
    return { reason: message('file_item.not_digits', { value: text.slice(0, 50).toWellFormed().replaceAll('\0', '') }) }
  return { id: text }
}

/** An object or a list in place of a text: it must not become "[object Object]". */
const isUnreadable = (value: unknown): boolean => !isBlank(value) && !Text.safeParse(value).success

/**
 * The first of these keys that the record has; null where it is blank, undefined where it has none
 * of them.
 */
function textOf(record: Record<string, unknown>, keys: readonly string[]): string | null | undefined {
  const key = keys.find((it) => record[it] !== undefined)
  if (key === undefined) return undefined
  return isBlank(record[key]) || isUnreadable(record[key]) ? null : String(record[key])
}

/** A name in each language where the file has them; otherwise both are split from the one name. */
function namesOf(record: Record<string, unknown>, decoded: (text: string) => string): Pick<ItemRow, 'name' | 'name_en' | 'name_ar'> {
  const en = textOf(record, ['name_en'])
  const ar = textOf(record, ['name_ar'])
  const name = textOf(record, ['name', 'item_name']) ?? en ?? ar
  if (name === undefined || name === null) return {}
  const read = splitName(name)
  return {
    name,
    name_en: en === undefined ? read.name_en : en && decoded(en),
    name_ar: ar === undefined ? read.name_ar : ar && decoded(ar),
  }
}

/**
 * As an object (zinc's export), as the array of a Zoho detail, or as the `cf_…` keys of a list row;
 * a detail has both. Older exports name a field by its label alone. Undefined: the record has none
 * of these.
 */
function customOf(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const given = record.custom_fields
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>
  const read = readCustomFields(record, { byLabel: true })
  return Object.keys(read).length > 0 || Array.isArray(given) ? read : undefined
}
