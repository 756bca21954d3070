/** The IANA time zone; UTC for none, and for one that this Node version does not know. */
export function knownTimeZone(zone: string | null | undefined): string {
  if (!zone) return 'UTC'
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    return 'UTC'
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** How far the wall clock of the zone is ahead of UTC at a moment. */
function offsetAt(at: number, zone: string): number {
  let clock = clocks.get(zone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    clocks.set(zone, clock)
  }
  const second = Math.floor(at / 1000) * 1000
  return Date.parse(`${clock.format(second).replace(' ', 'T')}Z`) - second
}

const DAY_MS = 86_400_000

/**
 * The moment at which the wall clock of the zone shows the time that `utc` shows in UTC. A time
 * that comes twice is the first of the two; one in the gap of the spring is as long after it.
 */
export function fromWallClock(utc: number, zone: string): number {
  // The offset changes at most once within a day around it.
  const [before, after] = [offsetAt(utc - DAY_MS, zone), offsetAt(utc + DAY_MS, zone)]
  const first = utc - Math.max(before, after)
  const fits = [first, utc - Math.min(before, after)].find((at) => at + offsetAt(at, zone) === utc)
  return fits ?? utc - before
}
