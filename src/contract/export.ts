import { z } from 'zod'

export const ExportQuery = z.object({ format: z.enum(['json', 'csv', 'zip']).default('json') })

/** One record of `GET /export?format=json`, which is an array of them; `source=file` reads it back. CSV has the same columns. */
export const ExportRecord = z.object({
  zoho_item_id: z.string().nullable(),
  sku: z.string().nullable(),
  name: z.string(),
  name_en: z.string().nullable(),
  name_ar: z.string().nullable(),
  description: z.string().nullable(),
  cost_price: z.string().nullable(),
  selling_price: z.string().nullable(),
  currency: z.string().nullable(),
  stock_on_hand: z.string().nullable(),
  status: z.enum(['active', 'inactive']),
  unit: z.string().nullable(),
  category: z.string().nullable(),
  brand: z.string().nullable(),
  custom_fields: z.record(z.string(), z.unknown()),
  zoho_modified_at: z.iso.datetime().nullable(),
  image_id: z.string().nullable(),
  image_name: z.string().nullable(),
  /** Where a file import said the picture is; null for Zoho's own. */
  image_url: z.string().nullable(),
  /** Where the picture stands in the data folder and in the zip. */
  image_path: z.string().nullable(),
})
export type ExportRecord = z.infer<typeof ExportRecord>
