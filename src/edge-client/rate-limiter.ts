import { setTimeout as sleep } from 'node:timers/promises'
import type { RateWindow } from '../schemas/rate-limit.ts'

/** Bytes allowed immediately after a pause, as a share of a second. */
const BURST_SECONDS = 0.25
/** A limit may change during a wait, so no wait is longer. */
const LONGEST_WAIT_MS = 1_000

/** The clock of a zone: creating one takes longer than all else, and each keeps memory. */
const clocks = new Map<string, Intl.DateTimeFormat>()
function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone)
  if (known) return known
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  clocks.set(zone, clock)
  return clock
}

/** Returns the minute of the day in that zone, with daylight saving. Null: UTC. */
export function minuteOfDay(at: Date, timeZone: string | null): number {
  const [hours = 0, minutes = 0] = clockOf(timeZone ?? 'UTC')
    .format(at)
    .split(':')
    .map(Number)
  return hours * 60 + minutes
}

/** Returns bytes per second at that moment; null: no limit. */
export function rateAt(windows: RateWindow[], at: Date, timeZone: string | null): number | null {
  const minute = windows.length <= 1 ? 0 : minuteOfDay(at, timeZone)
  const window = windows.findLast(({ fromMinute }) => fromMinute <= minute) ?? windows.at(-1)
  return window?.bytesPerSecond ?? null
}

/** Returns the lower of two limits, where null is none. */
export const lowerRate = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b))

export type RateLimiter = ReturnType<typeof createRateLimiter>

/**
 * Limits all streams of a process together to `bytesPerSecond()`, which is called repeatedly. What
 * is not read here stays in the network, and TCP slows the sender down.
 */
export function createRateLimiter({ bytesPerSecond, signal }: { bytesPerSecond(): number | null; signal: AbortSignal }) {
  /** When the bytes taken so far fit into the limit. */
  let paidAtMs = performance.now()
  return {
    /** Resolves when the limit allows anything at all. */
    async whenOpen(): Promise<void> {
      while (bytesPerSecond() === 0) await sleep(LONGEST_WAIT_MS, undefined, { signal })
    },
    /** Whether the limit allows nothing now. */
    isClosed: (): boolean => bytesPerSecond() === 0,
    /** Resolves when that many bytes, which have arrived, are within the limit. */
    async take(bytes: number): Promise<void> {
      const rate = bytesPerSecond()
      if (rate === null || rate === 0) return
      paidAtMs = Math.max(paidAtMs, performance.now() - BURST_SECONDS * 1_000) + (bytes * 1_000) / rate
      const until = paidAtMs
      for (;;) {
        const waitMs = until - performance.now()
        const now = bytesPerSecond()
        if (waitMs <= 0 || now === null || now === 0) return
        await sleep(Math.min(waitMs, LONGEST_WAIT_MS), undefined, { signal })
      }
    },
  }
}
