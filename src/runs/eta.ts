import type { RunProgress } from './run-handler.ts'

/**
 * The shown rate covers only the last seconds, not the whole run, so it is right again soon after a
 * pause.
 */
const WINDOW_MS = 30_000
const SAMPLE_EVERY_MS = 250

/**
 * Returns a function that gets a run's progress and the time in milliseconds, and adds `rate`
 * (things per second) and `eta_ms` (null while unknown). A new phase, or one that restarted, is
 * measured from its own beginning.
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
