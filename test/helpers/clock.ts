import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../src/lib/clock.ts'

/** Time that runs `speed` times as fast as real time, for limits that count minutes. */
export function createFastClock(speed: number): Clock {
  const start = Date.now()
  return {
    now: () => new Date(start + (Date.now() - start) * speed),
    sleep: (ms, signal) => pause(ms / speed, undefined, signal ? { signal } : {}),
  }
}
