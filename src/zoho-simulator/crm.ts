import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiRoutes } from './api.ts'
import { zohoTime } from './serialize.ts'

export interface CrmRow {
  id: string
  modified: Date
  created: Date
  fields: Record<string, unknown>
}
export interface Deleted {
  id: string
  name: string
  type: 'recycle' | 'permanent'
  at: Date
}

const MODULES = {
  Contacts: ['First_Name', 'Last_Name', 'Full_Name', 'Email', 'Phone', 'Account_Name', 'Description'],
  Accounts: ['Account_Name', 'Phone', 'Website', 'Industry', 'Billing_City', 'Annual_Revenue'],
  Leads: ['First_Name', 'Last_Name', 'Full_Name', 'Company', 'Email', 'Lead_Status'],
  Products: ['Product_Name', 'Product_Code', 'Unit_Price', 'Product_Active'],
  Deals: ['Deal_Name', 'Amount', 'Stage', 'Closing_Date', 'Account_Name'],
} as const
export type CrmModuleName = keyof typeof MODULES
const NAMES = Object.keys(MODULES) as CrmModuleName[]

const MAX_PER_PAGE = 200
const MAX_FIELDS = 50
/** After this number of rows only a page_token continues. */
const FIRST_ROWS = 2_000
const TOKEN_LIFE_MS = 86_400_000
const SORTS = new Set(['id', 'Created_Time', 'Modified_Time'])

export type CrmStore = ReturnType<typeof createCrmStore>

/** The records of the simulated CRM, and its deletions. */
export function createCrmStore({ now, rows = 25 }: { now(): number; rows?: number }) {
  const records = new Map<CrmModuleName, CrmRow[]>(
    NAMES.map((module, m) => [module, Array.from({ length: rows }, (_, n) => made(module, m, n))]),
  )
  const deleted = new Map<CrmModuleName, Deleted[]>(NAMES.map((module) => [module, []]))
  const moreFields = new Map<CrmModuleName, string[]>()
  const calls = { list: 0, deleted: 0, fields: 0 }
  const beforePage: (() => void)[] = []
  const toggles = { sinceIncludesItsSecond: false }
  const find = (module: CrmModuleName, id: string) => records.get(module)!.find((row) => row.id === id)
  const second = () => new Date(Math.floor(now() / 1000) * 1000)

  return {
    calls,
    toggles,
    beforePage,
    rows: (module: CrmModuleName) => records.get(module)!,
    deletedRows: (module: CrmModuleName) => deleted.get(module)!,
    fieldsOf: (module: CrmModuleName) => [...MODULES[module], ...(moreFields.get(module) ?? [])],
    /** Adds custom fields, so that a module has more than one call may name. */
    addFields: (module: CrmModuleName, names: string[]) => void moreFields.set(module, names),
    set: (module: CrmModuleName, all: CrmRow[]) => void records.set(module, all),
    add(module: CrmModuleName, row: Partial<CrmRow> & { id: string }) {
      records.get(module)!.push({ modified: second(), created: second(), fields: {}, ...row })
    },
    edit(module: CrmModuleName, id: string, fields: Record<string, unknown>) {
      const row = find(module, id)
      if (!row) throw new Error(`no ${module} ${id}`)
      row.fields = { ...row.fields, ...fields }
      row.modified = second()
    },
    /** Into the recycle bin, or for good. */
    remove(module: CrmModuleName, id: string, type: Deleted['type'] = 'recycle') {
      const row = find(module, id)
      records.set(
        module,
        records.get(module)!.filter((it) => it.id !== id),
      )
      deleted.get(module)!.push({ id, name: String(row?.fields[MODULES[module][0]] ?? ''), type, at: second() })
    },
    /** Removed from the list of deletions too, as after its sixty days. */
    forget: (module: CrmModuleName) => void deleted.get(module)!.splice(0),
  }
}

function made(module: CrmModuleName, m: number, n: number): CrmRow {
  const at = new Date(Date.UTC(2026, 2, 1, 8, 0, 0) + (m * 1_000 + n) * 3_600_000)
  const fields: Record<string, unknown> = {}
  for (const [f, name] of MODULES[module].entries()) fields[name] = f % 5 === 4 ? null : `${name.replaceAll('_', ' ')} ${n + 1}`
  if (module === 'Deals') fields.Amount = 100.5 + n
  if (module === 'Products') fields.Unit_Price = 9.99 + n
  if (module === 'Contacts') fields.Account_Name = { name: `عميل ${n + 1}`, id: `5540000000001${String(n).padStart(5, '0')}` }
  return { id: `55400000000${m}${String(n).padStart(6, '0')}`, created: at, modified: at, fields }
}

interface Page {
  offset: number
  query: string
  expires: number
}

/**
 * CRM v8 as documented: 204 without records, 304 when nothing is newer, page tokens after 2,000
 * rows, nulls, and a list of deletions.
 */
export const crmRoutes: ApiRoutes = (api, { crm, now, zone }) => {
  const time = (at: Date) => zohoTime(at, zone).replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  const tokens = new Map<string, Page>()
  const wrong = (reply: FastifyReply, code: string, message: string, details: object = {}) =>
    reply.code(400).send({ code, details, message, status: 'error' })

  function since(request: FastifyRequest): number | null {
    const value = request.headers['if-modified-since']
    return typeof value === 'string' ? Date.parse(value) : null
  }

  function page<T>(reply: FastifyReply, query: Record<string, string | undefined>, all: T[], rowKey: string, shown: (row: T) => object) {
    const perPage = Math.min(MAX_PER_PAGE, Number(query.per_page ?? MAX_PER_PAGE) || MAX_PER_PAGE)
    let offset = (Math.max(1, Number(query.page ?? 1) || 1) - 1) * perPage
    if (query.page_token !== undefined) {
      const known = tokens.get(query.page_token)
      if (query.page !== undefined || !known || known.expires <= now() || known.query !== rowKey)
        return wrong(reply, 'INVALID_DATA', 'the page_token is not valid', { param_name: 'page_token' })
      offset = known.offset
    } else if (offset + perPage > FIRST_ROWS) {
      return wrong(reply, 'DISCRETE_PAGINATION_LIMIT_EXCEEDED', 'You can only get the first 2000 records without using page_token param', {
        limit: FIRST_ROWS,
      })
    }
    const rows = all.slice(offset, offset + perPage)
    if (rows.length === 0) return reply.code(204).send()
    const more = all.length > offset + perPage
    const token = createHash('sha256')
      .update(`${rowKey} ${offset + perPage}`)
      .digest('hex')
    if (more) tokens.set(token, { offset: offset + perPage, query: rowKey, expires: now() + TOKEN_LIFE_MS })
    return {
      data: rows.map(shown),
      info: {
        per_page: perPage,
        count: rows.length,
        page: Math.floor(offset / perPage) + 1,
        more_records: more,
        next_page_token: more ? token : null,
        previous_page_token: null,
        page_token_expiry: more ? time(new Date(now() + TOKEN_LIFE_MS)) : null,
        sort_by: query.sort_by ?? 'id',
        sort_order: query.sort_order ?? 'desc',
      },
    }
  }

  for (const module of NAMES) {
    const config = { scope: `ZohoCRM.modules.${module.toLowerCase()}.READ`, organization: false, crm: true }
    api.get<{ Querystring: Record<string, string | undefined> }>(`/crm/v8/${module}`, { config }, async (request, reply) => {
      const { query } = request
      crm.calls.list++
      crm.beforePage.shift()?.()
      const fields = (query.fields ?? '').split(',').filter((it) => it !== '')
      if (fields.length === 0)
        return wrong(reply, 'REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', { param: 'fields' })
      if (fields.length > MAX_FIELDS) return wrong(reply, 'LIMIT_EXCEEDED_FIELDS', 'more than 50 fields', { limit: MAX_FIELDS })
      const sortBy = query.sort_by ?? 'id'
      if (!SORTS.has(sortBy)) return wrong(reply, 'INVALID_DATA', 'invalid sort_by', { param_name: 'sort_by' })
      const key = (row: CrmRow) => (sortBy === 'id' ? row.id : (sortBy === 'Created_Time' ? row.created : row.modified).toISOString())
      const order = query.sort_order === 'asc' ? 1 : -1
      const from = since(request)
      const ids = query.ids?.split(',')
      let rows = [...crm.rows(module)].sort((a, b) => (key(a) < key(b) ? -order : key(a) > key(b) ? order : a.id < b.id ? -1 : 1))
      if (ids) rows = rows.filter((row) => ids.includes(row.id))
      if (from !== null) {
        rows = rows.filter((row) => (crm.toggles.sinceIncludesItsSecond ? row.modified.getTime() >= from : row.modified.getTime() > from))
        if (rows.length === 0) return reply.code(304).send()
      }
      return page(reply, query, rows, `${module} ${query.fields} ${sortBy} ${order} ${from}`, (row) => ({
        ...Object.fromEntries(fields.map((name) => [name, row.fields[name] ?? null])),
        ...(fields.includes('Modified_Time') && { Modified_Time: time(row.modified) }),
        ...(fields.includes('Created_Time') && { Created_Time: time(row.created) }),
        id: row.id,
      }))
    })
    api.get<{ Querystring: Record<string, string | undefined> }>(`/crm/v8/${module}/deleted`, { config }, async (request, reply) => {
      crm.calls.deleted++
      const from = since(request)
      const type = request.query.type ?? 'all'
      const rows = crm
        .deletedRows(module)
        .filter((row) => (type === 'all' || row.type === type) && (from === null || row.at.getTime() >= from))
      if (from !== null && rows.length === 0) return reply.code(304).send()
      return page(reply, request.query, rows, `deleted ${module} ${type} ${from}`, (row) => ({
        id: row.id,
        display_name: row.name,
        type: row.type,
        deleted_by: { name: 'Demo', id: '554000000000000001' },
        created_by: null,
        deleted_time: time(row.at),
      }))
    })
  }
  api.get<{ Querystring: { module?: string } }>(
    '/crm/v8/settings/fields',
    { config: { scope: 'ZohoCRM.settings.fields.READ', organization: false, crm: true } },
    async ({ query }, reply) => {
      crm.calls.fields++
      const module = NAMES.find((it) => it === query.module)
      if (!module) return wrong(reply, 'INVALID_MODULE', 'the module name given seems to be invalid')
      const names = ['id', 'Owner', 'Created_Time', 'Modified_Time', ...crm.fieldsOf(module)]
      return {
        fields: [...names.map((api_name) => ({ api_name, data_type: 'text', visible: true })), { api_name: 'Lines', data_type: 'subform' }],
      }
    },
  )
}
