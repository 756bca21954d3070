import type { FastifyInstance } from 'fastify'
import type { ApiRoutes, SimulatorState } from './api.ts'
import { type BooksModuleName, KINDS, type ModuleKind, NAMES } from './books-modules.ts'
import { type Books, rowOf, sorted, timed } from './books-store.ts'
import { itemDetail, itemRow } from './serialize.ts'

type Query = Record<string, string | undefined>
class RequestError extends Error {}

function listAnswer(name: BooksModuleName, books: Books, state: SimulatorState, query: Query): string {
  const kind: ModuleKind = KINDS[name]
  const page = Math.max(1, Number(query.page ?? 1) || 1)
  const perPage = Math.min(200, Number(query.per_page ?? 200) || 200)
  const column = query.sort_column ?? kind.sort[0]
  if (!kind.sortable.includes(column) || (books.unsortable.has(name) && query.sort_column !== undefined))
    throw new RequestError('sort_column')
  const order = query.sort_column === undefined ? kind.sort[1] : query.sort_order === 'D' ? 'D' : 'A'
  state.beforePage.shift()?.(page)
  const misordered = books.unsorted.has(name)
  let entries = misordered ? sorted(books.store(name), kind, 'created_time') : sorted(books.store(name), kind, column)
  if (kind.filter && query.last_modified_time !== undefined) {
    const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)$/.exec(query.last_modified_time)
    if (!form) throw new RequestError('last_modified_time')
    const fromS = Date.parse(`${form[1]}${form[2]}:${form[3]}`) / 1000
    entries = entries.filter((entry) => entry.modifiedS >= fromS)
  }
  if (misordered) entries = [...entries.filter((_, n) => n % 2 === 1), ...entries.filter((_, n) => n % 2 === 0)]
  else if (order === 'D') entries = entries.toReversed()
  const start = (page - 1) * perPage
  const cut = books.short.get(name) ?? 0
  if (cut > 0) books.short.set(name, cut - 1)
  const rows = cut > 0 ? [] : entries.slice(start, start + perPage).map((entry) => rowOf(kind, entry, state.zone))
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

/** Keys of rows in Inventory that are missing in Books. */
const INVENTORY_KEYS =
  /^(group_|attribute_|brand$|manufacturer$|upc$|ean$|isbn$|part_number$|length$|width$|height$|weight|dimension|is_combo|is_returnable)/

/** `/books/v3` and `/invoice/v3`: lists without line items, details with them. */
export const booksRoutes =
  (books: Books): ApiRoutes =>
  (api, state) => {
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
            return reply.type(json).send(listAnswer(name, books, state, query))
          } catch (error) {
            if (!(error instanceof RequestError)) throw error
            return reply.code(400).send({ code: 2, message: `Invalid value passed for ${error.message}` })
          }
        })
        api.get<{ Params: { id: string } }>(`${base}/${name}/:id`, { config }, async ({ params }, reply) => {
          books.counters.details[name] = (books.counters.details[name] ?? 0) + 1
          books.counters.detailIds.push(params.id)
          const entry = books.store(name).byId.get(params.id)
          if (!entry) return reply.code(404).send({ code: 1002, message: `${kind.entity} does not exist.` })
          const detail = { ...kind.make(entry.n, entry.id).detail, ...timed(entry, state.zone), ...entry.change }
          return reply.type(json).send(JSON.stringify({ code: 0, message: 'success', [kind.detailKey]: detail }))
        })
      }
      bookItems(api, state, base, `${service}.settings.READ`)
    }
  }

/** Items of Books: fewer keys than in Inventory, and last_modified_time is not supported here. */
function bookItems(api: FastifyInstance, { store, zone, toggles }: SimulatorState, base: string, scope: string): void {
  api.get<{ Querystring: Query }>(`${base}/items`, { config: { scope } }, async ({ query }) => {
    const page = Math.max(1, Number(query.page ?? 1) || 1)
    const perPage = Math.min(200, Number(query.per_page ?? 200) || 200)
    const column = query.sort_column ?? 'name'
    const rising = store.sorted(column)
    const items = query.sort_order === 'D' ? rising.toReversed() : rising
    const start = (page - 1) * perPage
    return {
      code: 0,
      message: 'success',
      items: items.slice(start, start + perPage).map((item) => {
        return Object.fromEntries(Object.entries(itemRow(item, zone)).filter(([key]) => !INVENTORY_KEYS.test(key)))
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
    const item = store.find(params.id)
    return item
      ? { code: 0, message: 'success', item: itemDetail(item, zone, toggles) }
      : reply.code(404).send({ code: 1002, message: 'Item does not exist.' })
  })
}
