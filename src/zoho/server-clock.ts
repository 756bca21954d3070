/** How far the clocks of Zoho and this machine may differ. */
export const CLOCKS_MS = 10 * 60_000

/**
 * Returns the cursor, at most as late as Zoho's clock. One row with a time in the future would
 * otherwise move it there, and every edit until then would be missed. Without a `Date` header our
 * own clock is used.
 */
export function capCursor(cursor: string, { zoho, ours }: { zoho: Date | null; ours: Date }): string {
  const latest = zoho ?? ours
  return Date.parse(cursor) > latest.getTime() ? latest.toISOString() : cursor
}

/**
 * Whether a saved cursor is in the future: edits before it were not read, so only a full pass
 * repairs it.
 */
export const isAhead = (cursor: Date | null | undefined, now: Date): boolean =>
  cursor !== null && cursor !== undefined && cursor.getTime() > now.getTime() + CLOCKS_MS
