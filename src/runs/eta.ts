import type { RunProgress } from './run-handler.ts'

/** The rate that is shown is that of the last while, not of the whole run: after a pause it is true again soon. */
const WINDOW_MS = 30_000
const SAMPLE_EVERY_MS = 250

/**
 * Works out how fast a run's phase goes and when it will be through. Answers a function that is given what the run shows and the time in milliseconds, and
 * adds `rate` (things a second) and `eta_ms` (null while nobody can tell). A new phase, or one that began anew, is measured from its own beginning.
 */
export function createEtaEstimator(): (progress: RunProgress, nowMs: number) => RunProgress {
  let phase: string | undefined
  let samples: { atMs: number; done: number }[] = []
  return (progress, nowMs) => {
    const { done = 0, total } = progress
    if (progress.phase !== phase || done < (samples.at(-1)?.done ?? 0)) samples = []
    phase = progress.phase
    const newest = samples.at(-1)
    if (!newest || nowMs - newest.atMs >= SAMPLE_EVERY_MS) samples.push({ atMs: nowMs, done })
    while (samples.length > 1 && nowMs - samples[0]!.atMs > WINDOW_MS) samples.shift()
    const oldest = samples[0]!
    const rate = nowMs > oldest.atMs ? ((done - oldest.done) * 1000) / (nowMs - oldest.atMs) : 0
    return {
      ...progress,
      rate: Math.round(rate * 10) / 10,
      eta_ms: total !== undefined && rate > 0 ? Math.round((Math.max(0, total - done) / rate) * 1000) : null,
    }
  }
}
