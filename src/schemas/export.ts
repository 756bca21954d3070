import { z } from 'zod'
import { fieldSpec, ITEM_FIELD_NAMES, ItemFields } from './item-fields.ts'
import { Product } from './products.ts'

export const ExportQuery = z.object({ format: z.enum(['json', 'csv', 'zip']).default('json') })

/**
 * One record of `GET /export?format=json`, which is an array of them; `source=file` reads it back.
 * CSV has the same columns.
 */
export const ExportRecord = z.object({
  zoho_item_id: z.string().nullable(),
  ...ItemFields.shape,
  stock: Product.shape.stock,
  prices: Product.shape.prices,
  origin: Product.shape.origin,
  zoho_modified_at: z.iso.datetime().nullable(),
  image_id: z.string().nullable(),
  image_name: z.string().nullable(),
  /** The image's URL from a file import; null for Zoho's own. */
  image_url: z.string().nullable(),
  /** The image's path in the data folder and in the ZIP. */
  image_path: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  seq: Product.shape.seq,
  changed_at: Product.shape.changed_at,
})
export type ExportRecord = z.infer<typeof ExportRecord>

/** The columns of a CSV: nested JSON values have a column for each part. */
export const EXPORT_COLUMNS = [
  'zoho_item_id',
  ...ITEM_FIELD_NAMES.map((field) => fieldSpec(field).csv ?? field),
  'committed_stock',
  'stock_by_location',
  'prices',
  'custom_fields',
  ...([
    'origin',
    'zoho_modified_at',
    'image_id',
    'image_name',
    'image_url',
    'image_path',
    'created_at',
    'updated_at',
    'seq',
    'changed_at',
  ] as const),
]
