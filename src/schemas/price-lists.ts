import { z } from 'zod'
import { Price } from './products.ts'

/** A price list of Zoho. */
export const PriceListRecord = z.object({
  id: z.string(),
  name: z.string(),
  type: z.enum(['sales', 'purchase']),
  currency: z.string().nullable(),
  /** A rate for each item, or a percentage of the price of all items. */
  kind: z.enum(['per_item', 'percentage']),
  /** Signed decimal string: "-12.5" is a mark-down; null for per_item. */
  percentage: z.string().nullable(),
  /** Zoho's key of how prices are rounded. */
  rounding: z.string(),
  /** Null where Zoho's list does not say. */
  is_default: z.boolean().nullable(),
  /** Inactive lists give no prices. */
  status: z.enum(['active', 'inactive']),
  /** When its rates were last read; null for a percentage, which has none. */
  read_at: z.iso.datetime().nullable(),
})
export type PriceListRecord = z.infer<typeof PriceListRecord>

/** `GET /api/price-lists`, all at once. */
export const PriceListsResponse = z.object({ status: z.literal('success'), data: z.array(PriceListRecord), next_cursor: z.null() })
/** `GET /api/price-lists/{id}` */
export const PriceListResponse = z.object({ status: z.literal('success'), data: PriceListRecord })
/** `GET /api/products/{id}/prices` */
export const PricesResponse = z.object({ status: z.literal('success'), data: z.array(Price), next_cursor: z.null() })
