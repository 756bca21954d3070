import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Database, Db } from '../database/client.ts'
import type { RunAborted, RunContext } from '../runs/run-handler.ts'
import type { JobQueue, JobWorker } from './queue.ts'
import type { JobData, QueueName } from './queues.ts'

/** Jobs that wait or run: enough for several processes, and few enough to withdraw quickly. */
const MAX_OPEN = 16
/** How often the run checks for finished jobs, and a job whether its run is still active. */
const LOOK_EVERY_MS = 250

const Batch = z.object({ id: z.string(), after: z.string(), upto: z.string() })
type Batch = z.infer<typeof Batch>
/**
 * How far the batches of a run were added as jobs, and which are not finished. Part of the run's
 * checkpoint.
 */
export const BatchState = z.object({ after: z.string(), open: z.array(Batch).default([]) })
export type BatchState = z.infer<typeof BatchState>

export interface RunBatchesOptions<Name extends QueueName, Result> {
  db: Database
  queue: JobQueue
  worker: JobWorker<Name>
  state: BatchState
  /** Keys per job: few, so that little is lost with a killed worker. */
  batchSize: number
  /** Returns the keys after `after`, in order. */
  keys(after: string, limit: number): Promise<string[]>
  jobOf(range: { after: string; upto: string }): JobData<Name>
  result: z.ZodType<Result>
  /**
   * Adds up the results of jobs and saves the checkpoint, in one transaction. May throw to end the
   * run.
   */
  account(tx: Db, results: Result[], state: BatchState): Promise<void>
}

/**
 * Does the work of a run in small jobs, in every process that has time: adds batches in order, a
 * few ahead, and sums up their results. When the run is paused or cancelled, waiting jobs are
 * withdrawn.
 */
export async function runBatches<Name extends QueueName, Result>(run: RunContext, options: RunBatchesOptions<Name, Result>): Promise<void> {
  const { db, queue, worker, batchSize, keys, jobOf, result, account } = options
  const name = worker.queue
  let { after, open } = options.state
  const asJob = ({ id, ...range }: Batch) => ({ id, data: jobOf(range) })

  async function plan(others: number): Promise<Batch[]> {
    const room = (MAX_OPEN - others) * batchSize
    const next = room > 0 ? await keys(after, room) : []
    const batches: Batch[] = []
    for (let n = 0; n < next.length; n += batchSize)
      batches.push({ id: randomUUID(), after: batches.at(-1)?.upto ?? after, upto: next[Math.min(n + batchSize, next.length) - 1]! })
    return batches
  }
  const idsOf = (batches: { id: string }[]) => batches.map(({ id }) => id)

  // Without a server (a command on its own) this process also does the work.
  await queue.work(worker)
  // Jobs that were paused, left by a dead process or missing from a dump are added again.
  const left = open
  open = left.map((batch) => ({ ...batch, id: randomUUID() }))
  await run.fenced(async (tx) => {
    await queue.remove(tx, name, idsOf(left))
    await queue.add(tx, name, open.map(asJob))
    await account(tx, [], { after, open })
  })
  try {
    for (;;) {
      run.signal.throwIfAborted()
      const over = await queue.finished(name, idsOf(open))
      const next = await plan(open.length - over.length)
      if (over.length === 0 && next.length === 0) {
        if (open.length === 0) return
        await pause(LOOK_EVERY_MS, undefined, { signal: run.signal })
        continue
      }
      const again: Batch[] = []
      const results: Result[] = []
      for (const job of over) {
        const parsed = result.safeParse(job.result)
        if (job.state === 'completed' && parsed.success) results.push(parsed.data)
        else if (job.state === 'failed') throw new Error(`A job of the queue ${name} failed again and again`, { cause: job.result })
        else again.push({ ...open.find(({ id }) => id === job.id)!, id: randomUUID() })
      }
      open = [...open.filter(({ id }) => !over.some((job) => job.id === id)), ...again, ...next]
      after = next.at(-1)?.upto ?? after
      await run.fenced(async (tx) => {
        await queue.remove(tx, name, idsOf(over))
        await queue.add(tx, name, [...again, ...next].map(asJob))
        await account(tx, results, { after, open })
      })
    }
  } finally {
    // Jobs of a run that resumes elsewhere stay: its next worker adds them again.
    if (!run.signal.aborted || ['pause', 'cancel'].includes((run.signal.reason as RunAborted).reason))
      await queue.remove(db, name, idsOf(open))
  }
}

/**
 * Runs one job's part of a run's work. Null: the run no longer needs it; `signal` aborts when that
 * happens during the work. A run between two processes is queued, and its jobs continue.
 */
export async function partOfRun<T>(
  db: Database,
  runId: string,
  jobSignal: AbortSignal,
  work: (params: unknown, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const wantedRun = async () => {
    const run = await db.run.findUnique({ where: { id: runId }, select: { state: true, requested_action: true, params: true } })
    return run && ['queued', 'running'].includes(run.state) && run.requested_action === null ? run : null
  }
  const run = await wantedRun()
  if (!run) return null
  const unwanted = new AbortController()
  const looker = setInterval(() => {
    wantedRun().then(
      (it) => it ?? unwanted.abort(),
      () => {}, // without the database the state is unknown
    )
  }, LOOK_EVERY_MS)
  try {
    return await work(run.params, AbortSignal.any([jobSignal, unwanted.signal]))
  } catch (error) {
    if (unwanted.signal.aborted) return null
    throw error
  } finally {
    clearInterval(looker)
  }
}
