/** The clocks of Zoho and of this machine may differ by so much. */
export const CLOCKS_MS = 10 * 60_000

/**
 * A cursor no later than Zoho's clock. One row with a time in the future would otherwise move it there, and every edit until then would be missed.
 * Without a `Date` header our own clock stands in for Zoho's.
 */
export function capCursor(cursor: string, { zoho, ours }: { zoho: Date | null; ours: Date }): string {
  const latest = zoho ?? ours
  return Date.parse(cursor) > latest.getTime() ? latest.toISOString() : cursor
}

/** Whether a saved cursor lies in the future: what was edited before it was not read, so only a full pass puts it right. */
export const isAhead = (cursor: Date | null | undefined, now: Date): boolean =>
  cursor !== null && cursor !== undefined && cursor.getTime() > now.getTime() + CLOCKS_MS
