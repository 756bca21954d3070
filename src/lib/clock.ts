import { setTimeout as sleepFor } from 'node:timers/promises'

/**
 * The clock that all of zinc uses: tests pass one that they move by hand, or one that runs faster.
 */
export interface Clock {
  now(): Date
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/**
 * A timer longer than this fires immediately in Node (32-bit milliseconds), so long waits are
 * split.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
      try {
        await sleepFor(Math.min(left, LONGEST_TIMER_MS), undefined, signal ? { signal } : {})
      } catch (error) {
        signal?.throwIfAborted()
        throw error
      }
    }
    signal?.throwIfAborted()
  },
}
