import { z } from 'zod'
import { MessageParams } from './message.ts'

export const FailuresQuery = z.object({
  /** Only this cause; its failures are then paged by `cursor`. */
  code: z.string().max(100).optional(),
  stage: z.string().max(50).optional(),
  run_id: z.uuid().optional(),
  dismissed: z.stringbool().default(false),
  /** Failed at this time or later, and before the other. */
  from: z.string().max(60).optional(),
  to: z.string().max(60).optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(20),
})

export const FailureEntry = z.object({
  id: z.uuid(),
  run_id: z.uuid(),
  message: z.string(),
  params: MessageParams.nullable(),
  /** Zoho's own code, where it sent one. */
  zoho_code: z.string().nullable(),
  product_id: z.uuid().nullable(),
  zoho_item_id: z.string().nullable(),
  sku: z.string().nullable(),
  name: z.string().nullable(),
  at: z.iso.datetime(),
  dismissed_at: z.iso.datetime().nullable(),
  note: z.string().nullable(),
})

/**
 * `GET /failures`: open failures of all runs, one entry per cause, the largest first; `failures`
 * contains the newest of each.
 */
export const FailuresResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      code: z.string(),
      /** list | item | image | removal | file */
      stage: z.string(),
      /** The cause in words for people. */
      cause: z.string(),
      remedy: z.string(),
      /** The parameters of cause and remedy, where they are those of the newest failure. */
      params: MessageParams.nullable(),
      /** Whether `POST /failures/retry` can help. */
      retryable: z.boolean(),
      count: z.number(),
      first_at: z.iso.datetime(),
      last_at: z.iso.datetime(),
      failures: z.array(FailureEntry),
    }),
  ),
  /** Set with `code`, while that cause has more failures. */
  next_cursor: z.string().nullable(),
  /** All open failures, of every cause. */
  total: z.number(),
})
export type FailuresResponse = z.infer<typeof FailuresResponse>

/**
 * One, selected ones, those of a cause or of a run; an empty object retries all that can be
 * retried.
 */
export const RetryFailures = z.object({
  ids: z.array(z.uuid()).min(1).max(10_000).optional(),
  code: z.string().max(100).optional(),
  run_id: z.uuid().optional(),
})
export const DismissFailures = z.object({ ids: z.array(z.uuid()).min(1).max(10_000), note: z.string().trim().max(1_000).default('') })
export const DismissResponse = z.object({ status: z.literal('success'), data: z.object({ dismissed: z.number() }) })
