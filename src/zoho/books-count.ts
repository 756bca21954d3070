import type { BooksModule } from '../facts/books-modules.ts'
import { zohoCodeOf } from '../lib/errors.ts'
import { type BooksApp, booksListing, firstCursor } from './books.ts'
import type { ZohoClient } from './client.ts'
import { ZohoRequestError } from './errors.ts'
import { PAGE_ROWS, readPage, zohoTime } from './paginate.ts'

/**
 * Growth factor of the search: four calls find the end among 64 pages, and a few more the exact
 * page.
 */
const STRIDE = 4
/** Past this many pages the count is given up: it would cost too many calls. */
const MOST_PAGES = 65_536

/**
 * Returns how many records a module lists; with `from`, those modified since, where the list can be
 * filtered. Zoho's lists have no total, so the last page is searched in growing steps: the number
 * of calls grows with the logarithm of the pages.
 */
export async function countBooks(
  client: ZohoClient,
  module: BooksModule,
  { app, from }: { app: BooksApp; from: Date | null },
  signal: AbortSignal,
): Promise<{ records: number; calls: number }> {
  const listing = booksListing(client, module, { app })
  const filtered = from !== null && firstCursor(module, { app, from }).walk === 'keyset'
  let order: Record<string, string> = { sort_column: 'last_modified_time', sort_order: filtered ? 'A' : 'D' }
  let calls = 0

  /** How many rows page `page` has, and whether more pages follow. */
  async function look(page: number): Promise<{ rows: number; more: boolean }> {
    calls++
    const query = { ...order, page: String(page), ...(filtered && { last_modified_time: zohoTime(from) }) }
    try {
      const { rows, more } = await readPage(client, listing, query, signal)
      if (filtered || from === null || !order.sort_column) return { rows: rows.length, more: more && rows.length > 0 }
      const fresh = rows.filter((row) => row.modified === null || row.modified >= from)
      return { rows: fresh.length, more: more && fresh.length === rows.length && rows.length > 0 }
    } catch (error) {
      // Zoho refuses this sort order; the pull will read the whole list.
      if (!(error instanceof ZohoRequestError && zohoCodeOf(error) === '2' && order.sort_column)) throw error
      order = {}
      return look(page)
    }
  }

  let full = 0
  let next = await look(1)
  let page = 1
  while (next.more && page < MOST_PAGES) {
    full = page
    page *= STRIDE
    next = await look(page)
  }
  // The end is after page `full`, and at or before `page`.
  let last = { page, rows: next.rows }
  while (last.page - full > 1) {
    const middle = Math.floor((full + last.page) / 2)
    const seen = await look(middle)
    if (seen.more) full = middle
    else last = { page: middle, rows: seen.rows }
  }
  return { records: (last.page - 1) * PAGE_ROWS + last.rows, calls }
}

/** Returns how many calls `walkBooks` makes for so many records. */
export function walkCalls(module: BooksModule, { app, from }: { app: BooksApp; from: Date | null }, records: number): number {
  const { walk } = firstCursor(module, { app, from })
  // A keyset page begins with the last row of the page before.
  if (walk === 'keyset') return Math.max(1, Math.ceil(records / (PAGE_ROWS - 1)))
  const pages = Math.max(1, Math.ceil(records / PAGE_ROWS))
  // The first pages are read once more at the end, for records that arrived meanwhile.
  return walk === 'newest_first' && pages > 1 ? pages + 1 : pages
}
