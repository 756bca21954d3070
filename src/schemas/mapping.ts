import { z } from 'zod'
import { fieldSpec, MappedField } from './item-fields.ts'

/**
 * Who writes a field. zoho: every sync overwrites it | erp: a sync never writes it, the ERP does
 * (`PATCH /api/products/{id}`) | first: Zoho fills it while it is empty, then it stays
 */
export const FieldOwner = z.enum(['zoho', 'erp', 'first'])
export type FieldOwner = z.infer<typeof FieldOwner>

export const FieldMapping = z.object({
  field: MappedField,
  /**
   * The field of Zoho's item that it is read from. For name_en and name_ar, `name` means the part
   * in that language.
   */
  source: z.string(),
  owner: FieldOwner,
})
export type FieldMapping = z.infer<typeof FieldMapping>

/** `GET /api/settings/integrations/zoho/mapping` */
export const MappingResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    fields: z.array(
      FieldMapping.extend({
        default_source: z.string(),
        default_owner: FieldOwner,
        /**
         * False where the source cannot be chosen: name is Zoho's own text, the currency is the
         * organization's.
         */
        source_editable: z.boolean(),
      }),
    ),
    /**
     * Fields of Zoho's items that can be a source, including custom fields (`cf_…`) that were seen
     * on an item.
     */
    sources: z.array(z.string()),
    /** The values of custom fields that lists do not show are read, too, with calls for details. */
    hidden_fields: z.boolean(),
    /** Those fields, as far as they are known, and how many products have a value in them. */
    hidden_custom_fields: z.array(z.object({ api_name: z.string(), label: z.string().nullable(), products: z.int() })),
    is_default: z.boolean(),
    changed_at: z.iso.datetime().nullable(),
  }),
})

const FieldChange = z.object({ field: MappedField, source: z.string().trim().min(1).max(200).optional(), owner: FieldOwner.optional() })
/**
 * `PUT …/mapping`: fields that are not named keep their rule; `reset` first returns everything to
 * the default. Applies from the next sync on; a full one reaches every product.
 */
export const MappingBody = z.object({
  fields: z.array(FieldChange).max(50).default([]),
  reset: z.boolean().default(false),
  /** Read the values of custom fields that lists do not show: a call for each hundred items. */
  hidden_fields: z.boolean().optional(),
})
export type MappingBody = z.infer<typeof MappingBody>

/**
 * `POST …/mapping/preview`: what the mapping (with these changes) makes of a real item, read from
 * Zoho now. Nothing is written.
 */
export const MappingPreviewBody = z.object({
  fields: z.array(FieldChange).max(50).default([]),
  reset: z.boolean().default(false),
  /** Which item; without either, the one that changed last. */
  zoho_item_id: z.string().max(100).optional(),
  sku: z.string().max(200).optional(),
})
export type MappingPreviewBody = z.infer<typeof MappingPreviewBody>

export const MappingPreviewResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    zoho_item_id: z.string(),
    /** Null when the item is not in the catalogue yet. */
    product_id: z.uuid().nullable(),
    fields: z.array(
      FieldMapping.extend({
        /** Zoho's value, as zinc reads it. */
        zoho_value: z.string().nullable(),
        /** The product's present value. */
        current_value: z.string().nullable(),
        /** The product's value after the next sync of this item. */
        result: z.string().nullable(),
        changes: z.boolean(),
      }),
    ),
    /** The item's own fields with their text, to choose a source from. */
    item: z.array(z.object({ source: z.string(), value: z.string() })),
  }),
})

const decimal = z
  .string()
  .regex(/^-?\d{1,18}(\.\d{1,6})?$/, 'must be a decimal number as text, e.g. "12.50"')
  .nullable()
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be a code of three letters, e.g. IQD')
  .nullable()

type PatchValue = z.ZodType<string | null>
const patchValue = (field: MappedField): PatchValue => {
  const { kind, max } = fieldSpec(field)
  return kind === 'decimal' ? decimal : z.string().max(max!).nullable()
}
type Simple = Exclude<MappedField, 'name' | 'currency' | 'status'>
const simple = MappedField.exclude(['name', 'currency', 'status']).options

/**
 * `PATCH /api/products/{id}`: fields that the mapping gives to the ERP (owner `erp` or `first`);
 * others 409 `owned_by_zoho`. Money and stock as decimal strings.
 */
export const ProductPatch = z
  .strictObject({
    ...(Object.fromEntries(simple.map((field) => [field, patchValue(field)])) as Record<Simple, PatchValue>),
    name: z.string().min(1).max(1000),
    currency,
    status: z.enum(['active', 'inactive']),
  })
  .partial()
export type ProductPatch = z.infer<typeof ProductPatch>
