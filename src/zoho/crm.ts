import { z } from 'zod'
import { BadGatewayError } from '../lib/errors.ts'
import type { ZohoClient, ZohoJson } from './client.ts'
import { CRM_JOB, type CrmModule, LISTED_ALWAYS } from './crm-fields.ts'
import { Id, instantIn } from './value-types.ts'

export interface CrmRecord {
  id: string
  modifiedAt: Date
  record: Record<string, unknown>
}
export interface CrmDeletion {
  id: string
  deletedAt: Date | null
}

const PER_PAGE = 200
const IDS_PER_CALL = 100
const MAX_PAGES = 10_000
const MAX_PASSES = 5
const Row = (timeZone: string) => z.looseObject({ id: Id, Modified_Time: instantIn(timeZone) })
const Info = z.looseObject({ more_records: z.boolean().catch(false), next_page_token: z.string().nullish().catch(null) })
const Deletion = (timeZone: string) => z.looseObject({ id: Id, deleted_time: instantIn(timeZone).nullish().catch(null) })

/** ISO 8601 with a colon in the offset, unlike Books; whole seconds. */
export const crmTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+00:00`

export interface CrmListing {
  module: CrmModule
  fields: string[][]
  /** Records modified since then; null: all. */
  from: Date | null
  runId?: string | undefined
}

/**
 * Yields the records of a module in the order of modification, while they may change. Pages by
 * keyset, not offset: an edit between two pages moves a row to the end, and an offset would then
 * skip another. Whether If-Modified-Since includes its second is not documented, so each page asks
 * from one second before, and rows already yielded are left out. Pages within one second follow
 * each other, by token where Zoho gives one (it must past 2,000 rows).
 */
export async function* listCrm(client: ZohoClient, listing: CrmListing, signal: AbortSignal): AsyncGenerator<CrmRecord[]> {
  let from = listing.from
  let given = new Set<string>()
  for (let pages = 0; pages < MAX_PAGES; ) {
    const first = await crmPage(client, listing, { from }, signal)
    pages++
    yield* fresh(first.rows)
    if (!first.more) return
    const last = first.rows.at(-1)
    if (!last) throw loops('a page without rows says that more follow')
    if (!from || last.modifiedAt > from) {
      if (from && first.rows.some((row) => row.modifiedAt.getTime() < from!.getTime() - 2_000)) throw loops('rows older than asked for')
      from = last.modifiedAt
      // The next request begins one second earlier, so the rows of that second are remembered too.
      given = new Set(first.rows.filter((row) => row.modifiedAt.getTime() >= from!.getTime() - 1_000).map(rowKey))
      continue
    }
    const next: Date | null = yield* readOn(first)
    if (next === null) return
    from = next
  }
  throw loops('more pages than any CRM has')

  function* fresh(rows: CrmRecord[]): Generator<CrmRecord[]> {
    const unseen = rows.filter((row) => !given.has(rowKey(row)))
    for (const row of unseen) given.add(rowKey(row))
    if (unseen.length > 0) yield unseen
  }

  /**
   * A whole page within the requested second: reads page by page until that second ends, and again
   * until two passes agree. Returns the next second, or null at the end.
   */
  async function* readOn(start: CrmPage): AsyncGenerator<CrmRecord[], Date | null> {
    const second = from!
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const before = given.size
      let page = pass === 1 ? start : await crmPage(client, listing, { from: second }, signal)
      for (let number = 2; ; number++) {
        yield* fresh(page.rows)
        const last = page.rows.at(-1)
        const ended = !page.more || (last !== undefined && last.modifiedAt > second)
        if (ended) {
          if (pass > 1 && given.size === before) return page.more && last ? last.modifiedAt : null
          break
        }
        if (number > MAX_PAGES) throw loops('more pages than any CRM has')
        page = await crmPage(client, listing, { from: second, number, token: page.token }, signal)
      }
    }
    throw loops('the list does not stand still')
  }
}

const rowKey = (row: CrmRecord): string => `${row.id} ${row.modifiedAt.getTime()}`

interface CrmPage {
  rows: CrmRecord[]
  more: boolean
  token: string | null
}

async function crmPage(
  client: ZohoClient,
  { module, fields, runId }: CrmListing,
  { from, number = 1, token = null }: { from: Date | null; number?: number; token?: string | null },
  signal: AbortSignal,
): Promise<CrmPage> {
  const [named = LISTED_ALWAYS, ...others] = fields
  const response = await client.json(
    {
      path: `/crm/v8/${module}`,
      query: {
        fields: named.join(','),
        sort_by: 'Modified_Time',
        sort_order: 'asc',
        per_page: String(PER_PAGE),
        ...(token === null ? { page: String(number) } : { page_token: token }),
      },
      job: CRM_JOB,
      runId,
      organization: false,
      ...(from && { headers: { 'if-modified-since': crmTime(new Date(from.getTime() - 1_000)) } }),
    },
    signal,
  )
  const schema = Row(client.timeZone())
  const rows = rowsOf(response).map((row) => {
    const { id, Modified_Time } = schema.parse(row)
    return { id, modifiedAt: Modified_Time, record: row as Record<string, unknown> }
  })
  for (const group of others) await addFields(client, { module, rows, group, runId }, signal)
  const info = Info.safeParse(response.body.info).data
  return { rows, more: info?.more_records ?? false, token: info?.next_page_token ?? null }
}

/**
 * For a module with more fields than one call may name: fetches the others by the ids of the page.
 */
async function addFields(
  client: ZohoClient,
  { module, rows, group, runId }: { module: CrmModule; rows: CrmRecord[]; group: string[]; runId?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const byId = new Map(rows.map((row) => [row.id, row.record]))
  const ids = [...byId.keys()]
  for (let at = 0; at < ids.length; at += IDS_PER_CALL) {
    const some = ids.slice(at, at + IDS_PER_CALL)
    const response = await client.json(
      {
        path: `/crm/v8/${module}`,
        query: { fields: group.join(','), ids: some.join(','), per_page: String(PER_PAGE) },
        job: CRM_JOB,
        runId,
        organization: false,
      },
      signal,
    )
    for (const row of rowsOf(response)) Object.assign(byId.get(String((row as { id?: unknown }).id)) ?? {}, row)
  }
}

/** Yields the records deleted since then, whether into the recycle bin or for good. */
export async function* listCrmDeletions(
  client: ZohoClient,
  { module, from, runId }: { module: CrmModule; from: Date | null; runId?: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<CrmDeletion[]> {
  let token: string | null = null
  for (let number = 1; number <= MAX_PAGES; number++) {
    const response: ZohoJson = await client.json(
      {
        path: `/crm/v8/${module}/deleted`,
        query: { type: 'all', per_page: String(PER_PAGE), ...(token === null ? { page: String(number) } : { page_token: token }) },
        job: CRM_JOB,
        runId,
        organization: false,
        ...(from && { headers: { 'if-modified-since': crmTime(from) } }),
      },
      signal,
    )
    const schema = Deletion(client.timeZone())
    const rows = rowsOf(response).map((row) => schema.parse(row))
    if (rows.length > 0) yield rows.map((row) => ({ id: row.id, deletedAt: row.deleted_time ?? null }))
    const info = Info.safeParse(response.body.info).data
    if (!info?.more_records) return
    token = info.next_page_token ?? null
  }
  throw loops('more pages than any CRM has')
}

/**
 * 204 and 304 have no body: no records, or none newer. Anything else without rows is not the end of
 * a list.
 */
function rowsOf({ status, body }: ZohoJson): unknown[] {
  if (status === 204 || status === 304) return []
  if (Array.isArray(body.data)) return body.data
  throw new BadGatewayError('list_malformed.crm')
}

const loops = (why: string) => new BadGatewayError('pagination_loop.crm', { problem: why })
