import { type LocationShape, ONE_LOCATION, type SimulatedLocation, stockKeys } from './locations.ts'
import type { SimulatedItem } from './seed.ts'
import { DEFAULT_TOGGLES, type SimulatorToggles } from './toggles.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * `2026-06-09T09:45:44-0400`: the organization's zone with its offset of that day, no colon, whole
 * seconds.
 */
export function zohoTime(at: Date, zone: string): string {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'longOffset',
    })
    formats.set(zone, format)
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const offset = (part.timeZoneName ?? 'GMT').replace('GMT', '').replace(':', '') || '+0000'
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}${offset}`
}

/**
 * Seconds until the next midnight of the zone: what X-Rate-Limit-Reset counts down. A day may have
 * 23 or 25 hours.
 */
export function secondsToMidnight(now: Date, zone: string): number {
  const today = zohoTime(now, zone).slice(0, 10)
  let [low, high] = [now.getTime(), now.getTime() + 26 * 3_600_000]
  while (high - low > 1000) {
    const middle = (low + high) / 2
    if (zohoTime(new Date(middle), zone).slice(0, 10) === today) low = middle
    else high = middle
  }
  return Math.round((high - now.getTime()) / 1000)
}

/** Up to three, each with its ids; blank keys where the item has no more. */
function attributeKeys({ group, attributes = [] }: SimulatedItem): Record<string, string> {
  const entries = [0, 1, 2].flatMap((n) => {
    const attribute = attributes[n]
    const id = attribute && group ? `${group.id.slice(0, -2)}${n}` : ''
    const values = {
      id: id && `${id}1`,
      name: attribute?.name ?? '',
      type: '',
      option_id: id && `${id}${attribute!.option.length}`,
      option_name: attribute?.option ?? '',
      option_data: '',
    }
    return Object.entries(values).map(([key, value]) => [`attribute_${key}${n + 1}`, value])
  })
  return Object.fromEntries(entries)
}

/**
 * Newer organizations give an item without variants a group with its own name; older ones omit the
 * keys.
 */
function groupKeys(item: SimulatedItem, groups: SimulatorToggles['groupKeys']): Record<string, string> {
  if (!item.group && groups === 'grouped') return {}
  const { id, name } = item.group ?? { id: String(BigInt(item.item_id) + 1n), name: item.name }
  return { group_id: id, group_name: name, ...attributeKeys(item) }
}

/** A measure as Zoho writes it: a string, blank where there is none. */
const measure = (value: number | undefined): string => (value === undefined ? '' : String(value))

/** Without the fields that the list does not show. */
function shownFields(fields: Record<string, string>, hidden: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !hidden.includes(key.replace(/_unformatted$/, ''))))
}

/** Every custom field in its display form and, under `…_unformatted`, in its stored form. */
function bothForms(fields: Record<string, string>): Record<string, string> {
  const raw = Object.entries(fields).flatMap(([key, value]) => (key.endsWith('_unformatted') ? [] : [[`${key}_unformatted`, value]]))
  return { ...Object.fromEntries(raw), ...fields }
}

/**
 * Returns a row of the Inventory item list: every key is present, "" where it is empty, but stock
 * keys only for items that have stock.
 */
export function itemRow(
  item: SimulatedItem,
  zone: string,
  { groupKeys: groups, hiddenFields }: Pick<SimulatorToggles, 'groupKeys' | 'hiddenFields'> = DEFAULT_TOGGLES,
) {
  const { measures, tax } = item
  return {
    ...groupKeys(item, groups),
    item_id: item.item_id,
    name: item.name,
    item_name: item.name,
    unit: item.unit,
    status: item.status,
    source: 'user',
    is_combo_product: item.is_combo ?? false,
    is_linked_with_zohocrm: false,
    zcrm_product_id: '',
    description: item.description,
    brand: item.brand,
    manufacturer: item.manufacturer ?? '',
    category_id: item.category_id ?? '',
    category_name: item.category,
    rate: item.rate,
    tax_id: tax?.id ?? '',
    tax_name: tax?.name ?? '',
    tax_percentage: tax?.percentage ?? 0,
    purchase_account_id: '',
    purchase_account_name: '',
    account_id: '460000000000000388',
    account_name: 'Sales',
    purchase_description: '',
    purchase_rate: item.purchase_rate,
    can_be_sold: true,
    can_be_purchased: true,
    track_inventory: item.stock !== null,
    item_type: item.stock === null ? 'sales' : 'inventory',
    product_type: 'goods',
    ...(item.stock === null
      ? {}
      : {
          stock_on_hand: item.stock,
          available_stock: item.stock,
          actual_available_stock: item.stock,
          reorder_level: item.reorder_level || '',
        }),
    has_attachment: item.image_document_id !== '',
    is_returnable: true,
    sku: item.sku,
    upc: item.upc ?? '',
    ean: item.ean ?? '',
    isbn: item.isbn ?? '',
    part_number: item.part_number ?? '',
    is_storage_location_enabled: false,
    image_name: item.image_document_id === '' ? '' : item.image_name,
    image_type: item.image_document_id === '' ? '' : 'jpg',
    image_document_id: item.image_document_id,
    created_time: zohoTime(item.created, zone),
    last_modified_time: zohoTime(item.modified, zone),
    purpose_of_use: '',
    vendor_name: '',
    length: measure(measures?.length),
    width: measure(measures?.width),
    height: measure(measures?.height),
    weight: measure(measures?.weight),
    weight_unit: 'kg',
    dimension_unit: 'cm',
    dimensions_with_unit: '',
    weight_with_unit: '',
    tags: [],
    ...bothForms(shownFields(item.custom_fields, hiddenFields)),
  }
}

/** Which of the documented shapes a detail has. */
export type DetailShape = LocationShape &
  Pick<SimulatorToggles, 'detailCustomFields' | 'detailImage' | 'detailDocuments' | 'groupKeys' | 'hiddenFields'>

/**
 * `GET /items/{id}` and a row of `itemdetails`: more keys than the list, but custom fields only as
 * `custom_fields[]` and `custom_field_hash`, and without an image fewer image keys (as recorded).
 */
export function itemDetail(
  item: SimulatedItem,
  zone: string,
  shape: DetailShape = DEFAULT_TOGGLES,
  locations: SimulatedLocation[] = ONE_LOCATION,
) {
  const { image_document_id, has_attachment, ...row } = itemRow({ ...item, custom_fields: {} }, zone, shape)
  const custom = bothForms(item.custom_fields)
  const images = image_document_id === '' ? [] : [{ document_id: image_document_id, file_name: item.image_name }, ...(item.gallery ?? [])]
  return {
    ...row,
    unit_id: '460000000000000091',
    sales_rate: item.rate,
    pricebook_rate: item.rate,
    sales_margin: '',
    minimum_order_quantity: '',
    maximum_order_quantity: '',
    initial_stock: '',
    initial_stock_rate: '',
    ...(shape.detailDocuments === 'list' && {
      documents: images.map(({ document_id, file_name }, order) => ({
        document_id,
        file_name,
        file_type: file_name.split('.').at(-1) ?? '',
        file_size: '48213',
        file_size_formatted: '47.1 KB',
        attachment_order: order + 1,
        source: 'desktop',
        alter_text: '',
        can_show_in_portal: true,
      })),
    }),
    ...(['both', 'list'].includes(shape.detailCustomFields) && {
      custom_fields: Object.entries(custom)
        .filter(([key]) => !key.endsWith('_unformatted'))
        .map(([key, value], index) => ({
          customfield_id: `46000000000001000${index}`,
          index: index + 1,
          label: key.slice(3),
          api_name: key,
          data_type: 'string',
          value: custom[`${key}_unformatted`],
          value_formatted: value,
        })),
    }),
    ...(['both', 'hash'].includes(shape.detailCustomFields) && { custom_field_hash: custom }),
    package_details: {
      length: row.length,
      width: row.width,
      height: row.height,
      weight: row.weight,
      weight_unit: row.weight_unit,
      dimension_unit: row.dimension_unit,
    },
    item_code: {},
    lock_details: {},
    integration_references: [],
    sales_channels: [],
    has_variant: item.group !== undefined,
    image_sync_in_progress: false,
    ...stockKeys(item, locations, shape),
    ...(image_document_id !== '' && shape.detailImage === 'document_id' && { image_document_id, has_attachment }),
    ...(image_document_id !== '' && shape.detailImage === 'image_id' && { image_id: image_document_id, has_attachment }),
  }
}
