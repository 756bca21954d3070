import type { Run } from '../../schemas/runs.ts'

export interface RunProgress {
  phase: string | null
  done: number | null
  total: number | null
  /** Things a second. */
  rate: number | null
  etaMs: number | null
  waiting: { code: string; reason: string; until: string } | null
}

const numberOr = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/**
 * The contract leaves `progress` open, since each kind of run reports its own: what is known is
 * read, the rest left.
 */
export function readProgress(run: Run): RunProgress {
  const raw = (typeof run.progress === 'object' && run.progress !== null ? run.progress : {}) as Record<string, unknown>
  const waiting = (typeof raw.waiting === 'object' && raw.waiting !== null ? raw.waiting : null) as Record<string, unknown> | null
  const reason = textOr(waiting?.reason)
  const until = textOr(waiting?.until)
  return {
    phase: textOr(raw.phase),
    done: numberOr(raw.done),
    total: numberOr(raw.total),
    rate: numberOr(raw.rate),
    etaMs: numberOr(raw.eta_ms),
    waiting: reason !== null && until !== null ? { code: textOr(waiting?.code) ?? '', reason, until } : null,
  }
}

/** One option that the run was started with. */
export function paramOf(run: Run, name: string): unknown {
  return typeof run.params === 'object' && run.params !== null ? (run.params as Record<string, unknown>)[name] : undefined
}

/** A sync that really wrote and got to its end; a dry run says nothing about the catalogue. */
export const isGoodSync = (run: Run): boolean =>
  run.kind === 'items' && (run.state === 'success' || run.state === 'partial') && paramOf(run, 'dry_run') !== true
