import type { ApiRoutes } from './api.ts'
import type { SimulatedItem } from './seed.ts'
import { zohoTime } from './serialize.ts'

export interface SimulatedRate {
  item_id: string
  /** "" : the item is on the list without a price. */
  rate: number | string
  /** Prices by quantity instead; `end` "" is open. */
  brackets?: { start: number; end: number | ''; rate: number }[]
}

export interface SimulatedPriceBook {
  pricebook_id: string
  name: string
  type: 'per_item' | 'fixed_percentage'
  sales_or_purchase_type: 'sales' | 'purchases'
  /** Percentage lists have none. */
  currency_code: string
  is_increase: boolean
  percentage: number | ''
  rounding_type: string
  decimal_place: number
  is_default: boolean
  status: 'active' | 'inactive'
  rates: SimulatedRate[]
  modified: Date
}

const FIRST_LIST = 460_000_000_000_700_001n
const hundredths = (value: number): number => Math.round(value * 100) / 100

/**
 * Four price lists of the demo's shop: a rate per item with quantities in two currencies, a
 * percentage with a rounding, one of purchases; and one that is inactive.
 */
export function createPriceBooks(items: SimulatedItem[]): SimulatedPriceBook[] {
  const common = {
    is_increase: false,
    decimal_place: 2,
    is_default: false,
    status: 'active' as const,
    modified: new Date(Date.UTC(2025, 4, 15, 9)),
  }
  const perItem = { ...common, type: 'per_item' as const, percentage: '' as const, rounding_type: 'no_rounding' }
  const some = (step: number, at: number) => items.filter((_, n) => n % step === at)
  const lists = [
    {
      ...perItem,
      name: 'Partners',
      sales_or_purchase_type: 'sales' as const,
      currency_code: 'USD',
      rates: some(3, 0).map(({ item_id, rate }, n) =>
        n % 5 === 4
          ? {
              item_id,
              rate: '',
              brackets: [
                { start: 10, end: 19 as const, rate: hundredths(rate * 0.95) },
                { start: 20, end: '' as const, rate: hundredths(rate * 0.9) },
              ],
            }
          : { item_id, rate: hundredths(rate * 0.92) },
      ),
    },
    {
      ...perItem,
      name: 'Retail IQD',
      sales_or_purchase_type: 'sales' as const,
      currency_code: 'IQD',
      decimal_place: 0,
      rates: some(2, 1).map(({ item_id, rate }) => ({ item_id, rate: Math.round(rate * 1_310) })),
    },
    {
      ...common,
      name: 'Wholesale',
      type: 'fixed_percentage' as const,
      sales_or_purchase_type: 'sales' as const,
      currency_code: '',
      percentage: 12.5,
      rounding_type: 'round_to_nickel',
      is_default: true,
      rates: [],
    },
    {
      ...perItem,
      name: 'Supplier',
      sales_or_purchase_type: 'purchases' as const,
      currency_code: 'USD',
      rates: some(7, 2).map(({ item_id, purchase_rate }) => ({ item_id, rate: purchase_rate })),
    },
    {
      ...perItem,
      name: 'Old season',
      sales_or_purchase_type: 'sales' as const,
      currency_code: 'USD',
      status: 'inactive' as const,
      rates: some(11, 0).map(({ item_id, rate }) => ({ item_id, rate })),
    },
  ]
  return lists.map((list, n) => ({ ...list, pricebook_id: String(FIRST_LIST + BigInt(n) * 2n) }))
}

/** A row of the list: these fifteen keys. */
function row(list: SimulatedPriceBook, zone: string) {
  const isPercentage = list.type === 'fixed_percentage'
  return {
    pricebook_id: list.pricebook_id,
    name: list.name,
    description: '',
    currency_id: isPercentage ? '' : '460000000000000097',
    currency_code: isPercentage ? '' : list.currency_code,
    decimal_place: list.decimal_place,
    is_increase: list.is_increase,
    percentage: list.percentage,
    pricebook_rate: list.percentage,
    pricebook_type: list.type,
    pricing_scheme: isPercentage ? '' : list.rates.some(({ brackets }) => brackets) ? 'volume' : 'unit',
    rounding_type: list.rounding_type,
    sales_or_purchase_type: list.sales_or_purchase_type,
    status: list.status,
    last_modified_time: zohoTime(list.modified, zone),
  }
}

/** The detail: no time, no page_context, and the only place of the rates. */
function detail(list: SimulatedPriceBook, items: Map<string, SimulatedItem>, zone: string, withItems: boolean) {
  const { last_modified_time, pricing_scheme, ...keys } = row(list, zone)
  const pricebook_items = list.rates.flatMap(({ item_id, rate, brackets }, n): object[] => {
    const item = items.get(item_id)
    // A deleted item leaves every list, an inactive one stays.
    if (!item) return []
    const facts = { item_id, name: item.name, can_be_sold: true, can_be_purchased: true }
    const id = (at: number) => String(BigInt(list.pricebook_id) + 20_000_000n + BigInt(n) * 10n + BigInt(at))
    if (!brackets) return [{ pricebook_item_id: id(0), ...facts, pricebook_discount: '', pricebook_rate: rate }]
    const price_brackets = brackets.map((bracket, at) => ({
      pricebook_item_id: id(at),
      start_quantity: bracket.start,
      end_quantity: bracket.end,
      pricebook_discount: '',
      pricebook_rate: bracket.rate,
    }))
    return [{ ...facts, price_brackets }]
  })
  return {
    ...keys,
    ...(list.type === 'per_item' && { pricing_scheme }),
    is_default: list.is_default,
    products: [],
    ...(withItems && { pricebook_items }),
  }
}

const FILTERS: Record<string, (list: SimulatedPriceBook) => boolean> = {
  'SalesOrPurchaseType.All': () => true,
  'SalesOrPurchaseType.Sales': (list) => list.sales_or_purchase_type === 'sales',
  'SalesOrPurchaseType.Purchases': (list) => list.sales_or_purchase_type === 'purchases',
}

export type PriceBooks = ReturnType<typeof createPriceBookStore>

export function createPriceBookStore(start: SimulatedPriceBook[], { now, rateTouchesList }: { now(): number; rateTouchesList(): boolean }) {
  let lists = start
  const second = () => new Date(Math.floor(now() / 1000) * 1000)
  const find = (id: string) => {
    const list = lists.find((it) => it.pricebook_id === id)
    if (!list) throw new Error(`no price list ${id}`)
    return list
  }
  return {
    all: () => lists,
    replaceAll(others: SimulatedPriceBook[]) {
      lists = others
    },
    edit: (id: string, change: Partial<SimulatedPriceBook>) => void Object.assign(find(id), { modified: second() }, change),
    remove(id: string) {
      lists = lists.filter((it) => it.pricebook_id !== id)
    },
    /** Another rate, or none; a toggle decides whether the list's time moves. */
    setRate(id: string, itemId: string, rate: Omit<SimulatedRate, 'item_id'> | null) {
      const list = find(id)
      const others = list.rates.filter(({ item_id }) => item_id !== itemId)
      list.rates = rate === null ? others : [...others, { item_id: itemId, ...rate }]
      if (rateTouchesList()) list.modified = second()
    },
  }
}

/** Price lists by page, and one with its rates. Filters by time and orders are ignored. */
export const priceBookRoutes =
  (books: PriceBooks): ApiRoutes =>
  (api, { store, toggles, zone }) => {
    const config = { scope: 'ZohoInventory.settings.READ' }
    api.get<{ Querystring: Record<string, string | undefined> }>('/inventory/v1/pricebooks', { config }, async ({ query }, reply) => {
      const filter = query.filter_by ?? 'SalesOrPurchaseType.All'
      const keep = FILTERS[filter]
      if (!keep) return reply.code(400).send({ code: 2, message: 'Invalid value passed for filter_by' })
      const page = Math.max(1, Number(query.page ?? 1) || 1)
      const per_page = Math.min(200, Number(query.per_page ?? 200) || 200)
      const rows = books.all().filter(keep)
      return {
        code: 0,
        message: 'success',
        pricebooks: rows.slice((page - 1) * per_page, page * per_page).map((list) => row(list, zone)),
        page_context: { page, per_page, has_more_page: rows.length > page * per_page, report_name: 'Price Lists', applied_filter: filter },
      }
    })
    api.get<{ Params: { id: string } }>('/inventory/v1/pricebooks/:id', { config }, async ({ params }, reply) => {
      const list = books.all().find((it) => it.pricebook_id === params.id)
      if (!list) return reply.code(404).send({ code: toggles.missingPriceBook, message: 'Price List does not exist.' })
      const items = new Map(store.all().map((item) => [item.item_id, item]))
      return { code: 0, message: 'success', pricebook: detail(list, items, zone, toggles.priceBookItems === 'list') }
    })
  }
