import { z } from 'zod'
import { BadGatewayError } from '../lib/errors.ts'
import type { ZohoClient } from './client.ts'
import { listByPage } from './paginate.ts'
import { Flag, hasInvalidFields, Id, instantIn, Key, PageContext, PlainText, ReadableDecimal, type Row, Text } from './value-types.ts'

const PATH = '/inventory/v1/pricebooks'
/** All rates of a list come at once; more pages than this are a server repeating itself. */
const MAX_PAGES = 100

/** A price list as its row describes it. */
export interface ZohoPriceList {
  id: string
  name: string
  type: 'sales' | 'purchase'
  /** Null: the organization's own. */
  currency: string | null
  kind: 'per_item' | 'percentage'
  /** Signed decimal string; null for `per_item`, and where it is blank or unreadable. */
  percentage: string | null
  rounding: string
  decimalPlace: number | null
  status: 'active' | 'inactive'
  modified: Date | null
}

/** What a list says of one item: a price, or prices by quantity; both null where it is blank. */
export interface ZohoRate {
  itemId: string
  rate: string | null
  brackets: { from: string; to: string | null; rate: string }[] | null
}

/** What only the detail of a list says. */
export interface ZohoPriceListDetail {
  /** Undefined: the detail does not say. */
  isDefault: boolean | undefined
  /** Null: the response has no items, which says nothing of those that are stored. */
  rates: ZohoRates | null
}

export interface ZohoRates {
  rates: ZohoRate[]
  /** Items whose price is unreadable: the stored one stays. */
  unreadable: string[]
  /** False where an entry has no readable id: then no absent item proves anything. */
  complete: boolean
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ''
const Place = z.coerce.number().int().min(0).max(10)

/** Yields all price lists, active and inactive. Throws what the client throws. */
export const listPriceLists = (
  client: ZohoClient,
  { runId, onUnreadable }: { runId: string; onUnreadable(row: unknown): void },
  signal: AbortSignal,
): AsyncGenerator<ZohoPriceList[]> =>
  listByPage(
    client,
    {
      path: PATH,
      key: 'pricebooks',
      query: { filter_by: 'SalesOrPurchaseType.All' },
      read: (row) => readPriceList(row, client.timeZone()),
      onUnreadable,
      idOf: (list) => list.id,
      job: 'price_lists',
      runId,
    },
    signal,
  )

/** Throws when the id or the name is unreadable. */
function readPriceList(input: unknown, timeZone: string): ZohoPriceList {
  const row = input as Row
  const id = Id.parse(row.pricebook_id)
  const kind = row.pricebook_type === 'fixed_percentage' ? 'percentage' : 'per_item'
  return {
    id,
    name: PlainText.parse(row.name) ?? id,
    type: /^purchase/.test(String(row.sales_or_purchase_type)) ? 'purchase' : 'sales',
    currency: Key.catch(null).parse(row.currency_code),
    kind,
    percentage: kind === 'percentage' ? signedPercentage(row) : null,
    rounding: Text.catch(null).parse(row.rounding_type) ?? 'no_rounding',
    decimalPlace: isBlank(row.decimal_place) ? null : (Place.safeParse(row.decimal_place).data ?? null),
    status: row.status === 'inactive' ? 'inactive' : 'active',
    modified: instantIn(timeZone).safeParse(row.last_modified_time).data ?? null,
  }
}

/** Zoho writes the size and, apart from it, whether it is added. */
function signedPercentage(row: Row): string | null {
  const given = isBlank(row.percentage) ? row.pricebook_rate : row.percentage
  const size = ReadableDecimal.safeParse(typeof given === 'string' ? given.replace(/\s*%\s*$/, '') : given).data ?? null
  const adds = isBlank(row.is_increase) ? undefined : Flag.safeParse(row.is_increase).data
  if (size === null || adds === undefined) return null
  if (adds || /^0*(\.0*)?$/.test(size)) return size
  return size.startsWith('-') ? size.slice(1) : `-${size}`
}

/** Returns the detail of a list. Throws ZohoNotFoundError when Zoho does not have the list. */
export async function readPriceListDetail(
  client: ZohoClient,
  { id, runId }: { id: string; runId: string },
  signal: AbortSignal,
): Promise<ZohoPriceListDetail> {
  const found: ZohoRates = { rates: [], unreadable: [], complete: true }
  for (let page = 1; page <= MAX_PAGES; page++) {
    const query = page === 1 ? undefined : { page: String(page) }
    const { body } = await client.json({ path: `${PATH}/${encodeURIComponent(id)}`, query, job: 'price_lists', runId }, signal)
    const list = body.pricebook as Row | undefined
    if (typeof list !== 'object' || list === null) throw new BadGatewayError('detail_malformed', { key: 'pricebook' })
    // A proxy or a mixed-up response must never give one list the prices of another.
    if (String(list.pricebook_id) !== id) throw new BadGatewayError('record_mismatch', { module: 'pricebooks', id })
    const { pricebook_items: items } = list
    const isDefault = isBlank(list.is_default) ? undefined : Flag.safeParse(list.is_default).data
    if (items === undefined) return { isDefault, rates: null }
    if (!Array.isArray(items) && !isBlank(items)) throw new BadGatewayError('detail_malformed', { key: 'pricebook_items' })
    for (const item of Array.isArray(items) ? items : []) {
      const itemId = Id.safeParse((item as Row | null)?.item_id)
      const rate = itemId.success ? readRate(itemId.data, item as Row) : null
      if (rate) found.rates.push(rate)
      else if (itemId.success) found.unreadable.push(itemId.data)
      else found.complete = false
    }
    // Never seen, but a half list must not look like a whole one.
    if (PageContext.safeParse(body.page_context).data?.has_more_page !== true) return { isDefault, rates: found }
  }
  throw new BadGatewayError('pagination_loop', { problem: 'a price list does not end' })
}

/** Null where a number is unreadable. */
function readRate(itemId: string, { price_brackets: given, pricebook_rate: rate }: Row): ZohoRate | null {
  if (!Array.isArray(given) || given.length === 0) {
    return hasInvalidFields(rate) ? null : { itemId, rate: ReadableDecimal.parse(rate), brackets: null }
  }
  const brackets: NonNullable<ZohoRate['brackets']> = []
  for (const bracket of given as Row[]) {
    const numbers = [bracket.start_quantity, bracket.end_quantity, bracket.pricebook_rate]
    if (numbers.some(hasInvalidFields)) return null
    const [from, to, price] = numbers.map((value) => ReadableDecimal.parse(value))
    if (price != null) brackets.push({ from: shortest(from ?? '0'), to: to == null ? null : shortest(to), rate: price })
  }
  return { itemId, rate: null, brackets: brackets.length === 0 ? null : brackets }
}

/** `10.00` as `10`. */
const shortest = (decimal: string): string => (decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal)
