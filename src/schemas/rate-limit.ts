import { z } from 'zod'

/** From this minute of the day until the next window begins. Null: no limit; 0: nothing at all. */
export interface RateWindow {
  fromMinute: number
  bytesPerSecond: number | null
}

const UNITS: Record<string, number> = { '': 1, k: 1_000, m: 1_000_000 }
const RATE = /^(\d{1,9}(?:\.\d{1,3})?)([kM]?)$/i
const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$/

function parseRate(text: string): number | null | undefined {
  if (text.toLowerCase() === 'off') return null
  const [, number, unit = ''] = RATE.exec(text) ?? []
  return number === undefined ? undefined : Math.round(Number(number) * UNITS[unit.toLowerCase()]!)
}

/**
 * Parses `400k` (bytes per second, k = 1000), or windows by the clock of the organization:
 * `08:00,256k 22:00,off`. Sorted by time; before the first window of a day the last one of the
 * previous day applies. Undefined: invalid.
 */
export function parseRateLimit(text: string): RateWindow[] | undefined {
  const parts = text.trim().split(/\s+/)
  const single = parts.length === 1 ? parseRate(parts[0]!) : undefined
  if (single !== undefined) return [{ fromMinute: 0, bytesPerSecond: single }]
  const windows: RateWindow[] = []
  for (const part of parts) {
    const [time = '', rate = '', ...rest] = part.split(',')
    const [, hours, minutes] = TIME.exec(time) ?? []
    const bytesPerSecond = parseRate(rate)
    if (hours === undefined || bytesPerSecond === undefined || rest.length > 0) return undefined
    const fromMinute = Number(hours) * 60 + Number(minutes)
    if (windows.some((window) => window.fromMinute === fromMinute)) return undefined
    windows.push({ fromMinute, bytesPerSecond })
  }
  return windows.sort((a, b) => a.fromMinute - b.fromMinute)
}

export const RATE_LIMIT_HELP = 'like 400k (bytes a second), or by time of day: "08:00,256k 22:00,off"'

export const RateLimit = z
  .string()
  .trim()
  .max(500)
  .refine((text) => parseRateLimit(text) !== undefined, { error: `must be ${RATE_LIMIT_HELP}` })
