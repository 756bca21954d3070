import type { Db, RawDb } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { sanitizeForJsonb } from '../lib/jsonb.ts'
import type { Location } from '../schemas/locations.ts'

/** Stock of one item at one location, as its source names it: decimal strings. */
export interface StockRow {
  location_id: string
  name: string
  status: string
  is_primary: boolean
  on_hand: string | null
  available: string | null
  actual_available: string | null
  committed: string | null
  available_for_sale: string | null
}

export interface ItemStock {
  item_id: string
  /** Everything that the item has anywhere; undefined: unknown, so nothing is written. */
  locations?: StockRow[] | undefined
}

/**
 * Saves the stock by location of items that were read at `at`. Equal figures are not written, and a
 * location that an item no longer names is removed from it; of stock that was read later nothing
 * changes. Returns how many products have other stock now.
 */
export async function saveStock(tx: RawDb, items: ItemStock[], { at }: { at: Date }): Promise<number> {
  const read = items.flatMap(({ item_id, locations }) => (locations === undefined ? [] : [{ item_id, locations }]))
  if (read.length === 0) return 0
  const ids = read.map(({ item_id }) => item_id)
  const rows = read.flatMap(({ item_id, locations }) => locations.map((row) => ({ zoho_item_id: item_id, ...row })))
  const given = Prisma.sql`jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(rows))}::jsonb) as t(zoho_item_id text, location_id text, name text,
    status text, is_primary boolean, on_hand numeric, available numeric, actual_available numeric, committed numeric, available_for_sale numeric)`
  // The list of locations knows more of them; only what it does not name is taken from items.
  await tx.$executeRaw`
    insert into location (id, name, status, is_primary) select distinct on (location_id) location_id, name, status, is_primary from ${given}
    order by location_id on conflict (id) do nothing`
  const [changed] = await tx.$queryRaw<{ products: number }[]>`
    with p as materialized (
      select p.id, p.zoho_item_id from product p left join item_detail d on d.product_id = p.id
      where p.zoho_item_id = any(${ids}::text[]) and coalesce(d.stock_as_of <= ${at}, true)
    ), t as materialized (
      select p.id as product_id, t.location_id, t.on_hand, t.available, t.actual_available, coalesce(t.committed, t.on_hand - t.available_for_sale) as committed
      from ${given} join p on p.zoho_item_id = t.zoho_item_id
    ), gone as (
      delete from product_stock s using p
      where s.product_id = p.id and not exists (select 1 from t where t.product_id = s.product_id and t.location_id = s.location_id)
      returning s.product_id
    ), written as (
      insert into product_stock as s (product_id, location_id, on_hand, available, actual_available, committed)
      select distinct on (product_id, location_id) * from t order by product_id, location_id
      on conflict (product_id, location_id) do update set on_hand = excluded.on_hand, available = excluded.available,
        actual_available = excluded.actual_available, committed = excluded.committed
      where (s.on_hand, s.available, s.actual_available, s.committed)
        is distinct from (excluded.on_hand, excluded.available, excluded.actual_available, excluded.committed)
      returning s.product_id
    ), noted as (
      insert into item_detail as d (product_id, stock_as_of) select id, ${at} from p
      on conflict (product_id) do update set stock_as_of = excluded.stock_as_of
    )
    select count(distinct product_id)::int as products from (select product_id from gone union all select product_id from written) moved`
  return changed?.products ?? 0
}

export interface ListedLocation {
  id: string
  name: string
  status: string
  is_primary: boolean
  address: Record<string, unknown> | null
}

/**
 * Saves Zoho's list of locations. One that it no longer names is kept as gone; an empty list is no
 * proof that all are.
 */
export async function saveLocations(tx: RawDb, locations: ListedLocation[], { at }: { at: Date }): Promise<void> {
  if (locations.length === 0) return
  await tx.$executeRaw`
    insert into location as l (id, name, status, is_primary, address, listed_at)
    select distinct on (id) id, name, status, is_primary, nullif(address, 'null'::jsonb), ${at}
    from jsonb_to_recordset(${sanitizeForJsonb(JSON.stringify(locations))}::jsonb) as t(id text, name text, status text, is_primary boolean, address jsonb)
    order by id
    on conflict (id) do update set name = excluded.name, status = excluded.status, is_primary = excluded.is_primary, address = excluded.address,
      listed_at = excluded.listed_at, gone_at = null`
  await tx.$executeRaw`update location set gone_at = ${at} where gone_at is null and id <> all(${locations.map(({ id }) => id)}::text[])`
}

/** Returns the present locations, the primary one first. */
export async function listLocations(db: Db): Promise<Location[]> {
  const rows = await db.location.findMany({ where: { gone_at: null }, orderBy: [{ is_primary: 'desc' }, { name: 'asc' }, { id: 'asc' }] })
  return rows.map(({ id, name, status, is_primary, address }) => ({
    id,
    name,
    status: status === 'inactive' ? 'inactive' : 'active',
    is_primary,
    address: address as Location['address'],
  }))
}
