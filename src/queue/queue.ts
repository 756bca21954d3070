import { fromPrisma, type Job, PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { type Database, type Db, queryText } from '../database/client.ts'
import { JOB_DATA, type JobData, QUEUES, type QueueName } from './queues.ts'

/** Jobs that this process adds are begun so soon; for those of others it looks now and then. */
const WAKE_AFTER_MS = 50
/** How often workers that vanished are looked for. */
const SUPERVISE_SECONDS = 5
/** For jobs that are interrupted by a shutdown to put their files away. */
const STOP_WITHIN_MS = 5_000
const HOUR_S = 3_600

export interface NewJob<Name extends QueueName> {
  /** Where the result is wanted; left out: any. */
  id?: string
  data: JobData<Name>
  /** In an exclusive queue nothing is added while a job of the same key waits or is worked on. */
  key?: string
  startAfterSeconds?: number
}

export interface JobWorker<Name extends QueueName> {
  queue: Name
  /** Jobs at a time in this process. */
  concurrency: number
  /** How often it looks for jobs that other processes have added. */
  pollSeconds: number
  /**
   * Does one job. What it returns is kept for an hour; when it throws, the job is tried again.
   * `signal` aborts when the process shuts down or another one has taken the job.
   */
  execute(data: JobData<Name>, signal: AbortSignal): Promise<object | null>
}

/** A job that will not be worked on any more. */
export interface FinishedJob {
  id: string
  state: 'completed' | 'failed' | 'cancelled'
  result: unknown
}

export interface JobQueue extends AsyncDisposable {
  /** Adds jobs in the transaction of the change that they follow: neither is without the other. */
  add<Name extends QueueName>(tx: Db, queue: Name, jobs: NewJob<Name>[]): Promise<void>
  /** Jobs added by a parent, by id: those that are over. Ids that are unknown count as cancelled. */
  finished(queue: QueueName, ids: string[]): Promise<FinishedJob[]>
  /** Takes jobs out, whatever their state; one that is being worked on is not interrupted. */
  remove(tx: Db, queue: QueueName, ids: string[]): Promise<void>
  /** Begins to work on a queue, in a process that works. The second time it does nothing. */
  work<Name extends QueueName>(worker: JobWorker<Name>): Promise<void>
}

export interface QueueDeps {
  db: Database
  log: Logger
  /** False in a process that only adds jobs (ROLE=api). */
  works: boolean
}

/**
 * Small jobs for whichever process has time, in pg-boss on our own connections. What has to be done
 * is a row of ours (a notification, a run); a job only wakes a worker, so a lost one costs time only.
 */
export function createJobQueue({ db, log, works }: QueueDeps): JobQueue {
  const executeSql = (text: string, values?: unknown[]) => queryText(db, text, values)
  const closing = new AbortController()
  /** Of each queue, how its idle workers are told to look for jobs now. */
  const wakeUps = new Map<QueueName, () => void>()
  let started: Promise<PgBoss> | undefined

  async function start(): Promise<PgBoss> {
    const boss = new PgBoss({
      db: { executeSql },
      // The migrations of zinc make the tables, as the owner; this role may not.
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
  /** With the first use: a command that has no job to add does not start it. */
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
      await (await boss()).insert(
        queue,
        jobs.map(({ id, data, key, startAfterSeconds }) => ({
          ...(id !== undefined && { id }),
          ...(key !== undefined && { singletonKey: key }),
          ...(startAfterSeconds !== undefined && { startAfter: startAfterSeconds }),
          data,
        })),
        { db: fromPrisma(tx) },
      )
      // After the transaction, most likely; if it takes longer, the next look finds the jobs.
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
            return await execute(JOB_DATA[queue].parse(job.data) as never, AbortSignal.any([job.signal, closing.signal]))
          } finally {
            // Where one job was, there may be more: else a worker rests after each.
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
