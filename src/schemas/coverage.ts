import { z } from 'zod'

/** What a product may lack; each is a filter of `GET /api/products?coverage=`. */
export const CoverageKey = z.enum([
  /** No image at all, whatever the reason. */
  'without_picture',
  /** Zoho (or a URL) names an image that could not be fetched or read. */
  'failed',
  /** The primary image is truncated or corrupt, though it can be shown. */
  'damaged',
  /** The selling price is blank. */
  'no_price',
  /** The selling price is 0. */
  'price_zero',
  'no_arabic_name',
  /** Both names exist and are equal. */
  'same_text',
  'no_sku',
  /** Another product has the same SKU. */
  'duplicate_sku',
  /** Inactive in Zoho, and in stock here. */
  'inactive_but_sold_here',
  /** Neither EAN, UPC nor ISBN. */
  'no_barcode',
  /** An EAN or UPC with a wrong check digit. */
  'bad_check_digit',
  /** Another product has the same EAN, UPC or ISBN. */
  'duplicate_barcode',
  /** It has a value in a custom field that Zoho does not show in lists. */
  'hidden_custom_fields',
  /** No active price list has a price for it; 0 where there are no price lists. */
  'not_in_price_list',
])
export type CoverageKey = z.infer<typeof CoverageKey>

export const CoverageCounts = z.object(
  Object.fromEntries(CoverageKey.options.map((key) => [key, z.number().int()])) as Record<CoverageKey, z.ZodNumber>,
)
export type CoverageCounts = z.infer<typeof CoverageCounts>

/**
 * `GET /coverage`: every key of `data` is a filter; `total` counts the products that are not
 * deleted.
 */
export const CoverageResponse = z.object({
  status: z.literal('success'),
  data: CoverageCounts,
  total: z.number().int(),
  measured_at: z.iso.datetime(),
})

/**
 * `GET /coverage/history?days=`: one entry a day, oldest first, the last one of today; days on
 * which zinc did not run are missing.
 */
export const CoverageHistoryQuery = z.object({ days: z.coerce.number().int().min(1).max(1000).default(30) })
export const CoverageHistoryResponse = z.object({
  status: z.literal('success'),
  data: z.array(CoverageCounts.extend({ day: z.iso.date(), total: z.number().int() })),
})
