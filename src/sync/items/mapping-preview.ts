import { changedRules, type FieldChanges, readFieldRules } from '../../catalog/field-mapping.ts'
import { ownedValue } from '../../catalog/field-ownership.ts'
import type { Database } from '../../database/client.ts'
import { Prisma } from '../../generated/client.ts'
import { NotFoundError } from '../../lib/errors.ts'
import { MappedField } from '../../schemas/item-fields.ts'
import type { MappingPreviewBody } from '../../schemas/mapping.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { readItem, type ZohoItem } from '../../zoho/read-item.ts'
import { fieldSources, readFields, sourceValue } from './read-fields.ts'

export interface PreviewDeps {
  db: Database
  zoho: ZohoClient
  /** The organization's currency; null while it is unknown. */
  currency: string | null
}

/**
 * Returns what the mapping with these changes makes of one real item, read from Zoho now (one
 * call). Writes nothing. Throws NotFoundError `item_not_found`.
 */
export async function previewMapping(
  { db, zoho, currency }: PreviewDeps,
  { zoho_item_id, sku, ...changes }: Pick<MappingPreviewBody, 'zoho_item_id' | 'sku'> & FieldChanges,
  signal: AbortSignal,
) {
  const rules = changedRules(await readFieldRules(db), changes, fieldSources)
  const item = await realItem(zoho, await itemIdOf(db, { zoho_item_id, sku }), signal)
  const columns = MappedField.options.map((field) => Prisma.raw(`${field}::text as ${field}`))
  const [product] = await db.$queryRaw<({ id: string; custom_fields: Record<string, unknown> } & Record<MappedField, string | null>)[]>`
    select id, custom_fields, ${Prisma.join(columns)} from product where zoho_item_id = ${item.item_id}`
  const { values } = readFields(item, { rules, currency, held: product?.custom_fields })
  return {
    zoho_item_id: item.item_id,
    product_id: product?.id ?? null,
    fields: MappedField.options.map((field) => {
      const current = plain(product?.[field] ?? null)
      // A field that Zoho's item lacks, or that is unreadable in it, keeps the product's value.
      const given = values[field] === undefined ? product?.[field] : values[field]
      const result = plain(ownedValue(field, rules, { current: product?.[field], given }) ?? null)
      return {
        field,
        source: rules.get(field)?.source ?? fieldSources.defaultOf(field),
        owner: rules.get(field)?.owner ?? ('zoho' as const),
        zoho_value: plain(values[field] ?? null),
        current_value: current,
        result,
        changes: result !== current,
      }
    }),
    item: [...fieldSources.all, ...Object.keys(item.custom_fields).sort()].flatMap((source) => {
      const value = sourceValue(item, source)
      return value === null || value === undefined || value === '' ? [] : [{ source, value: String(value) }]
    }),
  }
}

/** Money as people write it: the database stores six digits. */
const plain = (value: string | null): string | null => (value !== null && /^-?\d+\.\d*$/.test(value) ? value.replace(/\.?0+$/, '') : value)

async function itemIdOf(db: Database, { zoho_item_id, sku }: Pick<MappingPreviewBody, 'zoho_item_id' | 'sku'>): Promise<string | null> {
  if (zoho_item_id !== undefined) return zoho_item_id
  const product = await db.product.findFirst({
    where: { zoho_item_id: { not: null }, deleted_at: null, ...(sku !== undefined && { sku }) },
    orderBy: { zoho_modified_at: { sort: 'desc', nulls: 'last' } },
    select: { zoho_item_id: true },
  })
  if (!product && sku !== undefined) throw new NotFoundError('item_not_found.sku', { sku })
  return product?.zoho_item_id ?? null
}

/** By its id; without one, the item that changed last. */
async function realItem(zoho: ZohoClient, id: string | null, signal: AbortSignal): Promise<ZohoItem> {
  const call =
    id === null
      ? { path: '/inventory/v1/items', query: { per_page: '1', sort_column: 'last_modified_time', sort_order: 'D' }, job: 'items' as const }
      : { path: '/inventory/v1/itemdetails', query: { item_ids: id }, job: 'items' as const }
  const { body } = await zoho.json(call, signal)
  const row: unknown = Array.isArray(body.items) ? body.items[0] : undefined
  if (row === undefined) throw id === null ? new NotFoundError('item_not_found.none') : new NotFoundError('item_not_found', { id })
  return readItem(row, undefined, zoho.timeZone())
}
