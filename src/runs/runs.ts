import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Database } from '../database/client.ts'
import { Prisma, type Run } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { ConflictError, NotFoundError } from '../lib/errors.ts'
import { activeTraceParent } from '../lib/tracing.ts'
import type { RunHandler } from './run-handler.ts'
import { lockRun, type RequestedAction, STATE_AFTER, toStatusColumns } from './run-state.ts'
import { executeRun, type RunWorker } from './worker.ts'

export const RUN_CHANNEL = 'zinc_run'
/** States in which a run still has work to do. */
export const UNFINISHED = ['queued', 'running', 'paused']
/** How often to look for runs without a worker; usually NOTIFY wakes one earlier. */
const SWEEP_EVERY_MS = 2_000

export interface RunsDeps {
  db: Database
  databaseUrl: string
  clock: Clock
  log: Logger
  handlers: RunHandler[]
  /**
   * False in a process that only serves HTTP (ROLE=api): it queues runs and others work on them.
   */
  works: boolean
}

export interface StartOptions {
  startedBy: string
  /**
   * For traces: the caller waits for the run, or only starts it (a schedule). Otherwise the run
   * outlives its request, and links to it.
   */
  sameTrace?: boolean
}

export interface RunFilter {
  kind?: string | undefined
  state?: string | undefined
  /** Created at this time or later, and before the other. */
  from?: Date | undefined
  to?: Date | undefined
  before?: Date | undefined
  limit: number
}

export type Runs = ReturnType<typeof createRuns>

/**
 * Work that outlives a request. A run is a row with its plan and progress. The process that works
 * on it holds the run's advisory lock on a separate connection, and has a fence number that every
 * write checks. If the process is killed at any point, the connection closes and frees the lock,
 * and the sweep here (or at the next start) resumes the run.
 */
export function createRuns({ db, databaseUrl, clock, log, handlers, works }: RunsDeps) {
  const handlerOf = new Map(handlers.map((handler) => [handler.kind, handler]))
  const workers = new Map<string, RunWorker>()
  const watchers = new Set<(run: Run) => void>()
  const closing = new AbortController()
  let sweeping: Promise<void> = Promise.resolve()

  const announce = (run: Run) => {
    for (const watch of watchers) watch(run)
  }

  async function claim(runId: string): Promise<void> {
    if (!works || workers.has(runId) || closing.signal.aborted) return
    const run = await db.run.findUnique({ where: { id: runId } })
    const handler = run && handlerOf.get(run.kind)
    if (!handler || !UNFINISHED.includes(run.state)) return
    // Reserved without an await in between, so that a sweep and a start in the same process do not
    // both take it.
    if (workers.has(runId)) return
    const worker = executeRun({ db, databaseUrl, clock, log, handler, runId, announce })
    workers.set(runId, worker)
    worker.finished.finally(() => workers.delete(runId)).catch((err: unknown) => log.error({ err, run_id: runId }, 'run worker failed'))
  }

  /** Claims runs that are queued, were left by a dead process, or may resume after a pause. */
  async function sweep(): Promise<void> {
    const now = clock.now()
    const waiting = await db.run.findMany({
      where: {
        OR: [{ state: { in: ['queued', 'running'] } }, { state: 'paused', resumes_at: { lte: now }, requested_action: null }],
        kind: { in: [...handlerOf.keys()] },
      },
      select: { id: true },
    })
    for (const { id } of waiting) await claim(id)
  }

  async function sweepForever(): Promise<void> {
    while (!closing.signal.aborted) {
      await sweep().catch((err: unknown) => log.warn({ err }, 'looking for runs failed, will retry'))
      await pause(SWEEP_EVERY_MS, undefined, { signal: closing.signal }).catch(() => {}) // the abort ends the loop
    }
  }

  async function request(runId: string, requestedAction: RequestedAction): Promise<Run> {
    const { state } = await get(runId)
    await db.$transaction(async (tx) => {
      const run = await lockRun(tx, runId)
      if (!run || !UNFINISHED.includes(run.state)) throw new ConflictError('run_finished', { state: run?.state ?? state, run_id: runId })
      // A worker reads the request, at the latest when it stops; without a worker, the new state
      // must be written here.
      const data =
        run.state === 'running' ? { requested_action: requestedAction } : toStatusColumns(STATE_AFTER[requestedAction], clock.now())
      await tx.run.update({ where: { id: runId }, data })
    })
    await workers.get(runId)?.stop(requestedAction)
    return get(runId)
  }

  async function get(runId: string): Promise<Run> {
    const run = await db.run.findUnique({ where: { id: runId } })
    if (!run) throw new NotFoundError('run_not_found')
    return run
  }

  return {
    /**
     * Queues a run and, where this process works, begins it immediately. Throws ConflictError
     * `sync_running` with the other's `run_id`.
     */
    async start(kind: string, params: Prisma.InputJsonValue, { startedBy, sameTrace = false }: StartOptions): Promise<{ run_id: string }> {
      const handler = handlerOf.get(kind)
      if (!handler) throw new Error(`No handler for runs of kind ${kind}`)
      try {
        const run = await db.run.create({
          data: {
            kind,
            params,
            started_by: startedBy,
            exclusive_key: handler.exclusiveKey,
            trace_parent: activeTraceParent(),
            same_trace: sameTrace,
          },
        })
        await claim(run.id)
        return { run_id: run.id }
      } catch (error) {
        if (!(error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002')) throw error
        const other = await db.run.findFirst({ where: { exclusive_key: handler.exclusiveKey, state: { in: UNFINISHED } } })
        if (!other) return this.start(kind, params, { startedBy, sameTrace }) // it ended in between
        throw new ConflictError('sync_running', {
          run_id: other.id,
          state: other.state,
          resumes_at: other.resumes_at?.toISOString() ?? null,
        })
      }
    },

    get,

    list({ kind, state, from, to, before, limit }: RunFilter): Promise<Run[]> {
      const created = [...(from ? [{ gte: from }] : []), ...(to ? [{ lt: to }] : []), ...(before ? [{ lt: before }] : [])]
      return db.run.findMany({
        where: { ...(kind && { kind }), ...(state && { state }), AND: created.map((created_at) => ({ created_at })) },
        orderBy: { created_at: 'desc' },
        take: limit,
      })
    },

    /** Resolves when the run has ended or paused. */
    async wait(runId: string, signal: AbortSignal): Promise<Run> {
      for await (const run of this.events(runId, signal)) {
        if (run.state !== 'queued' && run.state !== 'running') return run
      }
      signal.throwIfAborted()
      return get(runId)
    },

    /**
     * Yields the run now and after each change, until it has ended or paused. Changes by other
     * processes are found by polling.
     */
    async *events(runId: string, signal: AbortSignal): AsyncGenerator<Run> {
      const lookEveryMs = 500
      let wake = () => {}
      let latest: Run | undefined
      const watch = (run: Run) => {
        if (run.id !== runId) return
        latest = run
        wake()
      }
      watchers.add(watch)
      try {
        let seen = ''
        // A stopping server ends its streams; the run itself resumes at the next start.
        const stopSignal = AbortSignal.any([signal, closing.signal])
        while (!stopSignal.aborted) {
          const run = latest ?? (await get(runId))
          latest = undefined
          const fingerprint = JSON.stringify([run.state, run.statistics, run.progress, run.resumes_at])
          if (fingerprint !== seen) yield run
          seen = fingerprint
          if (run.state !== 'queued' && run.state !== 'running') return
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, lookEveryMs)
            wake = () => {
              clearTimeout(timer)
              resolve()
            }
            stopSignal.addEventListener('abort', wake, { once: true })
            if (latest || stopSignal.aborted) wake()
          })
          stopSignal.removeEventListener('abort', wake)
        }
      } finally {
        watchers.delete(watch)
      }
    },

    cancel: (runId: string) => request(runId, 'cancel'),
    pause: (runId: string) => request(runId, 'pause'),

    /** Resumes a paused run now, even before its `resumes_at`. */
    async resume(runId: string): Promise<Run> {
      const run = await get(runId)
      const { count } = await db.run.updateMany({
        where: { id: runId, state: 'paused' },
        data: {
          state: 'queued',
          requested_action: null,
          resumes_at: null,
          cause: null,
          remedy: null,
          failure_code: null,
          zoho_code: null,
          failure_params: Prisma.DbNull,
        },
      })
      if (count === 0) throw new ConflictError('run_not_paused', { state: run.state, run_id: runId })
      await claim(runId)
      return get(runId)
    },

    /**
     * Resumes a run without a worker in this process, even a paused one. A run that another process
     * works on is left to it.
     */
    async resumeHere(runId: string): Promise<void> {
      const run = await get(runId)
      if (run.state === 'paused') await this.resume(runId)
      else await claim(runId)
    },

    /**
     * Starts looking for runs to resume: those that a dead process left are resumed immediately.
     */
    open(): void {
      if (works) sweeping = sweepForever()
    },

    /**
     * Pauses the runs of this process, so that the next start (or another instance) resumes them.
     */
    async close(): Promise<void> {
      closing.abort()
      await Promise.allSettled([sweeping, ...[...workers.values()].map((worker) => worker.stop('shutdown'))])
    },
  }
}
