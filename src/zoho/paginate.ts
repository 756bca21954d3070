import { BadGatewayError } from '../lib/errors.ts'
import { rawElements, rawMember } from '../lib/raw-json.ts'
import type { ZohoClient } from './client.ts'
import type { CallJob } from './rate-limiter.ts'
import { PageContext } from './value-types.ts'

export interface Listing<Row> {
  path: string
  /**
   * The key of the response that contains the rows; of several, the first that is present (Zoho's
   * documentation and responses differ).
   */
  key: string | readonly string[]
  query?: Record<string, string>
  /** True: `read` also gets each row's text as Zoho wrote it. */
  withText?: boolean | undefined
  /**
   * Throws when the row cannot be used; it is then reported to `onUnreadable`, and the other rows
   * continue.
   */
  read(row: unknown, text: string): Row
  onUnreadable(row: unknown): void
  idOf(row: Row): string
  modifiedOf(row: Row): Date | null
  /** Only rows modified from this moment on (inclusive); null: all. */
  from: Date | null
  job: CallJob
  runId?: string | undefined
}

export const PAGE_ROWS = 200
/**
 * Zoho's list may show a row late, so a sync that resumes from the newest known row begins a little
 * before it.
 */
export const LIST_LAG_MS = 5 * 60_000

/** Zoho did not keep to the requested order, so paging on from the last row would lose rows. */
export class ListUnorderedError extends BadGatewayError<'list_unordered'> {
  constructor(path: string) {
    super('list_unordered', { path })
  }
}
/** More pages within one second than any import makes; past it the server is repeating itself. */
const MAX_PAGES_PER_SECOND = 500
/** How often a second with more than one page of rows is read until two passes agree. */
const MAX_PASSES = 5

/**
 * Zoho's format of a time: whole seconds and a numeric offset; a literal `Z` and fractions are
 * refused (seen live).
 */
export const zohoTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+0000`
const wholeSecond = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000

/**
 * Returns one page of a list, in the order that the query requests. Throws BadGatewayError
 * `list_malformed`.
 */
export async function readPage<Row>(
  client: ZohoClient,
  listing: Pick<Listing<Row>, 'path' | 'key' | 'query' | 'withText' | 'read' | 'onUnreadable' | 'job' | 'runId'>,
  order: Record<string, string>,
  signal: AbortSignal,
): Promise<{ rows: Row[]; more: boolean }> {
  const { body, text } = await client.json(
    {
      path: listing.path,
      query: { ...listing.query, per_page: String(PAGE_ROWS), ...order },
      job: listing.job,
      runId: listing.runId,
    },
    signal,
  )
  const keys = typeof listing.key === 'string' ? [listing.key] : listing.key
  const key = keys.find((it) => Array.isArray(body[it]))
  const found = key === undefined ? undefined : body[key]
  if (key === undefined || !Array.isArray(found)) throw new BadGatewayError('list_malformed', { key: keys[0]! })
  const texts = listing.withText ? rawElements(rawMember(text, key) ?? '[]') : []
  const rows = found.flatMap((row: unknown, n) => {
    try {
      return [listing.read(row, texts[n] ?? '')]
    } catch {
      listing.onUnreadable(row)
      return []
    }
  })
  return { rows, more: PageContext.safeParse(body.page_context).data?.has_more_page ?? false }
}

/**
 * Yields all rows of a list in the order of modification, page by page, while the list may change.
 * Pages by keyset, not offset: with offsets an edit between two pages shifts rows past the reader.
 * The filter is inclusive, so each page begins with the rows of the last second of the page before,
 * which are left out here. More than one page of rows in one second is paged by offset within it,
 * and that second is read again until two passes agree. A page that makes no progress is an error,
 * never the end. The next page is fetched while the caller works on the current one.
 */
export async function* listByModification<Row>(client: ZohoClient, listing: Listing<Row>, signal: AbortSignal): AsyncGenerator<Row[]> {
  const rowKey = (row: Row) => `${listing.idOf(row)} ${listing.modifiedOf(row)?.getTime() ?? ''}`
  const leaving = new AbortController()
  const stopSignal = AbortSignal.any([signal, leaving.signal])

  async function page(from: Date | null, number = 1): Promise<Page<Row>> {
    const order = {
      sort_column: 'last_modified_time',
      sort_order: 'A',
      page: String(number),
      ...(from && { last_modified_time: zohoTime(from) }),
    }
    const { rows, more } = await readPage(client, listing, order, stopSignal)
    let end = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const at = listing.modifiedOf(row)
      if (at === null) continue
      if (wholeSecond(at) < end) throw new ListUnorderedError(listing.path)
      end = wholeSecond(at)
    }
    return { rows, lastSecond: end === Number.NEGATIVE_INFINITY ? null : end, more }
  }

  /**
   * Reads from page 2 on within the second. Returns the second at which the list continues, or null
   * at its end.
   */
  async function* readSecond(second: number, given: Set<string>): AsyncGenerator<Row[], number | null> {
    let mostPages = MAX_PAGES_PER_SECOND
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      let added = 0
      let end: number | null | undefined
      let number = pass === 1 ? 2 : 1
      for (; end === undefined; number++) {
        if (number > mostPages) throw loops('more pages than one second can hold')
        const { rows, lastSecond, more } = await page(new Date(second), number)
        const fresh = rows.filter((row) => !given.has(rowKey(row)))
        for (const row of fresh) given.add(rowKey(row))
        added += fresh.length
        if (fresh.length > 0) yield fresh
        if (!more) end = null
        else if (lastSecond === null) throw loops('a page without rows says that more follow')
        else if (lastSecond > second) end = lastSecond
        else if (pass === 1 && fresh.length === 0) throw loops('a page repeats the one before')
      }
      if (pass > 1 && added === 0) return end ?? null
      // Another pass may find a few more rows, but not a multiple: a server that repeats itself
      // must not be followed for long.
      mostPages = number + 2
    }
    throw loops('the list does not stand still')
  }

  let from = listing.from && new Date(wholeSecond(listing.from))
  /** Ids and times already yielded for the second in which the next page begins. */
  let given = new Set<string>()
  try {
    for (let coming = page(from); ; ) {
      const { rows, lastSecond, more } = await coming
      const fresh = rows.filter((row) => !given.has(rowKey(row)))
      if (more && lastSecond === null) throw loops('a page without rows says that more follow')
      if (more && from && lastSecond! < from.getTime()) throw loops('rows older than asked for')
      if (more && (!from || lastSecond! > from.getTime())) {
        from = new Date(lastSecond!)
        given = new Set(rows.filter((row) => wholeSecond(listing.modifiedOf(row) ?? from!) === lastSecond).map(rowKey))
        coming = page(from)
        coming.catch(() => {}) // handled where it is awaited
        if (fresh.length > 0) yield fresh
        continue
      }
      if (fresh.length > 0) yield fresh
      if (!more) return
      // A whole page within one second: read by offset until that second ends.
      for (const row of rows) given.add(rowKey(row))
      const next: number | null = yield* readSecond(lastSecond!, given)
      if (next === null) return
      from = new Date(next)
      coming = page(from)
    }
  } finally {
    leaving.abort()
  }
}

interface Page<Row> {
  rows: Row[]
  /** In milliseconds; null when no row has a time. */
  lastSecond: number | null
  more: boolean
}

const loops = (why: string) => new BadGatewayError('pagination_loop', { problem: why })

/**
 * Yields the rows of a list that has neither a filter nor an order by time, page by page, each id
 * once. Rows that move between pages meanwhile may be missed, so an absent row proves nothing.
 */
export async function* listByPage<Row>(
  client: ZohoClient,
  listing: Omit<Listing<Row>, 'modifiedOf' | 'from'>,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  const given = new Set<string>()
  for (let page = 1; ; page++) {
    const { rows, more } = await readPage(client, listing, { page: String(page) }, signal)
    const fresh = rows.filter((row) => !given.has(listing.idOf(row)))
    for (const row of fresh) given.add(listing.idOf(row))
    if (fresh.length > 0) yield fresh
    if (!more) return
    if (fresh.length === 0) throw loops('a page without new rows says that more follow')
  }
}
