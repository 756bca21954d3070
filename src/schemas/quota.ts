import { z } from 'zod'

const Window = { limit: z.number().nullable(), used: z.number(), left: z.number().nullable() }

/** Purposes of calls to Zoho. */
export const CallPurpose = z.enum(['items', 'images', 'rechecks', 'stock', 'price_lists', 'groups', 'records', 'tests'])
export type CallPurpose = z.infer<typeof CallPurpose>

/** `GET /quota`. A limit of null is not known yet, or does not exist (simulators). */
export const QuotaResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    minute: z.object(Window),
    day: z.object({
      ...Window,
      resets_at: z.iso.datetime().nullable(),
      /** Calls that images leave to items, and the share of the day that they are. */
      reserve: z.number(),
      reserve_percent: z.number(),
    }),
    /** All calls wait until then, since Zoho's limit was exceeded; null: they do not. */
    blocked_until: z.iso.datetime().nullable(),
    /** For what is queued, running or paused, and for the schedules until the day's reset. */
    forecast: z.object({
      calls: z.number(),
      queued_calls: z.number(),
      scheduled_calls: z.number(),
      minutes: z.number(),
      /** Days of quota needed; null while the day's limit is unknown. */
      days: z.number().nullable(),
      enough_today: z.boolean().nullable(),
    }),
    /**
     * Calls by purpose: made and expected in the present day, left to others, and allowed at most
     * (null: no limit of its own); and how old the data is that they keep.
     */
    purposes: z.array(
      z.object({
        purpose: CallPurpose,
        used: z.number(),
        forecast: z.number(),
        reserve: z.number(),
        reserve_percent: z.number(),
        share: z.number().nullable(),
        share_percent: z.number().nullable(),
        /** When its oldest data was read; null: not yet everything, or it keeps none. */
        oldest_at: z.iso.datetime().nullable(),
        /**
         * Why the data cannot be fresher: `share`, the calls until the reset exceed its own limit;
         * `day`, all calls exceed what is left of the day; `no_schedule`, nothing reads it by
         * schedule. Null: the schedules and the day's calls are enough.
         */
        limited_by: z.enum(['share', 'day', 'no_schedule']).nullable(),
      }),
    ),
    /** Calls of the present day by the job names of the log of calls. */
    by_job: z.array(z.object({ job: z.string(), calls: z.number() })),
    /** Calls in each of the last 60 minutes that had any, oldest first. */
    by_minute: z.array(z.object({ at: z.iso.datetime(), calls: z.number() })),
    /** Calls of the last 14 days in the shop's time zone, oldest first. */
    by_day: z.array(z.object({ date: z.string(), calls: z.number() })),
  }),
})
export type Quota = z.infer<typeof QuotaResponse>['data']

const Percent = z.number().int().min(0).max(90)
/**
 * `PUT /quota`: what images leave to items, and what stock by location may use (0: it is not read).
 */
export const QuotaBody = z
  .object({ reserve_percent: Percent, stock_percent: Percent })
  .partial()
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must have reserve_percent or stock_percent')

export const CallsQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  job: z.string().max(50).optional(),
  run_id: z.uuid().optional(),
  failed: z.stringbool().optional(),
  /** Made at this time or later, and before the other. */
  from: z.string().max(60).optional(),
  to: z.string().max(60).optional(),
})
/** `GET /calls`: newest first, no bodies. */
export const CallsResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      at: z.iso.datetime(),
      job: z.string(),
      run_id: z.uuid().nullable(),
      path: z.string(),
      status: z.number().nullable(),
      code: z.string().nullable(),
      ms: z.number().nullable(),
      quota_left: z.number().nullable(),
    }),
  ),
  next_cursor: z.string().nullable(),
})
