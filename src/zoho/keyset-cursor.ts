import { z } from 'zod'

/**
 * Position of a walk by modification, saved in the checkpoint with the rows before it, so that a
 * crash repeats at most one page.
 */
export const KeysetCursor = z.object({
  /** The inclusive start of the next page, as ISO 8601; null: from the beginning. */
  from: z.iso.datetime().nullable(),
  /** Rows of that second that were processed already. */
  taken: z.array(z.string()),
})
export type KeysetCursor = z.infer<typeof KeysetCursor>

/** Follows a walk from a cursor on: which rows of a page are new, and the cursor after it. */
export function followKeyset<Row>(
  start: KeysetCursor,
  { idOf, modifiedOf }: { idOf(row: Row): string; modifiedOf(row: Row): Date | null },
) {
  const taken = new Set(start.taken)
  let from = start.from === null ? Number.NEGATIVE_INFINITY : Date.parse(start.from)
  const rowKey = (row: Row) => `${idOf(row)} ${modifiedOf(row)?.getTime() ?? ''}`
  const secondOf = (row: Row) => Math.floor((modifiedOf(row)?.getTime() ?? 0) / 1000) * 1000

  return {
    fresh: (page: Row[]): Row[] => page.filter((row) => !taken.has(rowKey(row))),
    /** The cursor after these rows; it remembers only the rows of the newest second. */
    after(rows: Row[]): KeysetCursor {
      const second = Math.max(from, ...rows.map(secondOf))
      if (second > from) taken.clear()
      for (const row of rows) if (secondOf(row) >= second) taken.add(rowKey(row))
      from = second
      return { from: new Date(second).toISOString(), taken: [...taken] }
    },
  }
}
