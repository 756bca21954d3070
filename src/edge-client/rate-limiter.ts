import { setTimeout as sleep } from 'node:timers/promises'
import type { RateWindow } from '../schemas/rate-limit.ts'

/** Bytes that may come at once after a pause, as a share of a second. */
const BURST_SECONDS = 0.25
/** A limit may change while somebody waits, so no wait is longer. */
const LONGEST_WAIT_MS = 1_000

/** The minute of the day in that zone, daylight saving included. Null: UTC. */
export function minuteOfDay(at: Date, timeZone: string | null): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: timeZone ?? 'UTC', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const [hours = 0, minutes = 0] = parts.format(at).split(':').map(Number)
  return hours * 60 + minutes
}

/** Bytes a second at that moment; null: no limit. */
export function rateAt(windows: RateWindow[], at: Date, timeZone: string | null): number | null {
  const minute = windows.length === 1 ? 0 : minuteOfDay(at, timeZone)
  const window = windows.findLast(({ fromMinute }) => fromMinute <= minute) ?? windows.at(-1)
  return window?.bytesPerSecond ?? null
}

/** The lower of two limits, where null is none. */
export const lowerRate = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b))

export type RateLimiter = ReturnType<typeof createRateLimiter>

/**
 * Holds all streams of a process together to `bytesPerSecond()`, which is asked again and again. What is not read here stays on
 * the way, and TCP slows the sender down.
 */
export function createRateLimiter({ bytesPerSecond, signal }: { bytesPerSecond(): number | null; signal: AbortSignal }) {
  /** When the bytes taken so far are paid for. */
  let paidAtMs = performance.now()
  return {
    /** Resolves when anything may come at all. */
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
