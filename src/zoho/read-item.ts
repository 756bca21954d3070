import { z } from 'zod'
import { type LocationStock, readLocationStock } from './locations.ts'
import { readCustomFieldLabels, readCustomFields } from './read-custom-fields.ts'
import { Flag, Id, instantIn, isBlank, isEmptyList, Key, PlainKey, PlainText, ReadableDecimal, type Row, Text } from './value-types.ts'

/** One image or other attachment of an item, as its detail lists them. */
export interface ItemDocument {
  document_id: string
  file_name: string | null
  attachment_order: number
}

/**
 * The keys of an item that are copied as they are, with their types. Prices and measures are
 * decimal strings.
 */
const KEYS = {
  sku: Key,
  description: PlainText,
  rate: ReadableDecimal,
  purchase_rate: ReadableDecimal,
  stock_on_hand: ReadableDecimal,
  available_stock: ReadableDecimal,
  actual_available_stock: ReadableDecimal,
  reorder_level: ReadableDecimal,
  unit: Text,
  category_name: PlainKey,
  category_id: Key,
  brand: PlainText,
  manufacturer: PlainText,
  upc: Key,
  ean: Key,
  isbn: Key,
  part_number: Key,
  item_type: Text,
  product_type: Text,
  tax_id: Key,
  tax_name: PlainText,
  tax_percentage: ReadableDecimal,
  length: ReadableDecimal,
  width: ReadableDecimal,
  height: ReadableDecimal,
  dimension_unit: Text,
  weight: ReadableDecimal,
  weight_unit: Text,
} as const
type ReadKeys = { -readonly [K in keyof typeof KEYS]?: z.output<(typeof KEYS)[K]> }
/** Keys that Zoho omits from rows of items whose stock it does not track. */
const STOCK_KEYS = ['stock_on_hand', 'available_stock', 'actual_available_stock', 'reorder_level'] as const

/** What distinguishes an item from the others of its group. */
export interface ItemAttribute {
  name: string
  option: string
}

/**
 * An item as Zoho describes it, in a list row, a detail or a record of a file. Undefined: the key
 * was absent or unreadable, and zinc keeps its value. Null: the key was blank, so Zoho has no
 * value.
 */
export interface ZohoItem extends ReadKeys {
  item_id: string
  /** Byte for byte, including HTML entities. */
  name?: string
  status?: 'active' | 'inactive'
  is_combo_product?: boolean
  /** Of a group with variants; null where the item is in none. */
  group_id?: string | null
  group_name?: string | null
  attributes?: ItemAttribute[]
  /**
   * The row has keys of a group or of attributes. What their absence means depends on the other
   * rows of the list (`settleGroups`).
   */
  names_group?: true
  names_attributes?: true
  image_document_id?: string | null
  image_name?: string | null
  /**
   * Set when the row has no `image_document_id`: other keys name an image, or all keys present are
   * blank. Details and some list rows are like that, and neither may remove an image before it is
   * confirmed.
   */
  image_signs?: 'named' | 'blank'
  /**
   * The id under which another key names the main image; used only for a product that has none yet.
   */
  image_candidate?: string
  /** The readable entries in display order; undefined where the list is absent or not a list. */
  documents?: ItemDocument[]
  /**
   * False where an entry of `documents`, or the list itself, was unreadable: then it must not
   * remove anything.
   */
  documents_readable: boolean
  /** `cf_name` and `cf_name_unformatted`; only those that Zoho sent. */
  custom_fields: Record<string, unknown>
  /** The labels of the custom fields of a detail, by api_name. */
  custom_field_labels?: Record<string, string>
  /**
   * Stock by location, in details only; empty where the item has none. Undefined: the key was
   * absent or unreadable.
   */
  locations?: LocationStock[]
  last_modified_time?: Date | null
  /** The row's text as received; absent where the text is not available. */
  raw?: string
  /** Zoho's keys whose values could not be read. */
  unreadable: string[]
}

/**
 * File extensions of attachments that are not images. Everything else is checked by its bytes:
 * names can be anything (`.jfif`, `model v1.25`, none).
 */
export const NO_IMAGE =
  /\.(pdf|docx?|docm|dotx?|rtf|odt|xlsx?|xlsm|xlsb|ods|csv|tsv|pptx?|ppsx?|odp|txt|md|html?|xml|json|eml|msg|ics|vcf|zip|rar|7z|tar|t?gz|mp[34]|m4[av]|mov|avi|mkv|wmv|3gp|webm|wav|ogg|opus|aac|amr|dwg|dxf|step|stp|stl|exe|apk|msi)$/i

const Status = z.union([z.literal('active'), z.literal('inactive')])
const Order = z.coerce.number().refine(Number.isFinite)
const DocumentEntry = z.object({ document_id: Id, file_name: Text.optional(), attachment_order: z.unknown().optional() })

/**
 * Parses an item of any shape; `raw` is its text, `timeZone` that of times without an offset.
 * Throws when the id is unreadable.
 */
export function readItem(input: unknown, raw?: string, timeZone = 'UTC'): ZohoItem {
  const row = input as Row
  const unreadable: string[] = []
  function read<T>(key: string, type: z.ZodType<T>): T | undefined {
    const value = row[key] === undefined ? packageDetail(row, key) : row[key]
    if (value === undefined) return undefined
    const { success, data } = type.safeParse(value)
    if (!success) unreadable.push(key)
    return data
  }
  const status = typeof row.status === 'string' ? row.status.trim().toLowerCase() : row.status
  const item: ZohoItem = {
    item_id: Id.parse(row.item_id),
    ...defined(Object.fromEntries(Object.entries(KEYS).map(([key, type]) => [key, read<unknown>(key, type)])) as ReadKeys),
    ...defined({
      last_modified_time: read('last_modified_time', z.union([z.literal('').transform(() => null), z.null(), instantIn(timeZone)])),
    }),
    documents_readable: true,
    custom_fields: {},
    unreadable,
    ...(raw !== undefined && raw !== '' && { raw }),
  }
  // Every item has a status, so a blank one means nothing.
  const known = Status.safeParse(status)
  if (known.success) item.status = known.data
  else if (status !== undefined && !isBlank(status)) unreadable.push('status')
  readName(row, item)
  readTax(item)
  readStock(row, item)
  readCombo(row, item)
  readGroup(row, item)
  item.custom_fields = readCustomFields(row, { unreadable })
  const labels = readCustomFieldLabels(row)
  if (labels) item.custom_field_labels = labels
  readLocations(row, item)
  readDocuments(row, item)
  readImage(row, item, read)
  return item
}

/** Details have the package's measures in an object of its own: `package_details`. */
function packageDetail({ package_details: of }: Row, key: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Row)[key] : undefined
}

/** Zoho writes the percentage 0 for an item without a tax. */
function readTax(item: ZohoItem): void {
  if (item.tax_id === null && !item.tax_name && item.tax_percentage !== undefined) item.tax_percentage = null
}

/**
 * Zoho omits the keys for an item that it does not track: then there is no stock, rather than an
 * unknown one.
 */
function readStock(row: Row, item: ZohoItem): void {
  if (!item.item_type || item.item_type.trim().toLowerCase() === 'inventory') return
  for (const key of STOCK_KEYS) if (row[key] === undefined) item[key] = null
}

function readLocations(row: Row, item: ZohoItem): void {
  try {
    const locations = readLocationStock(row)
    // Zoho omits the key for an item that it does not track.
    if (locations !== undefined) item.locations = locations
    else if (item.stock_on_hand === null && row.stock_on_hand === undefined) item.locations = []
  } catch {
    item.unreadable.push('locations')
  }
}

function readCombo({ is_combo_product: flag, combo_type: type }: Row, item: ZohoItem): void {
  const read = Flag.safeParse(flag)
  if (flag !== undefined && !read.success) item.unreadable.push('is_combo_product')
  if (read.success || type !== undefined) item.is_combo_product = read.data === true || (typeof type === 'string' && type !== '')
}

const ATTRIBUTE_NUMBERS = [1, 2, 3] as const

/**
 * Reads the group if it has variants: newer organizations give every item a group of one with the
 * item's own name. Attributes tell the two apart where the row has their keys; otherwise the name
 * of the group does.
 */
function readGroup(row: Row, item: ZohoItem): void {
  const attributeKeys = Object.keys(row).filter((key) => /^attribute_(id|name|option_name)[1-3]$/.test(key))
  if (row.group_id !== undefined || row.group_name !== undefined) item.names_group = true
  if (attributeKeys.length > 0) {
    item.names_attributes = true
    item.attributes = ATTRIBUTE_NUMBERS.flatMap((n) => {
      const [name, option] = [`attribute_name${n}`, `attribute_option_name${n}`].map((key) => PlainText.safeParse(row[key]))
      return name?.data ? [{ name: name.data, option: option?.data ?? '' }] : []
    })
  }
  const id = Key.safeParse(row.group_id)
  const name = PlainText.safeParse(row.group_name)
  if (!id.success) item.unreadable.push('group_id')
  if (!name.success) item.unreadable.push('group_name')
  if (row.group_id === undefined || !id.success) return
  const hasVariants =
    attributeKeys.length > 0
      ? row.has_variant !== false && ((item.attributes?.length ?? 0) > 0 || !isBlank(row.attribute_id1 ?? ''))
      : row.has_variant === true || row.group_name !== item.name
  item.group_id = hasVariants ? id.data : null
  item.group_name = hasVariants ? (name.data ?? null) : null
}

/** Which of these keys a row of the list has had so far. */
export interface NamedKeys {
  group: boolean
  attributes: boolean
}

/**
 * Zoho omits these keys from rows that are in no group, while it writes them in other rows of the
 * same list: there their absence means none.
 */
export function settleGroups(items: ZohoItem[], named: NamedKeys): NamedKeys {
  const group = named.group || items.some((item) => item.names_group)
  const attributes = named.attributes || items.some((item) => item.names_attributes)
  for (const item of items) {
    if (group && !item.names_group) Object.assign(item, { group_id: null, group_name: null })
    if (attributes && !item.names_attributes) item.attributes = []
  }
  return { group, attributes }
}

/**
 * `item_name` is the same name under another key; rows have either one. A blank `name` is a value
 * of Zoho's, too.
 */
function readName(row: Row, item: ZohoItem): void {
  for (const key of ['name', 'item_name']) {
    if (row[key] === undefined) continue
    const { success, data } = Text.safeParse(row[key])
    if (success) {
      item.name = data ?? ''
      return
    }
    item.unreadable.push(key)
  }
  // Every Zoho item has a name, so a missing one is reported like an unreadable one.
  if (row.name === undefined && row.item_name === undefined) item.unreadable.push('name')
}

/**
 * Entry by entry: an unreadable one is skipped, and then the list proves nothing about the images
 * it lacks.
 */
function readDocuments({ documents }: Row, item: ZohoItem): void {
  if (documents === undefined) return
  if (isEmptyList(documents)) {
    item.documents = []
    return
  }
  if (!Array.isArray(documents)) {
    item.documents_readable = false
    item.unreadable.push('documents')
    return
  }
  const entries = documents.flatMap((entry: unknown, index): ItemDocument[] => {
    const { success, data } = DocumentEntry.safeParse(entry)
    if (!success) return []
    const order = Order.safeParse(data.attachment_order)
    return [{ document_id: data.document_id, file_name: data.file_name ?? null, attachment_order: order.success ? order.data : index }]
  })
  if (entries.length < documents.length) {
    item.documents_readable = false
    item.unreadable.push('documents')
  }
  item.documents = entries.sort((a, b) => a.attachment_order - b.attachment_order)
}

/**
 * The main image: `image_document_id` decides where it is present; without it the other keys are
 * only hints.
 */
function readImage(row: Row, item: ZohoItem, read: <T>(key: string, type: z.ZodType<T>) => T | undefined): void {
  const id = read('image_document_id', z.union([z.literal('').transform(() => null), z.null(), Id]))
  const name = read('image_name', Text)
  if (id === undefined && item.unreadable.includes('image_document_id')) return
  if (id !== undefined) {
    item.image_document_id = id
    if (name !== undefined) item.image_name = id === null ? null : name
    return
  }
  const documents = item.documents?.filter((it) => !NO_IMAGE.test(it.file_name?.trim() ?? ''))
  const given = [row.image_name, row.image_type, row.image_id].filter((value) => value !== undefined)
  const other = Id.safeParse(isBlank(row.image_id) ? undefined : row.image_id)
  if (given.some((value) => !isBlank(value)) || (documents?.length ?? 0) > 0) {
    item.image_signs = 'named'
    const candidate = documents?.[0]?.document_id ?? other.data
    if (candidate !== undefined) item.image_candidate = candidate
    if (name) item.image_name = name
  } else if (row.image_name !== undefined && item.documents !== undefined && item.documents_readable && item.documents.length === 0) {
    // Two keys of different kinds agree, as in the recorded detail of an item without an image.
    item.image_document_id = null
    item.image_name = null
  } else if (given.length > 0) item.image_signs = 'blank'
}

/** Without the keys that are undefined. */
const defined = <T extends object>(from: T) =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
