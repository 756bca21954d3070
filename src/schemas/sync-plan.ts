import { z } from 'zod'

/**
 * `POST …/sync/item/plan`: a dry run's result with what the real run would cost. The differences
 * are under `/sync/runs/{run_id}/records`.
 */
export const ItemSyncPlan = z.object({
  status: z.literal('success'),
  data: z.object({
    /** The dry run that found this. */
    run_id: z.uuid(),
    mode: z.enum(['full', 'incremental']),
    source: z.enum(['api', 'file']),
    items: z.object({
      total: z.number(),
      new: z.number(),
      updated: z.number(),
      unchanged: z.number(),
      restored: z.number(),
      removed: z.number(),
      conflicts: z.number(),
      failed: z.number(),
    }),
    images: z.object({ to_fetch: z.number(), unchanged: z.number(), missing: z.number() }),
    /** Calls to the API host that the run would make. */
    calls: z.object({
      list: z.number(),
      details: z.number(),
      images: z.number(),
      /** Of the runs that follow a full sync. */
      stock: z.number(),
      groups: z.number(),
      price_lists: z.number(),
      total: z.number(),
    }),
    /** How long that takes at the present limits. */
    minutes: z.number(),
    /** Days of quota needed, 1 when today's is enough; null while the day's limit is unknown. */
    days: z.number().nullable(),
    ends_at: z.iso.datetime(),
    /**
     * Set when so many items would be removed that the run stops without `confirm_removals=true`.
     */
    mass_delete: z.object({ removed: z.number(), of: z.number() }).nullable(),
  }),
})
export type ItemSyncPlan = z.infer<typeof ItemSyncPlan>

export const RecordOutcome = z.enum(['new', 'updated', 'removed', 'restored'])
export type RecordOutcome = z.infer<typeof RecordOutcome>

export const RunRecordsQuery = z.object({
  outcome: RecordOutcome.optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
/**
 * `GET /sync/runs/{id}/records`: what a run did to each record, or in a dry run would do. Unchanged
 * records have none.
 */
export const RunRecordsResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      /** The item's id in Zoho. */
      record_id: z.string(),
      outcome: RecordOutcome,
      sku: z.string().nullable(),
      name: z.string().nullable(),
      product_id: z.uuid().nullable(),
      /** Field to [before, after]; empty for new and removed ones. */
      changes: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])),
    }),
  ),
  next_cursor: z.string().nullable(),
})
