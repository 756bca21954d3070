import type { ItemRow } from '../catalog/item-fields.ts'
import { readNames } from '../catalog/names.ts'
import type { ZohoItem } from '../zoho/wire.ts'

/** The only place where Zoho's vocabulary becomes ours. `currency` is the organisation's. */
export function toItemRow(item: ZohoItem, { currency }: { currency: string | null }): ItemRow {
  return {
    zoho_item_id: item.item_id,
    sku: item.sku,
    name: item.name,
    ...readNames(item.name),
    description: item.description,
    cost_price: item.purchase_rate,
    selling_price: item.rate,
    currency,
    stock_on_hand: item.stock_on_hand,
    status: item.status === 'inactive' ? 'inactive' : 'active',
    unit: item.unit,
    category: item.category_name,
    brand: item.brand,
    custom_fields: item.custom_fields,
    zoho_modified_at: item.last_modified_time?.toISOString() ?? null,
    zoho_image_id: item.image_document_id,
    zoho_image_name: item.image_name,
  }
}
