import { z } from 'zod'
import { MessageParams } from './message.ts'

const count = z.number().int().min(0).max(1_000)
/** How many days, weeks and months keep their newest backup. */
const Keep = z.object({ daily: count, weekly: count, monthly: count })

/** A cron line of five fields, `true` after every backup, or false. */
const Rehearsal = z.union([z.boolean(), z.string()])

export const BackupRow = z.object({
  id: z.string(),
  kind: z.enum(['backup', 'rehearsal']),
  target: z.string(),
  /** Name of the backup in the target: the one that was written or rehearsed. */
  backup_id: z.string().nullable(),
  state: z.enum(['queued', 'running', 'success', 'partial', 'failed']),
  started_by: z.string(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  counts: z.record(z.string(), z.number()),
  code: z.string().nullable(),
  message: z.string().nullable(),
  params: MessageParams.nullable(),
  /** It was removed from the target, since newer ones are kept. */
  pruned_at: z.iso.datetime().nullable(),
})
export type BackupRow = z.infer<typeof BackupRow>

export const BackupPlan = z.object({
  /** Cron line in the shop's time zone; null: no backups by the clock. */
  schedule: z.string().nullable(),
  /** An absolute folder of the server, or s3://BUCKET/PREFIX. */
  target: z.string().nullable(),
  /** Null: all are kept. */
  keep: Keep.nullable(),
  rehearsal: Rehearsal,
  /** Notify when the newest good backup is older; null: never. */
  warn_after_hours: z.number().int().nullable(),
  next_at: z.iso.datetime().nullable(),
  newest_good_at: z.iso.datetime().nullable(),
  too_old: z.boolean(),
})
export type BackupPlan = z.infer<typeof BackupPlan>

/** `GET /api/backups`: the newest 100. */
export const Backups = BackupPlan.extend({ backups: z.array(BackupRow) })
export type Backups = z.infer<typeof Backups>
export const BackupsResponse = z.object({ status: z.literal('success'), data: Backups })

/** `PUT /api/backups/schedule`: any subset. */
export const BackupScheduleBody = z
  .object({
    schedule: z.string().max(200).nullable(),
    target: z.string().trim().min(1).max(1_000).nullable(),
    keep: Keep.nullable(),
    rehearsal: z.union([z.boolean(), z.string().max(200)]).nullable(),
    warn_after_hours: z.number().int().min(1).max(8_760).nullable(),
  })
  .partial()
export type BackupScheduleBody = z.infer<typeof BackupScheduleBody>
export const BackupScheduleResponse = z.object({ status: z.literal('success'), data: BackupPlan })

/** `POST /api/backups` and `POST /api/backups/rehearse`. */
export const BackupQueuedResponse = z.object({ status: z.literal('queued'), id: z.string() })
