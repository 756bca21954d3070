import { z } from 'zod'
import type { BooksModule } from '../facts/books-modules.ts'
import { BadGatewayError, zohoCodeOf } from '../lib/errors.ts'
import { rawMember } from '../lib/raw-json.ts'
import type { ZohoClient } from './client.ts'
import { ZohoRequestError } from './errors.ts'
import { ITEM_LIST } from './inventory.ts'
import { followKeyset, KeysetCursor } from './keyset-cursor.ts'
import { type Listing, ListUnorderedError, listByModification, PAGE_ROWS, readPage } from './paginate.ts'
import { Id, instantIn, parseZohoJson } from './value-types.ts'

export type BooksApp = 'books' | 'invoice'
const BASES: Record<BooksApp, string> = { books: '/books/v3', invoice: '/invoice/v3' }

/** A record of any module: its raw text and the keys that every module has. */
export interface BooksRow {
  id: string
  modified: Date | null
  raw: string
  fields: Record<string, unknown>
}

/**
 * Position of a walk, saved in the checkpoint.
 * - `keyset`: by modification time, with Zoho's filter.
 * - `newest_first`: by page number, newest modification first, until the known rows.
 * - `unsorted`: by page number in Zoho's own order, for a list that ignores the requested order.
 */
export const BooksCursor = z.discriminatedUnion('walk', [
  KeysetCursor.extend({ walk: z.literal('keyset') }),
  z.object({
    walk: z.literal('newest_first'),
    page: z.number(),
    /**
     * The newest row when the walk began: rows that are newer at the end were added or changed
     * meanwhile.
     */
    head: z.iso.datetime().nullable(),
  }),
  z.object({ walk: z.literal('unsorted'), page: z.number() }),
])
export type BooksCursor = z.infer<typeof BooksCursor>

export interface BooksPage {
  rows: BooksRow[]
  /** Where the walk resumes after these rows. */
  cursor: BooksCursor
  /** The walk began again in another order: rows counted so far will come again. */
  restarted: boolean
}

export interface WalkOptions {
  app: BooksApp
  /**
   * Only rows modified from this moment on (inclusive); null: all. Rows without a time are always
   * included.
   */
  from: Date | null
  /** How many records are known. A list that ends with far fewer is rejected (`list_truncated`). */
  known?: number | undefined
  /** Where an interrupted walk resumes. */
  cursor?: BooksCursor | undefined
  runId?: string | undefined
}

/** Reads one row; times without an offset are in `timeZone`. Throws when it has no id. */
function readBooksRow(module: BooksModule, row: unknown, { raw, timeZone }: { raw: string; timeZone: string }): BooksRow {
  const fields = z.record(z.string(), z.unknown()).parse(row)
  return {
    id: Id.parse(fields[module.idField]),
    modified: instantIn(timeZone).safeParse(fields.last_modified_time).data ?? null,
    raw,
    fields,
  }
}

/** How a module is listed, independent of the order. */
export function booksListing(
  client: ZohoClient,
  module: BooksModule,
  { app, runId }: Pick<WalkOptions, 'app' | 'runId'>,
): Omit<Listing<BooksRow>, 'from'> {
  // Items of Books and Inventory are the same, and only Inventory documents the filter.
  const list =
    module.name === 'items' && app === 'books'
      ? ITEM_LIST
      : {
          path: `${BASES[app]}/${module.name}`,
          key: module.keys,
          ...(['items', 'contacts'].includes(module.name) && { query: { filter_by: 'Status.All' } }),
        }
  return {
    ...list,
    withText: true,
    read: (row, raw) => readBooksRow(module, row, { raw, timeZone: client.timeZone() }),
    onUnreadable() {
      throw new BadGatewayError('missing_id', { module: module.name, field: module.idField })
    },
    idOf: (row) => row.id,
    modifiedOf: (row) => row.modified,
    job: 'pull',
    runId,
  }
}

/**
 * Yields every row of a module modified since `from`, page by page, each page with the cursor to
 * resume from. Throws what the client throws, and BadGatewayError `list_…`.
 */
export async function* walkBooks(
  client: ZohoClient,
  module: BooksModule,
  options: WalkOptions,
  signal: AbortSignal,
): AsyncGenerator<BooksPage> {
  let cursor = options.cursor ?? firstCursor(module, options)
  let restarted = false
  for (;;) {
    try {
      for await (const page of walkFrom(client, module, cursor, options, signal)) {
        yield { ...page, restarted }
        restarted = false
      }
      return
    } catch (error) {
      // Zoho refused the order (code 2) or did not keep to it: the next order requires less of
      // Zoho.
      const refused = error instanceof ZohoRequestError && zohoCodeOf(error) === '2'
      const next = nextWalk(cursor)
      if (!next || !(refused || error instanceof ListUnorderedError)) throw error
      cursor = next
      restarted = true
    }
  }
}

/** Returns the cursor of a new walk. */
export function firstCursor(module: BooksModule, { app, from }: Pick<WalkOptions, 'app' | 'from'>): BooksCursor {
  if (module.name === 'organizations') return { walk: 'unsorted', page: 1 }
  const filter = module.filter && !(module.name === 'items' && app === 'invoice')
  return filter ? { walk: 'keyset', from: from?.toISOString() ?? null, taken: [] } : { walk: 'newest_first', page: 1, head: null }
}

function nextWalk(cursor: BooksCursor): BooksCursor | null {
  if (cursor.walk === 'keyset') return { walk: 'newest_first', page: 1, head: null }
  return cursor.walk === 'newest_first' ? { walk: 'unsorted', page: 1 } : null
}

function walkFrom(client: ZohoClient, module: BooksModule, cursor: BooksCursor, options: WalkOptions, signal: AbortSignal) {
  const listing = booksListing(client, module, options)
  if (cursor.walk === 'keyset') return walkByKeyset(client, listing, cursor, signal)
  if (cursor.walk === 'newest_first') return walkNewestFirst(client, listing, cursor, options, signal)
  return walkUnsorted(client, listing, cursor, options.from, signal)
}

type Walk = AsyncGenerator<{ rows: BooksRow[]; cursor: BooksCursor }>
type BooksListing = Omit<Listing<BooksRow>, 'from'>

async function* walkByKeyset(
  client: ZohoClient,
  listing: BooksListing,
  start: BooksCursor & { walk: 'keyset' },
  signal: AbortSignal,
): Walk {
  const walk = followKeyset<BooksRow>(start, listing)
  for await (const page of listByModification(client, { ...listing, from: start.from === null ? null : new Date(start.from) }, signal)) {
    const rows = walk.fresh(page)
    if (rows.length > 0) yield { rows, cursor: { walk: 'keyset', ...walk.after(rows) } }
  }
}

/**
 * Reads by page number, since there is no filter. Records edited meanwhile move to the front: other
 * rows then come twice, and the edited ones are found when the first pages are read again at the
 * end. That costs a call only where there was more than one page.
 */
async function* walkNewestFirst(
  client: ZohoClient,
  listing: BooksListing,
  start: BooksCursor & { walk: 'newest_first' },
  { from, known = 0 }: WalkOptions,
  signal: AbortSignal,
): Walk {
  const read = async (page: number) => {
    const { rows, more } = await readPage(
      client,
      listing,
      { sort_column: 'last_modified_time', sort_order: 'D', page: String(page) },
      signal,
    )
    const times = rows.flatMap((row) => row.modified?.getTime() ?? [])
    if (times.some((time, n) => n > 0 && time > times[n - 1]!)) throw new ListUnorderedError(listing.path)
    return { rows, more, newest: times[0], oldest: times.at(-1) }
  }
  let { page, head } = start
  let before = new Set<string>()
  for (;;) {
    const { rows, more, newest, oldest } = await read(page)
    if (page === 1 && newest !== undefined) head = new Date(newest).toISOString()
    const requested = rows.filter((row) => row.modified === null || from === null || row.modified >= from)
    // Rows that moved to the front push rows of the page before onto this one.
    const fresh = requested.filter((row) => !before.has(row.id))
    before = new Set(rows.map((row) => row.id))
    page++
    if (fresh.length > 0) yield { rows: fresh, cursor: { walk: 'newest_first', page, head } }
    if (from !== null && oldest !== undefined && oldest < from.getTime()) break
    if (!more) {
      // The walk never reached the known rows: the rows in between would be missed for good.
      if (from !== null && (page - 2) * PAGE_ROWS + rows.length < known * (1 - SHORT_SHARE) - SHORT_ROWS) throw short(listing.path)
      break
    }
    if (rows.length === 0) throw endless(listing.path)
  }
  if (page === 2 || head === null) return
  const headTime = Date.parse(head)
  for (let again = 1; ; again++) {
    const { rows, more, oldest } = await read(again)
    const changed = rows.filter((row) => row.modified !== null && row.modified.getTime() > headTime)
    if (changed.length > 0) yield { rows: changed, cursor: { walk: 'newest_first', page, head } }
    if (!more || rows.length === 0 || oldest === undefined || oldest <= headTime) return
  }
}

async function* walkUnsorted(
  client: ZohoClient,
  listing: BooksListing,
  start: BooksCursor & { walk: 'unsorted' },
  from: Date | null,
  signal: AbortSignal,
): Walk {
  let before = new Set<string>()
  for (let { page } = start; ; ) {
    const { rows, more } = await readPage(client, listing, { page: String(page) }, signal)
    const requested = rows.filter((row) => (row.modified === null || from === null || row.modified >= from) && !before.has(row.id))
    if (more && rows.every((row) => before.has(row.id))) throw endless(listing.path)
    before = new Set(rows.map((row) => row.id))
    page++
    if (requested.length > 0) yield { rows: requested, cursor: { walk: 'unsorted', page } }
    if (!more) return
  }
}

/**
 * A list that lacks more than this share of the known records, and more than a few, is treated as
 * Zoho's mistake.
 */
const SHORT_SHARE = 0.2
const SHORT_ROWS = 10

const short = (path: string) => new BadGatewayError('list_truncated', { path })

const endless = (path: string) => new BadGatewayError('pagination_loop.books', { path })

/** Returns one record with all its fields. Throws ZohoNotFoundError when Zoho does not have it. */
export async function readBooksDetail(
  client: ZohoClient,
  module: BooksModule,
  { app, id, runId }: { app: BooksApp; id: string; runId?: string | undefined },
  signal: AbortSignal,
): Promise<BooksRow> {
  const base = module.name === 'items' && app === 'books' ? '/inventory/v1' : BASES[app]
  const { text } = await client.json({ path: `${base}/${module.name}/${encodeURIComponent(id)}`, job: 'pull', runId }, signal)
  const raw = rawMember(text, module.detailKey) ?? rawMember(text, module.name)
  const fields = raw === undefined ? null : parseZohoJson(raw)
  if (raw === undefined || !fields) throw new BadGatewayError('detail_malformed', { key: module.detailKey })
  const row = readBooksRow(module, fields, { raw, timeZone: client.timeZone() })
  // A proxy or a mixed-up response must never store one document in the place of another.
  if (row.id !== id) throw new BadGatewayError('record_mismatch', { module: module.name, id })
  return row
}
