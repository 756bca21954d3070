import type { Product } from '../generated/client.ts'
import type { ItemFields } from '../schemas/item-fields.ts'

/** The fields of a product as people see them: decimals as written text, custom fields as an object. */
export function serializeItem(row: Product): ItemFields {
  const custom = row.custom_fields
  return {
    sku: row.sku,
    name: row.name,
    name_en: row.name_en,
    name_ar: row.name_ar,
    description: row.description,
    cost_price: row.cost_price?.toFixed() ?? null,
    selling_price: row.selling_price?.toFixed() ?? null,
    currency: row.currency,
    stock_on_hand: row.stock_on_hand?.toFixed() ?? null,
    status: row.status === 'inactive' ? 'inactive' : 'active',
    unit: row.unit,
    category: row.category,
    brand: row.brand,
    custom_fields: typeof custom === 'object' && custom !== null && !Array.isArray(custom) ? custom : {},
  }
}
