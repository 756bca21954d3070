import type { FieldRules } from '../../catalog/field-mapping.ts'
import type { ItemRow } from '../../catalog/item-fields.ts'
import type { RawDb } from '../../database/client.ts'
import type { Part } from '../../messages/message.ts'
import { message } from '../../messages/say.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { readFields, readsCustomFields } from './read-fields.ts'

/**
 * How items are read during a run: the organization's currency, and the sources that the shop chose
 * for its fields.
 */
export interface ItemMapping {
  currency: string | null
  rules: FieldRules
}

/** An item in zinc's fields, and which of its values could not be read. */
export interface MappedItem {
  item: ZohoItem
  row: ItemRow
  unreadable: string[]
}

/**
 * The only place where Zoho's vocabulary becomes ours. Who owns a field is decided when the row is
 * written (catalog/field-ownership.ts).
 */
export async function toItemRows(db: RawDb, items: ZohoItem[], mapping: ItemMapping): Promise<MappedItem[]> {
  const held = readsCustomFields(mapping.rules) ? await heldCustomFields(db, items) : new Map<string, Record<string, unknown>>()
  return items.map((item) => {
    const { values, unreadable } = readFields(item, { ...mapping, held: held.get(item.item_id) })
    const row: ItemRow = { zoho_item_id: item.item_id, ...values, custom_fields: item.custom_fields, origin: 'zoho' }
    if (item.last_modified_time) row.zoho_modified_at = item.last_modified_time.toISOString()
    if (item.image_document_id !== undefined) row.zoho_image_id = item.image_document_id
    if (item.image_name !== undefined) row.zoho_image_name = item.image_name
    return { item, row, unreadable: [...new Set([...item.unreadable, ...unreadable])] }
  })
}

async function heldCustomFields(db: RawDb, items: ZohoItem[]): Promise<Map<string, Record<string, unknown>>> {
  const rows = await db.$queryRaw<{ zoho_item_id: string; custom_fields: Record<string, unknown> }[]>`
    select zoho_item_id, custom_fields from product where zoho_item_id = any(${items.map((item) => item.item_id)})`
  return new Map(rows.map((row) => [row.zoho_item_id, row.custom_fields]))
}

/**
 * Reports unreadable values of an item until a readable one comes. The product keeps its value, so
 * nothing is lost.
 */
export async function reportUnreadable(run: RunContext, tx: RawDb, items: MappedItem[], at: Date): Promise<void> {
  const sound = items.filter(({ unreadable }) => unreadable.length === 0).map(({ item }) => item.item_id)
  await tx.$executeRaw`
    update failure set resolved_at = ${at}
    where code in ('invalid_price', 'invalid_item') and zoho_item_id = any(${sound}) and resolved_at is null`
  await run.fail(
    tx,
    items.flatMap(({ item, unreadable }) =>
      unreadable.map((key) => ({
        stage: 'item',
        ...unreadableFailure(key, item.name ?? item.item_id),
        zoho_item_id: item.item_id,
        sku: item.sku ?? undefined,
      })),
    ),
  )
}

/** Zoho's keys with the labels of its screens, where they differ. */
const FIELDS: Record<string, Part> = {
  rate: message('field.selling_price'),
  purchase_rate: message('field.purchase_price'),
  stock_on_hand: message('field.stock'),
  sku: 'SKU',
  category_name: message('field.category'),
  item_name: message('field.name'),
  image_document_id: message('field.image'),
  documents: message('field.images'),
  locations: message('field.stock'),
}

function unreadableFailure(key: string, name: string) {
  const facts = { field: FIELDS[key] ?? key, name }
  if (key === 'rate' || key === 'purchase_rate') return failure('invalid_price', facts)
  return failure(key === 'sku' || key === 'category_name' ? 'invalid_item.too_long' : 'invalid_item', facts)
}

/**
 * Reports the products whose ids Zoho refuses. They stay: their absence from the list proves
 * nothing while the id itself may be wrong.
 */
export async function reportRefusedIds(run: RunContext, tx: RawDb, ids: string[]): Promise<void> {
  await run.fail(
    tx,
    ids.map((id) => ({
      stage: 'item',
      ...failure('item_id_refused', { id }),
      zoho_item_id: id,
    })),
  )
}
