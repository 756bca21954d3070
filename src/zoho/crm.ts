import { z } from 'zod'
import { UpstreamFailed } from '../errors.ts'
import type { ZohoClient, ZohoJson } from './client.ts'
import { CallRefused, NeedsPerson, NothingThere } from './failures.ts'
import { Id, Instant } from './wire.ts'

/** The CRM modules that zinc keeps, by their names in addresses. */
export const CRM_MODULES = ['Contacts', 'Accounts', 'Leads', 'Products', 'Deals'] as const
export type CrmModule = (typeof CRM_MODULES)[number]

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
/** A list call names at most so many fields. */
const FIELDS_PER_CALL = 50
const IDS_PER_CALL = 100
const MAX_PAGES = 10_000
const MAX_PASSES = 5
const JOB = 'crm'
/** Kinds of fields that a list cannot give; asking for one makes the whole call fail. */
const NOT_LISTED = new Set([
  'subform',
  'multiselectlookup',
  'multiuserlookup',
  'fileupload',
  'imageupload',
  'profileimage',
  'rollup_summary_list',
])

/** What every CRM has, for accounts that may not read the fields. */
const STANDARD_FIELDS: Record<CrmModule, string[]> = {
  Contacts: [
    'First_Name',
    'Last_Name',
    'Full_Name',
    'Email',
    'Secondary_Email',
    'Phone',
    'Mobile',
    'Account_Name',
    'Title',
    'Department',
    'Lead_Source',
    'Mailing_Street',
    'Mailing_City',
    'Mailing_State',
    'Mailing_Zip',
    'Mailing_Country',
    'Description',
  ],
  Accounts: [
    'Account_Name',
    'Account_Number',
    'Account_Type',
    'Industry',
    'Phone',
    'Website',
    'Parent_Account',
    'Annual_Revenue',
    'Employees',
    'Billing_Street',
    'Billing_City',
    'Billing_State',
    'Billing_Code',
    'Billing_Country',
    'Description',
  ],
  Leads: [
    'First_Name',
    'Last_Name',
    'Full_Name',
    'Company',
    'Email',
    'Phone',
    'Mobile',
    'Lead_Source',
    'Lead_Status',
    'Industry',
    'Website',
    'Street',
    'City',
    'State',
    'Zip_Code',
    'Country',
    'Description',
  ],
  Products: [
    'Product_Name',
    'Product_Code',
    'Product_Category',
    'Product_Active',
    'Manufacturer',
    'Vendor_Name',
    'Unit_Price',
    'Usage_Unit',
    'Qty_in_Stock',
    'Qty_in_Demand',
    'Reorder_Level',
    'Taxable',
    'Description',
  ],
  Deals: [
    'Deal_Name',
    'Account_Name',
    'Contact_Name',
    'Amount',
    'Stage',
    'Probability',
    'Closing_Date',
    'Type',
    'Lead_Source',
    'Next_Step',
    'Description',
  ],
}
const ALWAYS = ['Modified_Time', 'Created_Time', 'Owner']

const Row = z.looseObject({ id: Id, Modified_Time: Instant })
const Info = z.looseObject({ more_records: z.boolean().catch(false), next_page_token: z.string().nullish().catch(null) })
const Deletion = z.looseObject({ id: Id, deleted_time: Instant.nullish().catch(null) })

/** ISO with a colon in the offset, unlike Books; whole seconds. */
export const crmTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+00:00`

/** The fields of a module that a list can give, in groups that one call may name. Without the right to read them: the standard ones. */
export async function crmFields(
  client: ZohoClient,
  module: CrmModule,
  { runId }: { runId?: string | undefined },
  signal: AbortSignal,
): Promise<string[][]> {
  const names = await fieldNames(client, module, { runId }, signal)
  const more = [...new Set(names)].filter((name) => name !== 'id' && !ALWAYS.includes(name))
  const groups = [[...ALWAYS, ...more.slice(0, FIELDS_PER_CALL - ALWAYS.length)]]
  for (let at = FIELDS_PER_CALL - ALWAYS.length; at < more.length; at += FIELDS_PER_CALL) groups.push(more.slice(at, at + FIELDS_PER_CALL))
  return groups
}

async function fieldNames(
  client: ZohoClient,
  module: CrmModule,
  { runId }: { runId?: string | undefined },
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const { body } = await client.json({ path: '/crm/v8/settings/fields', query: { module }, job: JOB, organization: false, runId }, signal)
    const fields = z
      .array(z.looseObject({ api_name: z.string(), data_type: z.string().optional() }))
      .catch([])
      .parse(body.fields)
    const names = fields.filter((it) => !NOT_LISTED.has(it.data_type ?? '')).map((it) => it.api_name)
    return names.length > 0 ? names : STANDARD_FIELDS[module]
  } catch (error) {
    const lacksRight = error instanceof NeedsPerson && ['57', 'OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION'].includes(error.code)
    if (lacksRight || error instanceof NothingThere || error instanceof CallRefused) return STANDARD_FIELDS[module]
    throw error
  }
}

export interface CrmListing {
  module: CrmModule
  fields: string[][]
  /** Records modified from here on; null: all. */
  from: Date | null
  runId?: string | undefined
}

/**
 * The records of a module in the order of their modification, while they may change. Keyset and not offset: an edit between two pages moves a row
 * to the end and shifts another past the reader. Whether If-Modified-Since includes its second is not documented, so each page asks from a second
 * before, and what was given is left out. Within one second pages follow each other, by token where Zoho gives one (past 2,000 rows it must).
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
      // What is asked for next begins a second before, so its rows are remembered, too.
      given = new Set(first.rows.filter((row) => row.modifiedAt.getTime() >= from!.getTime() - 1_000).map(face))
      continue
    }
    const next: Date | null = yield* readOn(first)
    if (next === null) return
    from = next
  }
  throw loops('more pages than any CRM has')

  function* fresh(rows: CrmRecord[]): Generator<CrmRecord[]> {
    const unseen = rows.filter((row) => !given.has(face(row)))
    for (const row of unseen) given.add(face(row))
    if (unseen.length > 0) yield unseen
  }

  /** A whole page within the second asked for: on by page until it ends, again until two passes agree. Answers the next second, or null at the end. */
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

const face = (row: CrmRecord): string => `${row.id} ${row.modifiedAt.getTime()}`

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
  const [named = ALWAYS, ...others] = fields
  const answer = await client.json(
    {
      path: `/crm/v8/${module}`,
      query: {
        fields: named.join(','),
        sort_by: 'Modified_Time',
        sort_order: 'asc',
        per_page: String(PER_PAGE),
        ...(token === null ? { page: String(number) } : { page_token: token }),
      },
      job: JOB,
      runId,
      organization: false,
      ...(from && { headers: { 'if-modified-since': crmTime(new Date(from.getTime() - 1_000)) } }),
    },
    signal,
  )
  const rows = rowsOf(answer).map((row) => {
    const { id, Modified_Time } = Row.parse(row)
    return { id, modifiedAt: Modified_Time, record: row as Record<string, unknown> }
  })
  for (const group of others) await addFields(client, { module, rows, group, runId }, signal)
  const info = Info.safeParse(answer.body.info).data
  return { rows, more: info?.more_records ?? false, token: info?.next_page_token ?? null }
}

/** A module with more fields than a call may name: the others by the ids of the page. */
async function addFields(
  client: ZohoClient,
  { module, rows, group, runId }: { module: CrmModule; rows: CrmRecord[]; group: string[]; runId?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const byId = new Map(rows.map((row) => [row.id, row.record]))
  const ids = [...byId.keys()]
  for (let at = 0; at < ids.length; at += IDS_PER_CALL) {
    const some = ids.slice(at, at + IDS_PER_CALL)
    const answer = await client.json(
      {
        path: `/crm/v8/${module}`,
        query: { fields: group.join(','), ids: some.join(','), per_page: String(PER_PAGE) },
        job: JOB,
        runId,
        organization: false,
      },
      signal,
    )
    for (const row of rowsOf(answer)) Object.assign(byId.get(String((row as { id?: unknown }).id)) ?? {}, row)
  }
}

/** What was deleted since a moment: into the recycle bin or for good. */
export async function* listCrmDeletions(
  client: ZohoClient,
  { module, from, runId }: { module: CrmModule; from: Date | null; runId?: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<CrmDeletion[]> {
  let token: string | null = null
  for (let number = 1; number <= MAX_PAGES; number++) {
    const answer: ZohoJson = await client.json(
      {
        path: `/crm/v8/${module}/deleted`,
        query: { type: 'all', per_page: String(PER_PAGE), ...(token === null ? { page: String(number) } : { page_token: token }) },
        job: JOB,
        runId,
        organization: false,
        ...(from && { headers: { 'if-modified-since': crmTime(from) } }),
      },
      signal,
    )
    const rows = rowsOf(answer).map((row) => Deletion.parse(row))
    if (rows.length > 0) yield rows.map((row) => ({ id: row.id, deletedAt: row.deleted_time ?? null }))
    const info = Info.safeParse(answer.body.info).data
    if (!info?.more_records) return
    token = info.next_page_token ?? null
  }
  throw loops('more pages than any CRM has')
}

/** 204 and 304 have no body: nothing there, nothing newer. Anything else without rows is no end of a list. */
function rowsOf({ status, body }: ZohoJson): unknown[] {
  if (status === 204 || status === 304) return []
  if (Array.isArray(body.data)) return body.data
  throw new UpstreamFailed('list_without_rows', "Zoho CRM's answer has no data", { remedy: 'zinc tries again at the next sync.' })
}

const loops = (why: string) =>
  new UpstreamFailed('list_repeats', `Zoho CRM's list does not lead to an end: ${why}`, {
    remedy: 'Nothing was removed. Start the sync again later; if it stays, tell Zoho support.',
  })
