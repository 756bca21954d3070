import type { ApiRoutes, SimulatorState } from './api.ts'
import { firstFrom } from './item-store.ts'
import { withKitStock } from './locations.ts'
import type { SimulatedItem } from './seed.ts'
import { itemDetail, itemRow } from './serialize.ts'

const SORTABLE = new Set(['name', 'sku', 'rate', 'purchase_rate', 'created_time', 'last_modified_time', 'reorder_level', 'stock_on_hand'])
const MAX_PER_PAGE = 200

type Query = Record<string, string | undefined>

/** The route responds to it with HTTP 400 and code 2. */
class RequestError extends Error {}

const FILTERS: Record<string, (item: SimulatedItem) => boolean> = {
  'Status.All': () => true,
  'Status.Active': (item) => item.status === 'active',
  'Status.Inactive': (item) => item.status === 'inactive',
  'Status.Lowstock': () => false,
  'ItemType.All': () => true,
  'ItemType.Inventory': (item) => item.stock !== null,
  'ItemType.Sales': (item) => item.stock === null,
}

/** The filters of the query, each optional; all must match. Null: every item passes. */
function filterOf(query: Query): ((item: SimulatedItem) => boolean) | null {
  const byFilter = FILTERS[query.filter_by ?? 'Status.All']
  if (!byFilter) throw new RequestError('filter_by')
  const tests = query.filter_by === undefined || query.filter_by === 'Status.All' ? [] : [byFilter]
  const text = (key: string, test: (item: SimulatedItem, value: string) => boolean) => {
    const value = query[key]
    if (value !== undefined) tests.push((item) => test(item, value.toLowerCase()))
  }
  text('status', (item, value) => item.status === value)
  text('search_text', (item, value) => [item.name, item.sku, item.description].some((it) => it.toLowerCase().includes(value)))
  for (const field of ['name', 'sku'] as const) {
    text(field, (item, value) => item[field].toLowerCase() === value)
    text(`${field}_startswith`, (item, value) => item[field].toLowerCase().startsWith(value))
    text(`${field}_contains`, (item, value) => item[field].toLowerCase().includes(value))
  }
  text('item_id', (item, value) => item.item_id === value)
  text('group_id', (item, value) => item.group?.id === value)
  return tests.length === 0 ? null : (item) => tests.every((test) => test(item))
}

/**
 * Only a numeric offset without a colon is accepted; a literal Z, milliseconds, or a `+` that
 * became a space is refused (seen live).
 */
function modifiedFrom(value: string | undefined): number {
  if (value === undefined) return Number.NEGATIVE_INFINITY
  const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)$/.exec(value)
  if (!form) throw new RequestError('last_modified_time')
  return Date.parse(`${form[1]}${form[2]}:${form[3]}`)
}

function listPage(state: SimulatorState, query: Query) {
  const { store, toggles, zone } = state
  const whole = (item: SimulatedItem) => withKitStock(item, store.find)
  const page = Math.max(1, Number(query.page ?? 1) || 1)
  const requested = Number(query.per_page ?? MAX_PER_PAGE) || MAX_PER_PAGE
  if (requested > MAX_PER_PAGE && toggles.perPageAbove200 === 'refuse') throw new RequestError('per_page')
  const perPage = Math.min(MAX_PER_PAGE, requested)
  const column = query.sort_column ?? 'name'
  if (!SORTABLE.has(column)) throw new RequestError('sort_column')
  const order = query.sort_order === 'D' ? 'D' : 'A'
  const keep = filterOf(query)
  const from = modifiedFrom(query.last_modified_time)
  state.beforePage.shift()?.(page)

  let rows = store.sorted(column)
  if (column === 'last_modified_time') rows = rows.slice(firstFrom(rows, from))
  else if (from > Number.NEGATIVE_INFINITY) rows = rows.filter((item) => item.modified.getTime() >= from)
  if (keep) rows = rows.filter(keep)
  if (order === 'D') rows = [...rows].reverse()
  const start = (page - 1) * perPage
  if (page > 1 && start >= rows.length && toggles.pagePastEnd === 'refuse') throw new RequestError('page')
  return {
    code: 0,
    message: 'success',
    items: rows.slice(start, start + perPage).map((item) => itemRow(whole(item), zone, toggles)),
    page_context: {
      page,
      per_page: perPage,
      has_more_page: rows.length > start + perPage,
      report_name: 'Items',
      applied_filter: query.filter_by ?? 'Status.All',
      custom_fields: [],
      sort_column: column,
      sort_order: order,
    },
  }
}

const config = { scope: 'ZohoInventory.items.READ' }

/** Items of Inventory: the list, the detail of one, the details of many. */
export const itemRoutes: ApiRoutes = (api, state) => {
  const { store, toggles, counters, zone, locations } = state
  const detailOf = (item: SimulatedItem) => itemDetail(withKitStock(item, store.find), zone, toggles, locations)
  api.get<{ Querystring: Query }>('/inventory/v1/items', { config }, async ({ query }, reply) => {
    counters.list++
    try {
      return listPage(state, query)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      return reply.code(400).send({ code: 2, message: `Invalid value passed for ${error.message}` })
    }
  })
  api.get<{ Querystring: { item_ids?: string } }>('/inventory/v1/itemdetails', { config }, async ({ query }, reply) => {
    counters.details++
    const ids = (query.item_ids ?? '').split(',')
    if (ids.length > toggles.maxDetailIds) return reply.code(414).type('text/html').send('<html><h1>Request-URI Too Large</h1></html>')
    if (ids.some((id) => toggles.refusedItemIds.includes(id) || (toggles.malformedItemIds === 'refuse' && !/^\d+$/.test(id))))
      return reply.code(400).send({ code: 2, message: 'Invalid value passed for item_ids' })
    const found = ids.flatMap((id) => store.find(id) ?? [])
    return { code: 0, message: 'success', items: found.map(detailOf) }
  })
  api.get<{ Params: { id: string } }>('/inventory/v1/items/:id', { config }, async ({ params }, reply) => {
    const item = store.find(params.id)
    if (!item) return reply.code(404).send({ code: 1002, message: 'Item does not exist.' })
    return { code: 0, message: 'success', item: detailOf(item) }
  })
}
