import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import type { JobQueue, JobWorker } from '../../queue/queue.ts'
import type { RunAborted, RunHandler } from '../../runs/run-handler.ts'
import { originalsOf, RegenerateParams, VariantJobResult } from './variant-jobs.ts'

export const MEDIA_REGENERATE = 'media_regenerate'
const Batch = z.object({ id: z.string(), after: z.string(), upto: z.string() })
type Batch = z.infer<typeof Batch>
const Checkpoint = z.object({ after: z.string(), open: z.array(Batch).default([]) })
/** Images of a job: small enough that a worker that is killed has not lost much. */
const BATCH_SIZE = 20
/** Jobs that wait or are worked on: enough for several processes, and soon taken back. */
const MAX_OPEN = 16
const LOOK_EVERY_MS = 250

export interface RegenerateDeps {
  db: Database
  queue: JobQueue
  jobs: JobWorker<'variants'>
}

/**
 * Makes variants again with the present settings: what is missing, all of them, or one size. The
 * work is done in small jobs by every process that has time; the run plans them, adds up what they
 * did, and takes back what waits when it is paused or cancelled.
 */
export function createRegenerateRun({ db, queue, jobs }: RegenerateDeps): RunHandler {
  return {
    kind: MEDIA_REGENERATE,
    exclusiveKey: MEDIA_REGENERATE,
    async execute(run) {
      const params = RegenerateParams.parse(run.params)
      const where = originalsOf(params)
      const total = await db.blob.count({ where })
      let { after, open } = Checkpoint.parse(run.checkpoint ?? { after: '' })
      let done = run.statistics.checked ?? 0
      let made = run.statistics.made ?? 0
      let failed = run.statistics.failed ?? 0

      /** The next batches, as many as there is room for beside `others`. */
      async function plan(others: number): Promise<Batch[]> {
        const room = (MAX_OPEN - others) * BATCH_SIZE
        if (room <= 0) return []
        const next = await db.blob.findMany({
          where: { ...where, sha256: { gt: after } },
          select: { sha256: true },
          orderBy: { sha256: 'asc' },
          take: room,
        })
        const batches: Batch[] = []
        for (let n = 0; n < next.length; n += BATCH_SIZE) {
          const upto = next[Math.min(n + BATCH_SIZE, next.length) - 1]!.sha256
          batches.push({ id: randomUUID(), after: batches.at(-1)?.upto ?? after, upto })
        }
        return batches
      }
      const asJob = ({ id, ...range }: Batch) => ({ id, data: { run_id: run.id, ...range } })

      // Alone (a command beside no server) this process does the work, too.
      await queue.work(jobs)
      // Whose jobs were paused, left by a killed process or not in a dump: they are given out again.
      const left = open
      open = left.map((batch) => ({ ...batch, id: randomUUID() }))
      await run.fenced(async (tx) => {
        await queue.remove(
          tx,
          'variants',
          left.map(({ id }) => id),
        )
        await queue.add(tx, 'variants', open.map(asJob))
        await run.saveCheckpoint(tx, { after, open })
      })

      try {
        for (;;) {
          run.signal.throwIfAborted()
          const ids = open.map(({ id }) => id)
          const over = await queue.finished('variants', ids)
          const next = await plan(open.length - over.length)
          if (over.length === 0 && next.length === 0) {
            if (open.length === 0) break
            await pause(LOOK_EVERY_MS, undefined, { signal: run.signal })
            continue
          }
          const again: Batch[] = []
          const failures: { code: string; message: string }[] = []
          for (const { id, state, result } of over) {
            const parsed = VariantJobResult.safeParse(result)
            if (state === 'completed' && parsed.success) {
              if (parsed.data.stopped) {
                const { code, message, remedy } = parsed.data.stopped
                return { state: 'failed', cause: message, remedy, failure_code: code }
              }
              done += parsed.data.checked
              made += parsed.data.made
              failed += parsed.data.failures.length
              failures.push(...parsed.data.failures)
            } else if (state === 'failed') throw new Error('A batch of variants failed again and again', { cause: result })
            else again.push({ ...open.find((it) => it.id === id)!, id: randomUUID() })
          }
          open = [...open.filter(({ id }) => !over.some((it) => it.id === id)), ...again, ...next]
          after = next.at(-1)?.upto ?? after
          await run.fenced(async (tx) => {
            await run.fail(
              tx,
              failures.map((it) => ({ stage: 'variant', ...it })),
            )
            await queue.remove(
              tx,
              'variants',
              over.map(({ id }) => id),
            )
            await queue.add(tx, 'variants', [...again, ...next].map(asJob))
            await run.saveCheckpoint(tx, { after, open }, { checked: done, made, failed })
          })
          run.report({ progress: { phase: 'variants', done, total: Math.max(total, done) } })
        }
      } finally {
        // Those of a run that goes on elsewhere stay: its next owner gives them out again.
        if (!run.signal.aborted || ['pause', 'cancel'].includes((run.signal.reason as RunAborted).reason)) {
          await queue.remove(
            db,
            'variants',
            open.map(({ id }) => id),
          )
        }
      }
      return { state: failed > 0 ? 'partial' : 'success' }
    },
  }
}
