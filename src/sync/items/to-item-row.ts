import type { FieldRules } from '../../catalog/field-mapping.ts'
import type { ItemRow } from '../../catalog/item-fields.ts'
import type { RawDb } from '../../database/client.ts'
import type { RunContext, RunFailure } from '../../runs/run-handler.ts'
import type { ZohoItem } from '../../zoho/read-item.ts'
import { readFields, readsCustomFields } from './field-sources.ts'

/** How items are read during a run: the organisation's currency, and the sources that the shop has chosen for its fields. */
export interface ItemMapping {
  currency: string | null
  rules: FieldRules
}

/** An item in our words, and what of it could not be read. */
export interface MappedItem {
  item: ZohoItem
  row: ItemRow
  unreadable: string[]
}

/** The only place where Zoho's vocabulary becomes ours. Who owns a field is decided when the row is written (catalog/field-ownership.ts). */
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
 * Reports what of an item cannot be read, until it comes with something that can be. The product keeps the value that it has: a person is told, and
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

/** Zoho's keys in the words of its screens, where they differ. */
const WORDS: Record<string, string> = {
  rate: 'selling price',
  purchase_rate: 'purchase price',
  stock_on_hand: 'stock',
  sku: 'SKU',
  category_name: 'category',
  item_name: 'name',
  image_document_id: 'image',
  documents: 'list of images',
}

function unreadableFailure(key: string, name: string): Pick<RunFailure, 'code' | 'message'> {
  const what = WORDS[key] ?? key
  if (key === 'rate' || key === 'purchase_rate')
    return { code: 'invalid_price', message: `The ${what} of ${name} is no number in Zoho; the product keeps the one that it has.` }
  const message =
    key === 'sku' || key === 'category_name'
      ? `The ${what} of ${name} is no text of at most 500 characters; the product keeps the one that it has.`
      : `The ${what} of ${name} cannot be read; the product keeps the one that it has.`
  return { code: 'invalid_item', message }
}

/** Names the products that Zoho refuses to speak of. They stay: their absence from its list proves nothing while the id itself may be wrong. */
export async function reportRefusedIds(run: RunContext, tx: RawDb, ids: string[]): Promise<void> {
  await run.fail(
    tx,
    ids.map((id) => ({
      stage: 'item',
      code: 'item_id_refused',
      message: `Zoho refuses the item id ${id}; the product stays as it is. The others are synced.`,
      zoho_item_id: id,
    })),
  )
}
