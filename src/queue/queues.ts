import { z } from 'zod'

/** What each kind of job carries: the key of a row that holds the rest. A job may be done twice. */
export const JOB_DATA = {
  /** One attempt to send a notification. */
  notification: z.object({ id: z.string(), attempt: z.int() }),
  /** What is due for one webhook of others. */
  webhook: z.object({ webhook_id: z.string() }),
  /** The variants of the originals after one hash, up to another, for a run. */
  variants: z.object({ run_id: z.string(), after: z.string(), upto: z.string() }),
  /** Stored files of a kind after one hash, up to another, to be read and compared with their hash. */
  hashing: z.object({ run_id: z.string(), kind: z.enum(['originals', 'variants']), after: z.string(), upto: z.string() }),
}
export type QueueName = keyof typeof JOB_DATA
export type JobData<Name extends QueueName> = z.infer<(typeof JOB_DATA)[Name]>

/**
 * How each queue treats its jobs. `exclusive`: one job of a key waits or is worked on at a time. A
 * worker that is gone is noticed after `heartbeatSeconds`, the shortest that pg-boss takes.
 */
const USUAL = { heartbeatSeconds: 10, retryLimit: 20, retryDelay: 1, retryBackoff: true, retryDelayMax: 60, deleteAfterSeconds: 3_600 }
export const QUEUES = {
  notification: { ...USUAL, policy: 'exclusive' },
  webhook: { ...USUAL, policy: 'exclusive' },
  variants: { ...USUAL, policy: 'standard' },
  hashing: { ...USUAL, policy: 'standard' },
} satisfies Record<QueueName, object>
