import { z } from 'zod'

/** The data of each kind of job: the key of a row with the rest. A job may run twice. */
export const JOB_DATA = {
  /** One attempt to send a notification. */
  notification: z.object({ id: z.string(), attempt: z.int() }),
  /** What is due for one webhook of others. */
  webhook: z.object({ webhook_id: z.string() }),
  /** The variants of the originals after one hash, up to another, for a run. */
  variants: z.object({ run_id: z.string(), after: z.string(), upto: z.string() }),
  /**
   * Stored files of a kind after one hash, up to another, to be read and compared with their hash.
   */
  hashing: z.object({ run_id: z.string(), kind: z.enum(['originals', 'variants']), after: z.string(), upto: z.string() }),
  /** A backup or a rehearsal, by its row. */
  backup: z.object({ id: z.string() }),
}
export type QueueName = keyof typeof JOB_DATA
export type JobData<Name extends QueueName> = z.infer<(typeof JOB_DATA)[Name]>

/**
 * The options of each queue. `exclusive`: one job of a key waits or runs at a time. A dead worker
 * is detected after `heartbeatSeconds`, the shortest that pg-boss accepts.
 */
const USUAL = { heartbeatSeconds: 10, retryLimit: 20, retryDelay: 1, retryBackoff: true, retryDelayMax: 60, deleteAfterSeconds: 3_600 }
export const QUEUES = {
  notification: { ...USUAL, policy: 'exclusive' },
  webhook: { ...USUAL, policy: 'exclusive' },
  variants: { ...USUAL, policy: 'standard' },
  hashing: { ...USUAL, policy: 'standard' },
  // The first backup of a large shop to a slow bucket takes hours; pg-boss allows less than a day.
  backup: { ...USUAL, policy: 'standard', expireInSeconds: 23 * 3_600 },
} satisfies Record<QueueName, object>
