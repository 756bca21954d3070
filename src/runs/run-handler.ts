import type { Db, RawDb } from '../database/client.ts'
import type { Message, Params } from '../messages/message.ts'
import { inEnglish } from '../messages/say.ts'
import { type Because, becauseOf } from './because.ts'

/**
 * Why a running handler was aborted. `lost`: another process owns the run now, so nothing more may
 * be written.
 */
export type StopReason = 'pause' | 'cancel' | 'shutdown' | 'lost'

export class RunAborted extends Error {
  readonly reason: StopReason
  constructor(reason: StopReason) {
    super(`The run was asked to stop: ${reason}`)
    this.reason = reason
  }
}

export interface RunFailure {
  /** list | item | image | conflict … */
  stage: string
  code: string
  /** Zoho's own code, where it sent one. */
  zoho_code?: string | undefined
  message: string
  /** The parameters of `message`. */
  params?: Params | undefined
  product_id?: string | undefined
  zoho_item_id?: string | undefined
  sku?: string | undefined
}

export interface RunProgress extends ReportedProgress {
  /** Things per second, recently. */
  rate?: number | undefined
  eta_ms?: number | null | undefined
}

/** The progress that a handler reports; rate and time left are computed from it. */
export interface ReportedProgress {
  phase?: string | undefined
  done?: number | undefined
  total?: number | undefined
  /** Set while the run waits for something outside, for example Zoho's limit per minute. */
  waiting?: { code: string; reason: string; params?: Params; until: string } | null | undefined
}

/** What a handler works with. */
export interface RunContext {
  id: string
  /** JSON as it was given at the start; the handler parses it. */
  params: unknown
  /** What the handler last saved with `saveCheckpoint`; null at the start of a run. */
  checkpoint: unknown
  /** What was counted before a crash or a pause. */
  statistics: Record<string, number>
  /** The present counts, including reported ones. */
  counted(): Record<string, number>
  /**
   * Aborts with a RunAborted when a person or the server stops the run, or when another process
   * took it.
   */
  signal: AbortSignal
  /** For progress bars; written at most twice a second. */
  report(patch: { statistics?: Record<string, number>; progress?: ReportedProgress }): void
  /**
   * A transaction that fails with RunAborted('lost') if another process owns the run. Every write
   * of a run must use it.
   */
  fenced<T>(work: (tx: Db) => Promise<T>): Promise<T>
  /** The same bypassing Prisma, for pages of many rows. */
  fencedRaw<T>(work: (tx: RawDb) => Promise<T>): Promise<T>
  /** Inside `fenced`, so that the work and its checkpoint are committed together. */
  saveCheckpoint(tx: RawDb, checkpoint: unknown, statistics?: Record<string, number>): Promise<void>
  /** Records failures; see record-failures.ts. */
  fail(tx: RawDb, failures: RunFailure[]): Promise<void>
}

export type RunOutcome =
  | ({ state: 'success' | 'partial' | 'failed' } & Partial<Because>)
  | ({ state: 'paused'; resumes_at: Date } & Because)

export interface RunHandler {
  /** items | pull | media_regenerate … */
  kind: string
  /** At most one unfinished run per key; null: they may run in parallel. */
  exclusiveKey: string | null
  /** Throws on an unexpected error: the run is then `failed` with the error's message. */
  execute(run: RunContext): Promise<RunOutcome>
}

/** The outcome of a run that waits for a limit with a known end. */
export const pausedUntil = (
  { code, params, resetsAt }: Message & { resetsAt: Date },
  next: 'run_paused' | 'run_paused.items' | 'run_paused.pull' = 'run_paused',
): RunOutcome => ({
  state: 'paused',
  resumes_at: resetsAt,
  ...becauseOf(inEnglish({ code, params: { ...params, next } })),
})
