import type { Db, RawDb } from '../database/client.ts'
import type { PriceList } from '../generated/client.ts'
import { NotFoundError } from '../lib/errors.ts'
import type { PriceListRecord } from '../schemas/price-lists.ts'
import type { Price } from '../schemas/products.ts'

/** Returns what the active price lists say of these products, each in the order of the lists. */
export async function readPrices(db: RawDb, productIds: string[]): Promise<Map<string, Price[]>> {
  const found = new Map<string, Price[]>()
  if (productIds.length === 0) return found
  const rows = await db.$queryRaw<(Omit<Price, 'brackets'> & { product_id: string; brackets: Price['brackets'] | null })[]>`
    select product_id, price_list_id, price_list as name, type, currency, trim_scale(price)::text as price, brackets
    from product_price where product_id = any(${productIds}::uuid[]) order by type desc, price_list, price_list_id`
  for (const { product_id: id, brackets, ...price } of rows) {
    const prices = found.get(id) ?? []
    prices.push({ ...price, ...(brackets && { brackets }) })
    found.set(id, prices)
  }
  return found
}

const serialize = (list: PriceList, ownCurrency: string | null): PriceListRecord => ({
  id: list.id,
  name: list.name,
  type: list.type as PriceListRecord['type'],
  currency: list.currency ?? ownCurrency,
  kind: list.kind as PriceListRecord['kind'],
  percentage: list.percentage?.toFixed() ?? null,
  rounding: list.rounding,
  is_default: list.is_default,
  status: list.status as PriceListRecord['status'],
  read_at: list.read_at?.toISOString() ?? null,
})

/**
 * Returns all price lists, active ones first. `ownCurrency`: the organization's, for lists that
 * name none.
 */
export async function listPriceLists(db: Db, ownCurrency: string | null): Promise<PriceListRecord[]> {
  const lists = await db.priceList.findMany({ orderBy: [{ status: 'asc' }, { type: 'desc' }, { name: 'asc' }, { id: 'asc' }] })
  return lists.map((list) => serialize(list, ownCurrency))
}

/** Throws NotFoundError `price_list_not_found`. */
export async function findPriceList(db: Db, id: string, ownCurrency: string | null): Promise<PriceListRecord> {
  const list = await db.priceList.findUnique({ where: { id } })
  if (!list) throw new NotFoundError('price_list_not_found')
  return serialize(list, ownCurrency)
}
