import { Presets, SingleBar } from 'cli-progress'
import type { Run } from '../generated/client.ts'
import type { RunProgress } from '../runs/run-handler.ts'
import type { Runs } from '../runs/runs.ts'

/** Without a terminal a line is printed at most this often. */
const LINE_EVERY_MS = 5_000

export interface WatchRunOptions {
  /** A bar on a terminal, plain lines elsewhere. */
  terminal: boolean
  say(line: string): void
  signal: AbortSignal
}

/**
 * Shows the progress of a run, with rate and time left, until it has ended or paused; returns the
 * run.
 */
export async function watchRun(runs: Runs, runId: string, { terminal, say, signal }: WatchRunOptions): Promise<Run> {
  const bar = terminal
    ? new SingleBar({ format: '{phase} {bar} {value}/{total}  {rate}/s  {left}', hideCursor: true }, Presets.shades_classic)
    : null
  let phase = ''
  let last: Run | undefined
  let said = 0
  try {
    for await (const run of runs.events(runId, signal)) {
      last = run
      const progress = run.progress as RunProgress
      if (!progress.phase) continue
      const figures = {
        phase: progress.phase.padEnd(6),
        rate: progress.rate ?? '–',
        left: progress.waiting ? progress.waiting.reason : timeLeft(progress.eta_ms),
      }
      if (bar) {
        if (progress.phase !== phase) bar.start(progress.total ?? progress.done ?? 0, progress.done ?? 0, figures)
        bar.setTotal(progress.total ?? progress.done ?? 0)
        bar.update(progress.done ?? 0, figures)
      } else if (progress.phase !== phase || Date.now() - said > LINE_EVERY_MS) {
        say(
          `${figures.phase} ${progress.done ?? 0}${progress.total ? `/${progress.total}` : ''}  ${figures.rate}/s  ${figures.left}`.trimEnd(),
        )
        said = Date.now()
      }
      phase = progress.phase
    }
  } finally {
    bar?.stop()
  }
  return last ?? (await runs.get(runId))
}

function timeLeft(etaMs: number | null | undefined): string {
  if (etaMs === null || etaMs === undefined) return ''
  const seconds = Math.round(etaMs / 1000)
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s left` : `${seconds} s left`
}
