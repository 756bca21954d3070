import type { Logger } from 'pino'
import { type Database, type Db, pgTransaction, type RawDb } from '../database/client.ts'
import { isConnectionError } from '../database/errors.ts'
import { tryAdvisoryLock } from '../database/locks.ts'
import { Prisma, type Run } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError } from '../lib/errors.ts'
import { because, becauseOf } from './because.ts'
import { createEtaEstimator } from './eta.ts'
import { recordFailures } from './record-failures.ts'
import { RunAborted, type RunContext, type RunHandler, type RunOutcome, type RunProgress, type StopReason } from './run-handler.ts'
import { applyRequestedAction, lockRun, type RunStatus, STATE_AFTER, toStatusColumns } from './run-state.ts'

/** Progress is only for display: writing it more often costs writes and shows nothing more. */
const REPORT_EVERY_MS = 500
/** How often to look for a pause or cancel requested in another process. */
const LOOK_EVERY_MS = 1_000

export interface RunWorker {
  /** Resolves when the run has ended or paused and its lock is free. */
  finished: Promise<void>
  stop(reason: StopReason): Promise<void>
}

interface WorkerDeps {
  db: Database
  databaseUrl: string
  clock: Clock
  log: Logger
  handler: RunHandler
  runId: string
  announce(run: Run): void
}

/** JSON from or for a jsonb column. */
const json = (value: unknown): Prisma.InputJsonValue => JSON.parse(JSON.stringify(value ?? {}))

/**
 * Works on one run if no other process does: takes its lock, increments its fence, executes its
 * handler and saves the outcome.
 */
export function executeRun({ db, databaseUrl, clock, log, handler, runId, announce }: WorkerDeps): RunWorker {
  const stopping = new AbortController()
  const stopWith = (reason: StopReason) => stopping.abort(new RunAborted(reason))

  async function work(): Promise<void> {
    const lock = await tryAdvisoryLock(databaseUrl, `run:${runId}`, { log })
    if (!lock) return // another process works on it
    lock.lost.addEventListener('abort', () => stopWith('lost'), { once: true })
    try {
      const [taken] = await db.run.updateManyAndReturn({
        where: { id: runId, OR: [{ state: { in: ['queued', 'running'] } }, { state: 'paused', resumes_at: { not: null } }] },
        data: {
          state: 'running',
          fence: { increment: 1 },
          resumes_at: null,
          cause: null,
          remedy: null,
          failure_code: null,
          zoho_code: null,
          failure_params: Prisma.DbNull,
        },
      })
      if (!taken) return
      if (!taken.started_at) await db.run.update({ where: { id: runId }, data: { started_at: clock.now() } })
      const resumed = taken.fence > 1n
      // The lock is free, so the previous worker is dead: its calls have ended, and count for their
      // minute from now on.
      if (resumed)
        await db.zohoCall.updateMany({ where: { run_id: runId, finished_at: null }, data: { finished_at: clock.now(), code: 'abandoned' } })
      log.info({ run_id: runId, kind: handler.kind, resumed }, resumed ? 'run resumed' : 'run started')
      await execute(taken)
    } finally {
      await lock.release()
    }
  }

  async function execute(run: Run): Promise<void> {
    let statistics: Record<string, number> = { ...(run.statistics as Record<string, number>) }
    let progress: RunProgress = {}
    const eta = createEtaEstimator()
    let dirty = false

    /**
     * Locks the run's row for the length of the transaction, so that a new worker waits for this
     * write, or this write sees its fence.
     */
    async function checkFence(tx: RawDb): Promise<void> {
      const [row] = await tx.$queryRaw<{ fence: string }[]>`select fence::text as fence from run where id = ${runId}::uuid for share`
      if (row?.fence !== String(run.fence)) {
        stopWith('lost')
        throw new RunAborted('lost')
      }
    }
    const fenced = <T>(body: (tx: Db) => Promise<T>): Promise<T> =>
      db.$transaction(
        async (tx) => {
          await checkFence(tx)
          return body(tx)
        },
        { timeout: 60_000, maxWait: 30_000 },
      )
    const fencedRaw = <T>(body: (tx: RawDb) => Promise<T>): Promise<T> =>
      pgTransaction(db, async (tx) => {
        await checkFence(tx)
        return body(tx)
      })

    async function flush(): Promise<void> {
      if (!dirty) return
      dirty = false
      const [row] = await db.run.updateManyAndReturn({
        where: { id: runId, fence: run.fence, state: 'running' },
        data: { statistics: json(statistics), progress: json(progress) },
      })
      if (row) announce(row)
    }
    const flusher = setInterval(() => void flush().catch(() => {}), REPORT_EVERY_MS)
    const looker = setInterval(() => {
      db.run
        .findUnique({ where: { id: runId }, select: { requested_action: true, fence: true } })
        .then((row) => {
          if (row?.fence !== run.fence) stopWith('lost')
          else if (row.requested_action === 'pause' || row.requested_action === 'cancel') stopWith(row.requested_action)
        })
        .catch(() => {}) // database unavailable: the lock's own connection reports its loss
    }, LOOK_EVERY_MS)

    const context: RunContext = {
      id: runId,
      params: run.params,
      checkpoint: run.checkpoint,
      statistics,
      counted: () => ({ ...statistics }),
      signal: stopping.signal,
      report(patch) {
        if (patch.statistics) statistics = { ...statistics, ...patch.statistics }
        if (patch.progress) progress = { ...progress, ...patch.progress }
        if (patch.progress?.done !== undefined) progress = eta(progress, clock.now().getTime())
        dirty = true
      },
      fenced,
      fencedRaw,
      async saveCheckpoint(tx, checkpoint, counted) {
        if (counted) statistics = { ...statistics, ...counted }
        await tx.$executeRaw`
          update run set checkpoint = ${JSON.stringify(checkpoint ?? {})}::jsonb, statistics = ${JSON.stringify(statistics)}::jsonb where id = ${runId}::uuid`
      },
      fail: (tx, failures) => recordFailures(tx, runId, failures, clock.now()),
    }

    let outcome: RunStatus
    try {
      outcome = await handler.execute(context)
    } catch (error) {
      const reason = stopping.signal.aborted ? (stopping.signal.reason as RunAborted).reason : undefined
      if (reason === 'lost') {
        log.warn({ run_id: runId }, 'run continues in another process')
        return
      }
      if (reason === 'shutdown') outcome = { state: 'queued' }
      else if (reason) outcome = STATE_AFTER[reason]
      else if (isConnectionError(error)) {
        // The outcome cannot be saved; the row still says running, and the sweep resumes the run
        // when the database is back.
        log.warn({ err: error, run_id: runId }, 'database unavailable, the run resumes when it is back')
        return
      } else {
        log.error({ err: error, run_id: runId }, 'run failed')
        outcome = failedBy(error)
      }
    } finally {
      clearInterval(flusher)
      clearInterval(looker)
    }
    const row = await db.$transaction(async (tx) => {
      const now = await lockRun(tx, runId)
      if (now?.fence !== run.fence) return null
      return tx.run.update({
        where: { id: runId },
        data: {
          statistics: json(statistics),
          progress: json({ ...progress, waiting: null }),
          ...toStatusColumns(applyRequestedAction(outcome, now.requested_action), clock.now()),
        },
      })
    })
    if (row) announce(row)
    log.info({ run_id: runId, kind: handler.kind, state: row?.state ?? 'lost', statistics }, 'run finished')
  }

  const finished = work()
  return {
    finished,
    async stop(reason) {
      stopWith(reason)
      await finished.catch(() => {})
    },
  }
}

/**
 * The outcome for an error: our own errors have texts for people, anything else is a bug that the
 * log explains.
 */
function failedBy(error: unknown): RunOutcome {
  return { state: 'failed', ...(error instanceof AppError ? becauseOf(error) : because('internal.run')) }
}
