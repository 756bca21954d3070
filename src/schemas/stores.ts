import { z } from 'zod'
import { IMAGE_SIZES } from '../facts/variants.ts'
import { RateLimit } from './rate-limit.ts'

/** What a store's downloads send by default. Null or `original`: the bytes as received. */
export const StoreVariant = z.enum(IMAGE_SIZES)

/**
 * What a store sells: these SKUs and these categories together (either may be left out), and with
 * `in_stock` only what is in stock. Null: everything.
 */
export const Assortment = z
  .object({
    skus: z.array(z.string().min(1).max(250)).max(100_000).nullish(),
    categories: z.array(z.string().min(1).max(250)).max(10_000).nullish(),
    in_stock: z.boolean().nullish(),
  })
  .strict()
export type Assortment = z.infer<typeof Assortment>

const Code = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]+$/u, 'must have no control characters')

/** `POST /api/v1/stores` */
export const StoreBody = z.object({
  /** For a store that is imported with its id; left out, zinc creates one. */
  id: z.uuid().toLowerCase().optional(),
  code: Code,
  name: z.string().trim().min(1).max(250),
  variant: StoreVariant.nullish(),
  assortment: Assortment.nullish(),
  /** Its location in Zoho, whose stock `in_stock` of the assortment then means. Null: the total. */
  location_id: z.string().trim().min(1).max(100).nullish(),
  /**
   * How fast its edge servers may download, in addition to their own limit: the lower one applies.
   * Null: no limit.
   */
  rate_limit: RateLimit.nullish(),
  /** Its edge servers fetch photos from each other (docs/edge-sharing.md). */
  share: z.boolean().optional(),
  /** Words to group and filter stores by, such as a city. */
  tags: z.array(z.string().trim().min(1).max(50)).max(20).optional(),
})
export type StoreBody = z.infer<typeof StoreBody>
/**
 * `PATCH /api/v1/stores/{id}`. `paused`: its edge server is refused with 403 `store_paused` until
 * this is false again; nothing else of the store changes.
 */
export const StorePatch = StoreBody.omit({ id: true }).partial().extend({ paused: z.boolean().optional() })
export type StorePatch = z.infer<typeof StorePatch>

export const Store = z.object({
  id: z.uuid(),
  code: z.string(),
  name: z.string(),
  variant: StoreVariant.nullable(),
  assortment: Assortment.nullable(),
  location_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime().nullable(),
  /** Null: not paused. */
  paused_at: z.iso.datetime().nullable(),
  rate_limit: z.string().nullable(),
  share: z.boolean(),
  tags: z.array(z.string()),
})
export type Store = z.infer<typeof Store>
export const StoreResponse = z.object({ status: z.literal('success'), data: Store })
/** Accepted, but probably a mistake. `unknown`: the SKUs or categories that no product has. */
export const StoreWarning = z.object({
  code: z.enum(['unknown_skus', 'unknown_categories']),
  parameter: z.string(),
  message: z.string(),
  unknown: z.array(z.string()),
})
export type StoreWarning = z.infer<typeof StoreWarning>
/** `POST` and `PATCH`; `warnings` is absent when there are none. */
export const StoreSavedResponse = StoreResponse.extend({ warnings: z.array(StoreWarning).optional() })
/** `PATCH`: an assortment that removes many images needs `confirm_removals=true`. */
export const StorePatchQuery = z.object({ confirm_removals: z.stringbool().default(false) })
export const StoresResponse = z.object({ status: z.literal('success'), data: z.array(Store), next_cursor: z.null() })

/** `POST /api/v1/stores/{id}/tokens`. `expires_in_days`: 365 when left out, null for no expiry. */
export const EdgeTokenBody = z.object({
  name: z.string().trim().min(1).max(250),
  expires_in_days: z.number().positive().max(36_500).nullish(),
})
/** The only response that ever contains the token itself. */
export const EdgeTokenMadeResponse = z.object({
  status: z.literal('success'),
  data: z.object({ id: z.uuid(), name: z.string(), token: z.string(), expires_at: z.iso.datetime().nullable() }),
})
export const EdgeToken = z.object({
  id: z.uuid(),
  name: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable(),
})
export type EdgeToken = z.infer<typeof EdgeToken>
export const EdgeTokensResponse = z.object({ status: z.literal('success'), data: z.array(EdgeToken), next_cursor: z.null() })
export const EdgeTokenResponse = z.object({ status: z.literal('success'), data: EdgeToken })
