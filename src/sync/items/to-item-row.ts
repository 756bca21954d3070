import type { FieldRules } from '../../catalog/field-mapping.ts'
import type { ItemRow } from '../../catalog/item-fields.ts'
import type { ZohoItem } from '../../zoho/schemas.ts'
import { readFields } from './field-sources.ts'

/** How items are read during a run: the organisation's currency, and the sources that the shop has chosen for its fields. */
export interface ItemMapping {
  currency: string | null
  rules: FieldRules
}

/** The only place where Zoho's vocabulary becomes ours. Who owns a field is decided when the row is written (catalog/field-ownership.ts). */
export function toItemRow(item: ZohoItem, mapping: ItemMapping): ItemRow {
  return {
    zoho_item_id: item.item_id,
    ...readFields(item, mapping),
    custom_fields: item.custom_fields,
    zoho_modified_at: item.last_modified_time?.toISOString() ?? null,
    zoho_image_id: item.image_document_id,
    zoho_image_name: item.image_name,
  }
}
