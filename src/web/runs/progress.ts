import type { Params } from '../../messages/message.ts'
import type { Run } from '../../schemas/runs.ts'

export interface RunProgress {
  phase: string | null
  done: number | null
  total: number | null
  /** Things a second. */
  rate: number | null
  etaMs: number | null
  waiting: { code: string; reason: string; params: Params | null; until: string } | null
}

const numberOr = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const objectOr = (value: unknown): Params | null => (typeof value === 'object' && value !== null ? (value as Params) : null)
const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/**
 * The contract leaves `progress` open, since each kind of run reports its own: what is known is
 * read, the rest left.
 */
export function readProgress(run: Run): RunProgress {
  const raw = objectOr(run.progress) ?? {}
  const waiting = objectOr(raw.waiting)
  const reason = textOr(waiting?.reason)
  const until = textOr(waiting?.until)
  return {
    phase: textOr(raw.phase),
    done: numberOr(raw.done),
    total: numberOr(raw.total),
    rate: numberOr(raw.rate),
    etaMs: numberOr(raw.eta_ms),
    waiting:
      reason !== null && until !== null ? { code: textOr(waiting?.code) ?? '', reason, params: objectOr(waiting?.params), until } : null,
  }
}

/** One option that the run was started with. */
export function paramOf(run: Run, name: string): unknown {
  return typeof run.params === 'object' && run.params !== null ? (run.params as Record<string, unknown>)[name] : undefined
}

/** A sync that really wrote and got to its end; a dry run says nothing about the catalogue. */
export const isGoodSync = (run: Run): boolean =>
  run.kind === 'items' && (run.state === 'success' || run.state === 'partial') && paramOf(run, 'dry_run') !== true
