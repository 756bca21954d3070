import { z } from 'zod'
import { ItemFields } from './item-fields.ts'

export const ExportQuery = z.object({ format: z.enum(['json', 'csv', 'zip']).default('json') })

/** One record of `GET /export?format=json`, which is an array of them; `source=file` reads it back. CSV has the same columns. */
export const ExportRecord = z.object({
  zoho_item_id: z.string().nullable(),
  ...ItemFields.shape,
  zoho_modified_at: z.iso.datetime().nullable(),
  image_id: z.string().nullable(),
  image_name: z.string().nullable(),
  /** Where a file import said the picture is; null for Zoho's own. */
  image_url: z.string().nullable(),
  /** Where the picture stands in the data folder and in the zip. */
  image_path: z.string().nullable(),
})
export type ExportRecord = z.infer<typeof ExportRecord>
