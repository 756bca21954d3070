import type { Database } from '../../database/client.ts'
import type { JobQueue, JobWorker } from '../../queue/queue.ts'
import { BatchState, runBatches } from '../../queue/split-run.ts'
import { becauseOf } from '../../runs/because.ts'
import type { RunHandler } from '../../runs/run-handler.ts'
import { originalsOf, RegenerateParams, VariantJobResult } from './variant-jobs.ts'

export const MEDIA_REGENERATE = 'media_regenerate'
const BATCH_SIZE = 20

export interface RegenerateDeps {
  db: Database
  queue: JobQueue
  jobs: JobWorker<'variants'>
}

type Stop = NonNullable<VariantJobResult['stopped']>
class StorageStops extends Error {
  readonly reason: Stop
  constructor(reason: Stop) {
    super(reason.message)
    this.reason = reason
  }
}

/**
 * Makes variants again with the present settings, in jobs: missing ones, all of them, or one size.
 */
export function createRegenerateRun({ db, queue, jobs }: RegenerateDeps): RunHandler {
  return {
    kind: MEDIA_REGENERATE,
    exclusiveKey: MEDIA_REGENERATE,
    async execute(run) {
      const where = originalsOf(RegenerateParams.parse(run.params))
      const total = await db.blob.count({ where })
      let { checked = 0, made = 0, failed = 0 } = run.statistics
      try {
        await runBatches(run, {
          db,
          queue,
          worker: jobs,
          state: BatchState.parse(run.checkpoint ?? { after: '' }),
          batchSize: BATCH_SIZE,
          result: VariantJobResult,
          jobOf: (range) => ({ run_id: run.id, ...range }),
          async keys(after, take) {
            const blobs = await db.blob.findMany({
              where: { ...where, sha256: { gt: after } },
              select: { sha256: true },
              orderBy: { sha256: 'asc' },
              take,
            })
            return blobs.map(({ sha256 }) => sha256)
          },
          async account(tx, results, state) {
            const stopped = results.find((it) => it.stopped)?.stopped
            if (stopped) throw new StorageStops(stopped)
            const failures = results.flatMap((it) => it.failures)
            for (const result of results) {
              checked += result.checked
              made += result.made
            }
            failed += failures.length
            await run.fail(
              tx,
              failures.map((it) => ({ stage: 'variant', ...it })),
            )
            await run.saveCheckpoint(tx, state, { checked, made, failed })
            run.report({ progress: { phase: 'variants', done: checked, total: Math.max(total, checked) } })
          },
        })
      } catch (error) {
        if (!(error instanceof StorageStops)) throw error
        return { state: 'failed', ...becauseOf({ ...error.reason, remedy: error.reason.remedy }) }
      }
      return { state: failed > 0 ? 'partial' : 'success' }
    },
  }
}
