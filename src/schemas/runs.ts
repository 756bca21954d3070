import { z } from 'zod'
import { MessageParams } from './message.ts'
import { IgnoredParameter } from './photo-sync.ts'

export const RunState = z.enum(['queued', 'running', 'paused', 'success', 'partial', 'failed', 'cancelled'])

export const Run = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: RunState,
  mode: z.string().nullable(),
  params: z.unknown(),
  statistics: z.record(z.string(), z.number()),
  progress: z.unknown(),
  cause: z.string().nullable(),
  /** Stable code of the cause, where it has one. */
  code: z.string().nullable(),
  /** Zoho's own code of the cause, where it sent one. */
  zoho_code: z.string().nullable(),
  remedy: z.string().nullable(),
  /** The parameters of cause and remedy. */
  failure_params: MessageParams.nullable(),
  started_by: z.string().nullable(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  resumes_at: z.iso.datetime().nullable(),
})
export type Run = z.infer<typeof Run>

/** `GET /sync/runs/by-day`: in the shop's time zone, oldest first. */
export const RunsByDay = z.array(
  z.object({
    date: z.string(),
    success: z.int(),
    partial: z.int(),
    failed: z.int(),
    cancelled: z.int(),
    /** Queued, running or paused. */
    unfinished: z.int(),
  }),
)
export type RunsByDay = z.infer<typeof RunsByDay>

/** The query of `POST …/sync/item/execute` and, except for the last two, of `…/sync/item/plan`. */
export const ItemSyncQuery = z.object({
  sync_images: z.stringbool().default(false),
  /** Default: incremental after the first full. */
  mode: z.enum(['incremental', 'full']).optional(),
  source: z.enum(['api', 'file']).default('api'),
  /** A plain file name in DATA_DIR/imports, for source=file. */
  file: z.string().max(255).optional(),
  confirm_removals: z.stringbool().default(false),
  dry_run: z.stringbool().default(false),
  /** False: respond with 202 immediately. */
  wait: z.stringbool().default(true),
})

export const Accepted = z.object({ status: z.literal('queued'), run_id: z.uuid() })

/** The response of `POST …/sync/item/execute` when the run has ended or paused. */
export const ItemSyncResult = z.object({
  status: z.string(),
  run_id: z.uuid(),
  mode: z.string(),
  statistics: z.record(z.string(), z.number()),
  errors: z.array(
    z.object({
      zoho_item_id: z.string().nullable(),
      sku: z.string().nullable(),
      stage: z.string(),
      code: z.string(),
      /** Zoho's own code, where it sent one. */
      zoho_code: z.string().nullable(),
      message: z.string(),
    }),
  ),
  resumes_at: z.iso.datetime().optional(),
  cause: z.string().optional(),
  remedy: z.string().optional(),
  /** Absent when no parameter was ignored. */
  warnings: z.array(IgnoredParameter).optional(),
})
export type ItemSyncResult = z.infer<typeof ItemSyncResult>
