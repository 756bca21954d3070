import type { Db } from '../db.ts'

/** One item as its source lists it, in our words. Money and stock are decimal strings; null where the source is blank. */
export interface ItemRow {
  zoho_item_id: string
  sku: string | null
  name: string
  name_en: string | null
  name_ar: string | null
  description: string | null
  cost_price: string | null
  selling_price: string | null
  currency: string | null
  stock_on_hand: string | null
  status: 'active' | 'inactive'
  unit: string | null
  category: string | null
  brand: string | null
  custom_fields: Record<string, unknown>
  zoho_modified_at: string | null
  zoho_image_id: string | null
  zoho_image_name: string | null
}

export interface UpsertCount {
  new: number
  updated: number
  unchanged: number
  restored: number
}

/**
 * Writes one page of items in one statement, whatever its length; rows that are equal already are not written.
 * A picture that is named for the first time, or under another id, makes the product `untried`; one that Zoho no longer names, `none`.
 * An item that comes back after it was soft-deleted is restored.
 */
export async function upsertItems(tx: Db, items: ItemRow[], { at }: { at: Date }): Promise<UpsertCount> {
  if (items.length === 0) return { new: 0, updated: 0, unchanged: 0, restored: 0 }
  const known = await tx.product.count({ where: { zoho_item_id: { in: items.map((item) => item.zoho_item_id) }, deleted_at: null } })
  const gone = await tx.product.count({
    where: { zoho_item_id: { in: items.map((item) => item.zoho_item_id) }, deleted_at: { not: null } },
  })
  const written = await tx.$queryRaw<{ inserted: boolean }[]>`
    insert into product as p (
      zoho_item_id, sku, name, name_en, name_ar, description, cost_price, selling_price, currency, stock_on_hand, status, unit, category, brand,
      custom_fields, zoho_modified_at, zoho_image_id, zoho_image_name, image_state, created_at, updated_at)
    select
      t.zoho_item_id, t.sku, t.name, t.name_en, t.name_ar, t.description, t.cost_price, t.selling_price, t.currency, t.stock_on_hand, t.status, t.unit,
      t.category, t.brand, t.custom_fields, t.zoho_modified_at, t.zoho_image_id, t.zoho_image_name,
      case when t.zoho_image_id is null then 'none' else 'untried' end, ${at}, ${at}
    from jsonb_to_recordset(${JSON.stringify(items)}::jsonb) as t(
      zoho_item_id text, sku text, name text, name_en text, name_ar text, description text, cost_price numeric, selling_price numeric, currency text,
      stock_on_hand numeric, status text, unit text, category text, brand text, custom_fields jsonb, zoho_modified_at timestamptz, zoho_image_id text,
      zoho_image_name text)
    on conflict (zoho_item_id) do update set
      sku = excluded.sku, name = excluded.name, name_en = excluded.name_en, name_ar = excluded.name_ar, description = excluded.description,
      cost_price = excluded.cost_price, selling_price = excluded.selling_price, currency = excluded.currency, stock_on_hand = excluded.stock_on_hand,
      status = excluded.status, unit = excluded.unit, category = excluded.category, brand = excluded.brand, custom_fields = excluded.custom_fields,
      zoho_modified_at = excluded.zoho_modified_at, zoho_image_id = excluded.zoho_image_id, zoho_image_name = excluded.zoho_image_name,
      image_state = case
        when excluded.zoho_image_id is null then 'none'
        when excluded.zoho_image_id is distinct from p.zoho_image_id then
          case when excluded.zoho_image_id = p.image_fetched_id then 'stored' else 'untried' end
        else p.image_state end,
      image_attempts = case when excluded.zoho_image_id is distinct from p.zoho_image_id then 0 else p.image_attempts end,
      image_error_code = case when excluded.zoho_image_id is distinct from p.zoho_image_id then null else p.image_error_code end,
      image_error = case when excluded.zoho_image_id is distinct from p.zoho_image_id then null else p.image_error end,
      deleted_at = null,
      updated_at = excluded.updated_at
    where (p.sku, p.name, p.name_en, p.name_ar, p.description, p.cost_price, p.selling_price, p.currency, p.stock_on_hand, p.status, p.unit, p.category,
           p.brand, p.custom_fields, p.zoho_modified_at, p.zoho_image_id, p.zoho_image_name, p.deleted_at)
      is distinct from
          (excluded.sku, excluded.name, excluded.name_en, excluded.name_ar, excluded.description, excluded.cost_price, excluded.selling_price,
           excluded.currency, excluded.stock_on_hand, excluded.status, excluded.unit, excluded.category, excluded.brand, excluded.custom_fields,
           excluded.zoho_modified_at, excluded.zoho_image_id, excluded.zoho_image_name, null::timestamptz)
    returning (xmax = 0) as inserted`
  const inserted = written.filter((row) => row.inserted).length
  const updated = written.length - inserted
  return { new: inserted, updated, unchanged: known + gone - updated, restored: gone }
}
