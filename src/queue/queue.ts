import pLimit from 'p-limit'
import { fromPrisma, type Job, PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { z } from 'zod'
import { type Database, type Db, queryText } from '../database/client.ts'
import { activeTraceParent, inSpan } from '../lib/tracing.ts'
import { JOB_DATA, type JobData, QUEUES, type QueueName } from './queues.ts'

/**
 * Statements at a time. All workers poll at once, in a millisecond each: without this, each poll
 * would open a connection, and PostgreSQL a process of some 10 MB.
 */
const MAX_CONNECTIONS = 2
/** Jobs added by this process start this soon; jobs of other processes are found by polling. */
const WAKE_AFTER_MS = 50
/** How often to check for workers that have died. */
const SUPERVISE_SECONDS = 5
/** Time for jobs interrupted by a shutdown to clean up their files. */
const STOP_WITHIN_MS = 5_000
const HOUR_S = 3_600
/** What a job carries of the trace in which it was added: its own trace links to that one. */
const TracedData = z.object({ trace_parent: z.string().nullable().default(null) })

export interface NewJob<Name extends QueueName> {
  /** Set where the result is needed; left out: any. */
  id?: string
  data: JobData<Name>
  /** In an exclusive queue nothing is added while a job with the same key waits or runs. */
  key?: string
  startAfterSeconds?: number
}

export interface JobWorker<Name extends QueueName> {
  queue: Name
  /** Parallel jobs in this process. */
  concurrency: number
  /** How often to poll for jobs that other processes have added. */
  pollSeconds: number
  /**
   * Runs one job. Its result is kept for an hour; if it throws, the job is retried. `signal` aborts
   * when the process shuts down or another one has taken the job.
   */
  execute(data: JobData<Name>, signal: AbortSignal): Promise<object | null>
}

/** A job that will not run any more. */
export interface FinishedJob {
  id: string
  state: 'completed' | 'failed' | 'cancelled'
  result: unknown
}

export interface JobQueue extends AsyncDisposable {
  /**
   * Adds jobs in the transaction of the change that they follow, so that both are committed or
   * neither.
   */
  add<Name extends QueueName>(tx: Db, queue: Name, jobs: NewJob<Name>[]): Promise<void>
  /** Returns those jobs of a parent that have finished, by id. Unknown ids count as cancelled. */
  finished(queue: QueueName, ids: string[]): Promise<FinishedJob[]>
  /** Deletes jobs in any state; one that is running is not interrupted. */
  remove(tx: Db, queue: QueueName, ids: string[]): Promise<void>
  /** Starts working on a queue, in a process that works. A second call does nothing. */
  work<Name extends QueueName>(worker: JobWorker<Name>): Promise<void>
}

export interface QueueDeps {
  db: Database
  log: Logger
  /** False in a process that only adds jobs (ROLE=api). */
  works: boolean
}

/**
 * Small jobs for any process with time, in pg-boss on zinc's own connections. The work itself is a
 * row of zinc's (a notification, a run); a job only wakes a worker, so a lost one costs only time.
 */
export function createJobQueue({ db, log, works }: QueueDeps): JobQueue {
  const limit = pLimit(MAX_CONNECTIONS)
  const executeSql = (text: string, values?: unknown[]) => limit(() => queryText(db, text, values))
  const closing = new AbortController()
  /** For each queue, how to make its idle workers poll now. */
  const wakeUps = new Map<QueueName, () => void>()
  let started: Promise<PgBoss> | undefined

  async function start(): Promise<PgBoss> {
    const boss = new PgBoss({
      db: { executeSql },
      // zinc's migrations create the tables, as the owner; this role may not.
      migrate: false,
      createSchema: false,
      schedule: false,
      supervise: works,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      maintenanceIntervalSeconds: HOUR_S,
      queueCacheIntervalSeconds: HOUR_S,
      flowIntervalSeconds: HOUR_S,
      reindex: false,
      monitorVacuum: false,
      registerInstance: false,
    })
    boss.on('error', (err) => log.warn({ err }, 'the job queue met an error, will retry'))
    boss.on('warning', ({ message, data }) => log.warn({ data }, message))
    await boss.start()
    for (const [name, options] of Object.entries(QUEUES)) await boss.createQueue(name, options)
    return boss
  }
  /** Started on first use, so that a command without jobs does not start it. */
  const boss = (): Promise<PgBoss> => {
    started ??= start().catch((error: unknown) => {
      started = undefined
      throw error
    })
    return started
  }

  return {
    async add(tx, queue, jobs) {
      if (jobs.length === 0) return
      const trace_parent = activeTraceParent()
      await (await boss()).insert(
        queue,
        jobs.map(({ id, data, key, startAfterSeconds }) => ({
          ...(id !== undefined && { id }),
          ...(key !== undefined && { singletonKey: key }),
          ...(startAfterSeconds !== undefined && { startAfter: startAfterSeconds }),
          data: trace_parent === null ? data : { ...data, trace_parent },
        })),
        { db: fromPrisma(tx) },
      )
      // Usually after the transaction; if that takes longer, the next poll finds the jobs.
      setTimeout(() => wakeUps.get(queue)?.(), WAKE_AFTER_MS).unref()
    },

    async finished(queue, ids) {
      const rows = await db.$queryRaw<{ id: string; state: string | null; output: unknown }[]>`
        select asked.id, job.state::text as state, job.output from unnest(${ids}::uuid[]) as asked(id)
        left join pgboss.job on job.name = ${queue} and job.id = asked.id
        where job.state is null or job.state in ('completed', 'cancelled', 'failed')`
      return rows.map(({ id, state, output }) => ({ id, state: (state ?? 'cancelled') as FinishedJob['state'], result: output }))
    },

    async remove(tx, queue, ids) {
      if (ids.length > 0) await (await boss()).deleteJob(queue, ids, { db: fromPrisma(tx) })
    },

    async work({ queue, concurrency, pollSeconds, execute }) {
      // Opened here rather than by the first job, whose transaction would need a second connection.
      const it = await boss()
      if (!works || wakeUps.has(queue)) return
      const ids: string[] = []
      wakeUps.set(queue, () => {})
      for (let n = 0; n < concurrency; n++) {
        ids[n] = await it.work(queue, { pollingIntervalSeconds: pollSeconds }, async ([job]: Job[]) => {
          if (!job) return null
          try {
            closing.signal.throwIfAborted()
            const data = JOB_DATA[queue].parse(job.data)
            const { trace_parent: traceParent } = TracedData.parse(job.data)
            return await inSpan(`job ${queue}`, { attributes: { 'zinc.job_id': job.id }, from: { traceParent, sameTrace: false } }, () =>
              execute(data as never, AbortSignal.any([job.signal, closing.signal])),
            )
          } finally {
            // There may be more jobs; without this a worker pauses after each.
            it.notifyWorker(ids[n] ?? '')
          }
        })
      }
      wakeUps.set(queue, () => {
        for (const id of ids) it.notifyWorker(id)
      })
    },

    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the process shuts down'))
      await (await started?.catch(() => undefined))?.stop({ graceful: true, timeout: STOP_WITHIN_MS, close: false })
    },
  }
}
