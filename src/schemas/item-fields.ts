import { z } from 'zod'

/** What an item is in the catalogue, wherever it is shown; money and stock as decimal strings. A mapping rules each of them. */
export const itemFields = {
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
}

export const ItemFields = z.object({ ...itemFields, custom_fields: z.record(z.string(), z.unknown()) })
export type ItemFields = z.infer<typeof ItemFields>
