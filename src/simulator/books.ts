import type { FastifyInstance } from 'fastify'
import type { ApiRoutes, World } from './api.ts'
import { type BookDocument, type DocumentKind, makeContact, makeDocument, makePayment } from './book-documents.ts'
import { itemDetail, itemRow, zohoTime } from './wire.ts'

/** How many records each module has; what is not named keeps its number. */
export type BookCounts = Partial<Record<BookModuleName, number>>
export type BookModuleName = keyof typeof KINDS

interface ModuleKind {
  /** Keys of the list's answer; documents and answers of customer payments differ. */
  key: string
  detailKey: string
  entity: string
  /** Zoho's own order without a sort. */
  sort: [column: string, order: 'A' | 'D']
  sortable: readonly string[]
  /** The list takes last_modified_time; elsewhere it is ignored, as unknown parameters are. */
  filter: boolean
  count: number
  /** Zoho Invoice has it. */
  invoice: boolean
  make(n: number, id: string): BookDocument
}

const documents = (
  kind: Omit<DocumentKind, 'lines'>,
  more: Partial<ModuleKind> & { count: number; entity: string; detailKey: string },
): ModuleKind => ({
  key: kind.module,
  sort: ['created_time', 'D'],
  sortable: ['created_time', 'last_modified_time', 'date', 'total', kind.numberField],
  filter: true,
  invoice: false,
  make: (n, id) => makeDocument({ ...kind, lines: true }, n, id),
  ...more,
})

const KINDS = {
  invoices: documents(
    { module: 'invoices', idField: 'invoice_id', numberField: 'invoice_number', prefix: 'INV', party: 'customer' },
    { count: 320, entity: 'Invoice', detailKey: 'invoice', invoice: true },
  ),
  contacts: {
    key: 'contacts',
    detailKey: 'contact',
    entity: 'Contact',
    sort: ['contact_name', 'A'],
    sortable: ['contact_name', 'created_time', 'last_modified_time'],
    filter: false,
    count: 240,
    invoice: true,
    make: makeContact,
  },
  customerpayments: {
    key: 'customerpayments',
    detailKey: 'payment',
    entity: 'Payment',
    sort: ['date', 'D'],
    sortable: ['date', 'amount', 'payment_number', 'created_time', 'last_modified_time'],
    filter: false,
    count: 150,
    invoice: true,
    make: (n, id) => makePayment(n, id, 'customer'),
  },
  bills: documents(
    { module: 'bills', idField: 'bill_id', numberField: 'bill_number', prefix: 'BILL', party: 'vendor' },
    { count: 90, entity: 'Bill', detailKey: 'bill' },
  ),
  vendorpayments: {
    key: 'vendorpayments',
    detailKey: 'vendorpayment',
    entity: 'Payment',
    sort: ['date', 'D'],
    sortable: ['date', 'amount', 'payment_number', 'created_time', 'last_modified_time'],
    filter: true,
    count: 60,
    invoice: false,
    make: (n, id) => makePayment(n, id, 'vendor'),
  },
  salesorders: documents(
    { module: 'salesorders', idField: 'salesorder_id', numberField: 'salesorder_number', prefix: 'SO', party: 'customer' },
    { count: 110, entity: 'Sales Order', detailKey: 'salesorder' },
  ),
  purchaseorders: documents(
    { module: 'purchaseorders', idField: 'purchaseorder_id', numberField: 'purchaseorder_number', prefix: 'PO', party: 'vendor' },
    { count: 70, entity: 'Purchase Order', detailKey: 'purchaseorder' },
  ),
  creditnotes: documents(
    { module: 'creditnotes', idField: 'creditnote_id', numberField: 'creditnote_number', prefix: 'CN', party: 'customer' },
    { count: 25, entity: 'Credit Note', detailKey: 'creditnote', filter: false, invoice: true },
  ),
} satisfies Record<string, ModuleKind>

const NAMES = Object.keys(KINDS) as BookModuleName[]
const FIRST_CREATED_S = Date.UTC(2025, 0, 1) / 1000
const SPAN_S = 600 * 86_400
/** A bulk import leaves so many records in one second, where the module is large enough. */
const IMPORT_ROWS = 450

interface Entry {
  n: number
  id: string
  createdS: number
  modifiedS: number
  /** What an edit changed, in the list's row and the detail. */
  change?: Record<string, unknown>
}

interface Shelf {
  entries: Entry[]
  byId: Map<string, Entry>
  byModified: Entry[] | null
  next: number
}

/** One module's records: only ids and times are kept, the rest is made when it is asked for, so 100,000 cost little. */
function createShelf(name: BookModuleName, count: number): Shelf {
  const step = Math.max(1, Math.floor(SPAN_S / Math.max(1, count)))
  const imported = count > 2 * IMPORT_ROWS ? { from: Math.floor(count * 0.4), to: Math.floor(count * 0.4) + IMPORT_ROWS } : null
  const entries = Array.from({ length: count }, (_, n): Entry => {
    const createdS = FIRST_CREATED_S + n * step
    const inImport = imported !== null && n >= imported.from && n < imported.to
    return { n, id: idOf(name, n), createdS, modifiedS: inImport ? FIRST_CREATED_S + SPAN_S : createdS + ((n * 7_919) % 100_000) }
  })
  return { entries, byId: new Map(entries.map((entry) => [entry.id, entry])), byModified: null, next: count }
}

const idOf = (name: BookModuleName, n: number): string =>
  String(460_000_000_010_000_000n + BigInt(NAMES.indexOf(name)) * 100_000_000n + BigInt(n))

export type Books = ReturnType<typeof createBooks>

/** Books (and Invoice) of the simulated organisation, with what tests steer: edits, additions, deletions, and lists that misbehave. */
export function createBooks(counts: BookCounts = {}, { now }: { now(): number }) {
  const shelves = new Map(NAMES.map((name) => [name, createShelf(name, counts[name] ?? KINDS[name].count)]))
  const shelf = (name: BookModuleName): Shelf => shelves.get(name)!
  const second = () => Math.floor(now() / 1000)
  const counters = { lists: {} as Record<string, number>, details: {} as Record<string, number>, detailIds: [] as string[] }
  /** Lists of these modules keep to no order. */
  const unsorted = new Set<string>()
  /** The next pages of a module that end the list too early. */
  const short = new Map<string, number>()
  /** Refuse last_modified_time as a column to sort by. */
  const unsortable = new Set<string>()
  let paymentsKey: 'customerpayments' | 'customer_payments' = 'customerpayments'

  return {
    shelves,
    shelf,
    counters,
    unsorted,
    unsortable,
    short,
    paymentsKey: () => paymentsKey,
    setPaymentsKey(key: typeof paymentsKey) {
      paymentsKey = key
    },
    ids: (name: BookModuleName) => shelf(name).entries.map((entry) => entry.id),
    /** As in Zoho, an edit makes the record newer. */
    edit(name: BookModuleName, id: string, change: Record<string, unknown>, { touches = true } = {}) {
      const entry = shelf(name).byId.get(id)
      if (!entry) throw new Error(`no ${name} ${id}`)
      entry.change = { ...entry.change, ...change }
      if (touches) entry.modifiedS = second()
      shelf(name).byModified = null
    },
    add(name: BookModuleName): string {
      const { entries, byId, next } = shelf(name)
      const entry: Entry = { n: next, id: idOf(name, next), createdS: second(), modifiedS: second() }
      shelf(name).next++
      entries.push(entry)
      byId.set(entry.id, entry)
      shelf(name).byModified = null
      return entry.id
    },
    remove(name: BookModuleName, id: string) {
      const place = shelf(name)
      place.entries = place.entries.filter((entry) => entry.id !== id)
      place.byId.delete(id)
      place.byModified = null
    },
  }
}

const timed = (entry: Entry, zone: string) => ({
  created_time: zohoTime(new Date(entry.createdS * 1000), zone),
  last_modified_time: zohoTime(new Date(entry.modifiedS * 1000), zone),
})

function rowOf(kind: ModuleKind, entry: Entry, zone: string): Record<string, unknown> {
  const { line_items: _, ...change } = entry.change ?? {}
  return { ...kind.make(entry.n, entry.id).row, ...timed(entry, zone), ...change }
}

const byModified = (shelf: Shelf): Entry[] => {
  shelf.byModified ??= [...shelf.entries].sort((a, b) => a.modifiedS - b.modifiedS || (a.id < b.id ? -1 : 1))
  return shelf.byModified
}

/** The records in the order of a column, rising. Only times are cheap; other columns are made for every record, as tests of small lists need. */
function sorted(shelf: Shelf, kind: ModuleKind, column: string): Entry[] {
  if (column === 'last_modified_time') return byModified(shelf)
  if (column === 'created_time') return [...shelf.entries].sort((a, b) => a.createdS - b.createdS || (a.id < b.id ? -1 : 1))
  const key = (entry: Entry): string => {
    const value = { ...kind.make(entry.n, entry.id).row, ...entry.change }[column]
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return shelf.entries
    .map((entry) => ({ entry, key: key(entry) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ entry }) => entry)
}

type Query = Record<string, string | undefined>
class Refused extends Error {}

function listAnswer(name: BookModuleName, books: Books, world: World, query: Query): string {
  const kind: ModuleKind = KINDS[name]
  const page = Math.max(1, Number(query.page ?? 1) || 1)
  const perPage = Math.min(200, Number(query.per_page ?? 200) || 200)
  const column = query.sort_column ?? kind.sort[0]
  if (!kind.sortable.includes(column) || (books.unsortable.has(name) && query.sort_column !== undefined)) throw new Refused('sort_column')
  const order = query.sort_column === undefined ? kind.sort[1] : query.sort_order === 'D' ? 'D' : 'A'
  world.beforePage.shift()?.(page)
  const misordered = books.unsorted.has(name)
  let entries = misordered ? sorted(books.shelf(name), kind, 'created_time') : sorted(books.shelf(name), kind, column)
  if (kind.filter && query.last_modified_time !== undefined) {
    const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)$/.exec(query.last_modified_time)
    if (!form) throw new Refused('last_modified_time')
    const fromS = Date.parse(`${form[1]}${form[2]}:${form[3]}`) / 1000
    entries = entries.filter((entry) => entry.modifiedS >= fromS)
  }
  if (misordered) entries = [...entries.filter((_, n) => n % 2 === 1), ...entries.filter((_, n) => n % 2 === 0)]
  else if (order === 'D') entries = entries.toReversed()
  const start = (page - 1) * perPage
  const cut = books.short.get(name) ?? 0
  if (cut > 0) books.short.set(name, cut - 1)
  const rows = cut > 0 ? [] : entries.slice(start, start + perPage).map((entry) => rowOf(kind, entry, world.zone))
  return JSON.stringify({
    code: 0,
    message: 'success',
    [name === 'customerpayments' ? books.paymentsKey() : kind.key]: rows,
    page_context: {
      page,
      per_page: perPage,
      has_more_page: cut === 0 && entries.length > start + perPage,
      report_name: kind.entity,
      applied_filter: 'Status.All',
      custom_fields: [],
      sort_column: column,
      sort_order: order,
    },
  })
}

/** `/books/v3` and `/invoice/v3`: lists without line items, details with them. */
export const bookRoutes =
  (books: Books): ApiRoutes =>
  (api, world) => {
    const json = 'application/json;charset=UTF-8'
    for (const [base, service] of [
      ['/books/v3', 'ZohoBooks'],
      ['/invoice/v3', 'ZohoInvoice'],
    ] as const) {
      for (const name of NAMES) {
        const kind: ModuleKind = KINDS[name]
        if (service === 'ZohoInvoice' && !kind.invoice) continue
        const config = { scope: `${service}.${name}.READ` }
        api.get<{ Querystring: Query }>(`${base}/${name}`, { config }, async ({ query }, reply) => {
          books.counters.lists[name] = (books.counters.lists[name] ?? 0) + 1
          try {
            return reply.type(json).send(listAnswer(name, books, world, query))
          } catch (error) {
            if (!(error instanceof Refused)) throw error
            return reply.code(400).send({ code: 2, message: `Invalid value passed for ${error.message}` })
          }
        })
        api.get<{ Params: { id: string } }>(`${base}/${name}/:id`, { config }, async ({ params }, reply) => {
          books.counters.details[name] = (books.counters.details[name] ?? 0) + 1
          books.counters.detailIds.push(params.id)
          const entry = books.shelf(name).byId.get(params.id)
          if (!entry) return reply.code(404).send({ code: 1002, message: `${kind.entity} does not exist.` })
          const detail = { ...kind.make(entry.n, entry.id).detail, ...timed(entry, world.zone), ...entry.change }
          return reply.type(json).send(JSON.stringify({ code: 0, message: 'success', [kind.detailKey]: detail }))
        })
      }
      bookItems(api, world, base, `${service}.settings.READ`)
    }
  }

/** Items of Books: fewer keys than in Inventory, and last_modified_time is not known here. */
function bookItems(api: FastifyInstance, { shelf, zone }: World, base: string, scope: string): void {
  api.get<{ Querystring: Query }>(`${base}/items`, { config: { scope } }, async ({ query }) => {
    const page = Math.max(1, Number(query.page ?? 1) || 1)
    const perPage = Math.min(200, Number(query.per_page ?? 200) || 200)
    const column = query.sort_column ?? 'name'
    const rising = shelf.sorted(column)
    const items = query.sort_order === 'D' ? rising.toReversed() : rising
    const start = (page - 1) * perPage
    return {
      code: 0,
      message: 'success',
      items: items.slice(start, start + perPage).map((item) => {
        const { group_id: _, group_name: __, brand: ___, manufacturer: ____, ...row } = itemRow(item, zone)
        return row
      }),
      page_context: {
        page,
        per_page: perPage,
        has_more_page: items.length > start + perPage,
        report_name: 'Items',
        applied_filter: 'Status.All',
        custom_fields: [],
        sort_column: column,
        sort_order: query.sort_order ?? 'A',
      },
    }
  })
  api.get<{ Params: { id: string } }>(`${base}/items/:id`, { config: { scope } }, async ({ params }, reply) => {
    const item = shelf.find(params.id)
    return item
      ? { code: 0, message: 'success', item: itemDetail(item, zone) }
      : reply.code(404).send({ code: 1002, message: 'Item does not exist.' })
  })
}

/** Steering over HTTP, with JSON bodies. */
export function bookControl(app: FastifyInstance, books: Books): void {
  type Named = { module: BookModuleName }
  app.get('/_control/books', async () => ({
    ...books.counters,
    counts: Object.fromEntries(NAMES.map((name) => [name, books.shelf(name).entries.length])),
  }))
  app.post<{ Params: Named }>('/_control/books/:module', async ({ params }) => ({ id: books.add(params.module) }))
  app.post<{ Params: Named & { id: string }; Body: Record<string, unknown> }>('/_control/books/:module/:id', async ({ params, body }) => {
    books.edit(params.module, params.id, body)
    return { id: params.id }
  })
  app.delete<{ Params: Named & { id: string } }>('/_control/books/:module/:id', async ({ params }) => {
    books.remove(params.module, params.id)
    return { count: books.shelf(params.module).entries.length }
  })
}
