import type { Db, RawDb } from '../database/client.ts'
import type { Params } from '../messages/message.ts'
import type { Said } from '../messages/say.ts'
import { type Because, becauseOf } from './because.ts'

/** Why a running handler was told to stop. `lost`: another process owns the run now, so nothing more may be written. */
export type StopReason = 'pause' | 'cancel' | 'shutdown' | 'lost'

export class RunAborted extends Error {
  readonly reason: StopReason
  constructor(reason: StopReason) {
    super(`The run was told to stop: ${reason}`)
    this.reason = reason
  }
}

export interface RunFailure {
  /** list | item | image | conflict … */
  stage: string
  code: string
  /** Zoho's own code, where it gave one. */
  zoho_code?: string | undefined
  message: string
  /** The facts in `message`. */
  params?: Params | undefined
  product_id?: string | undefined
  zoho_item_id?: string | undefined
  sku?: string | undefined
}

export interface RunProgress extends ReportedProgress {
  /** Things a second, over the last while. */
  rate?: number | undefined
  eta_ms?: number | null | undefined
}

/** What a handler says of its way; rate and time left are worked out from it. */
export interface ReportedProgress {
  phase?: string | undefined
  done?: number | undefined
  total?: number | undefined
  /** Set while the run waits for something outside, e.g. Zoho's minute. */
  waiting?: { code: string; reason: string; params?: Params; until: string } | null | undefined
}

/** What a handler has in hand while it works. */
export interface RunContext {
  id: string
  /** JSON as it was given at the start; the handler parses it. */
  params: unknown
  /** What the handler last saved with `saveCheckpoint`; null at a fresh start. */
  checkpoint: unknown
  /** What was counted before a kill or a pause. */
  statistics: Record<string, number>
  /** What is counted now, reports included. */
  counted(): Record<string, number>
  /** Aborts with a RunAborted when a person or the server wants the run to stop, or when another process took it. */
  signal: AbortSignal
  /** For progress bars; written at most twice a second. */
  report(patch: { statistics?: Record<string, number>; progress?: ReportedProgress }): void
  /** A transaction that fails with RunAborted('lost') if another process owns the run: every write of a run goes through it. */
  fenced<T>(work: (tx: Db) => Promise<T>): Promise<T>
  /** The same past Prisma, for pages of many rows. */
  fencedRaw<T>(work: (tx: RawDb) => Promise<T>): Promise<T>
  /** Inside `fenced`, so that the work and the note of it are one. */
  saveCheckpoint(tx: RawDb, checkpoint: unknown, statistics?: Record<string, number>): Promise<void>
  /** Notes what did not work; see record-failures.ts. */
  fail(tx: RawDb, failures: RunFailure[]): Promise<void>
}

export type RunOutcome =
  | ({ state: 'success' | 'partial' | 'failed' } & Partial<Because>)
  | ({ state: 'paused'; resumes_at: Date } & Because)

export interface RunHandler {
  /** items | pull | media_regenerate … */
  kind: string
  /** At most one unfinished run per key; null: they may run side by side. */
  exclusiveKey: string | null
  /** Throws when something unforeseen happened: the run is then `failed` with the error's message. */
  execute(run: RunContext): Promise<RunOutcome>
}

/** How a run stands that is held back by a limit with a known end. */
export const pausedUntil = (error: Said & { resetsAt: Date }, remedy = 'It goes on by itself then.'): RunOutcome => ({
  state: 'paused',
  resumes_at: error.resetsAt,
  ...becauseOf(error),
  remedy,
})
