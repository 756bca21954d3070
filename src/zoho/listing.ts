import { UpstreamFailed } from '../errors.ts'
import type { ZohoClient } from './client.ts'
import { PageContext } from './wire.ts'

export interface Listing<Row> {
  path: string
  /** The key of the envelope that holds the rows. */
  key: string
  query?: Record<string, string>
  read(row: unknown): Row
  idOf(row: Row): string
  modifiedOf(row: Row): Date | null
  /** Only rows modified from this moment on (inclusive); null: all. */
  from: Date | null
  job: string
  runId?: string | undefined
}

export const PAGE_ROWS = 200
/** More pages within one second than any import makes; past it the server repeats itself. */
const MAX_PAGES_PER_SECOND = 500
/** How often one second with more rows than a page is read until two passes agree. */
const MAX_PASSES = 5

/** Zoho's form of a moment: whole seconds and a numeric offset; a literal `Z` and fractions are refused (seen live). */
export const zohoTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+0000`
const wholeSecond = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000

/**
 * All rows of a list in the order of their modification, page after page, while the list may change.
 * Keyset and not offset: with offsets an edit between two pages shifts rows past the reader. The filter is inclusive, so each page begins with
 * the rows of the last second of the page before, which are left out here. More rows than a page in one second are paged by offset within it,
 * and that second is read again until two passes agree. A page that does not lead on is an error, never an end.
 */
export async function* listByModification<Row>(client: ZohoClient, listing: Listing<Row>, signal: AbortSignal): AsyncGenerator<Row[]> {
  let from = listing.from && new Date(wholeSecond(listing.from))
  /** Ids with their times that were given out for the second in which the next page begins. */
  let given = new Set<string>()
  const face = (row: Row) => `${listing.idOf(row)} ${listing.modifiedOf(row)?.getTime() ?? ''}`

  async function page(number: number): Promise<{ rows: Row[]; more: boolean }> {
    const { body } = await client.json(
      {
        path: listing.path,
        query: {
          ...listing.query,
          sort_column: 'last_modified_time',
          sort_order: 'A',
          per_page: String(PAGE_ROWS),
          page: String(number),
          ...(from && { last_modified_time: zohoTime(from) }),
        },
        job: listing.job,
        runId: listing.runId,
      },
      signal,
    )
    const rows = body[listing.key]
    if (!Array.isArray(rows))
      throw new UpstreamFailed('list_without_rows', `Zoho's answer has no ${listing.key}`, { remedy: 'zinc tries again at the next sync.' })
    const context = PageContext.safeParse(body.page_context)
    return { rows: rows.map((row) => listing.read(row)), more: context.data?.has_more_page ?? false }
  }

  for (;;) {
    const { rows, more } = await page(1)
    const fresh = rows.filter((row) => !given.has(face(row)))
    if (fresh.length > 0) yield fresh
    if (!more) return
    const last = rows.at(-1)
    const lastTime = last && listing.modifiedOf(last)
    if (!lastTime) throw loops('a page without rows says that more follow')
    if (from && wholeSecond(lastTime) < from.getTime()) throw loops('rows older than asked for')
    if (!from || wholeSecond(lastTime) > from.getTime()) {
      from = new Date(wholeSecond(lastTime))
      given = new Set(rows.filter((row) => wholeSecond(listing.modifiedOf(row) ?? lastTime) === from!.getTime()).map(face))
      continue
    }
    // A whole page within one second: read on by offset until that second ends.
    for (const row of rows) given.add(face(row))
    const next = yield* readSecond(from)
    if (next === null) return
    from = next
  }

  /** Pages on from page 2 within the second; answers the second in which the list goes on, or null at its end. */
  async function* readSecond(second: Date): AsyncGenerator<Row[], Date | null> {
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      let added = 0
      let end: Date | null | undefined
      for (let number = pass === 1 ? 2 : 1; end === undefined; number++) {
        if (number > MAX_PAGES_PER_SECOND) throw loops('more pages than one second can hold')
        const { rows, more } = await page(number)
        const fresh = rows.filter((row) => !given.has(face(row)))
        for (const row of fresh) given.add(face(row))
        added += fresh.length
        if (fresh.length > 0) yield fresh
        const lastTime = rows.at(-1) && listing.modifiedOf(rows.at(-1)!)
        if (!more) end = null
        else if (!lastTime) throw loops('a page without rows says that more follow')
        else if (wholeSecond(lastTime) > second.getTime()) end = new Date(wholeSecond(lastTime))
      }
      if (pass > 1 && added === 0) return end ?? null
    }
    throw loops('the list does not stand still')
  }
}

const loops = (why: string) =>
  new UpstreamFailed('list_repeats', `Zoho's list does not lead to an end: ${why}`, {
    remedy: 'Nothing was removed. Start the sync again later; if it stays, tell Zoho support.',
  })
