import { readsHiddenFields } from '../../catalog/custom-fields.ts'
import type { Db, RawDb } from '../../database/client.ts'
import { Prisma } from '../../generated/client.ts'
import { IDS_PER_CALL } from '../../zoho/inventory.ts'

/** When the list of locations was last read; see the table `watermark`. */
export const LOCATIONS_READ = 'locations'
const DAY_MS = 86_400_000

/** Products whose detail Zoho can be asked for. */
const ASKABLE = Prisma.sql`p.deleted_at is null and p.zoho_item_id ~ '^[0-9]{1,20}$'`
/**
 * Whether some store with an assortment sells the product, in stock or not: a store must learn that
 * it is in stock again.
 */
const IN_ASSORTMENT = Prisma.sql`exists (
  select 1 from store s where s.assortment is not null and store_sells(s.assortment - 'in_stock', p.sku, p.category, true))`
const NOT_ASKED = (runId: string) => Prisma.sql`d.asked_run is distinct from ${runId}::uuid`
/** The item was edited since its hidden custom fields were stored, or they never were. */
const FIELDS_DUE = Prisma.sql`coalesce(d.stored_modified_at <> coalesce(p.zoho_modified_at, 'epoch'), true)`

/**
 * Returns the Zoho ids whose stock the run has not read yet: those in a store's assortment first,
 * then by the age of what is known.
 */
export const stockOrder = (db: Db, runId: string): Promise<string[]> =>
  ids(db, Prisma.sql`${NOT_ASKED(runId)} order by ${IN_ASSORTMENT} desc, d.stock_as_of asc nulls first, p.id`)

/** Returns the Zoho ids whose hidden custom fields are not stored, or are from before an edit. */
export const fieldsDue = (db: Db, runId: string): Promise<string[]> =>
  ids(db, Prisma.sql`${NOT_ASKED(runId)} and ${FIELDS_DUE} order by d.stored_modified_at asc nulls first, p.id`)

export async function hasFieldsDue(db: RawDb): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    select true from product p left join item_detail d on d.product_id = p.id where ${ASKABLE} and ${FIELDS_DUE} limit 1`
  return rows.length > 0
}

/** Returns the Zoho ids of one call whose custom fields were never seen. */
export const unseenFields = (db: Db): Promise<string[]> =>
  ids(db, Prisma.sql`d.custom_fields_at is null order by p.created_at, p.zoho_item_id limit ${IDS_PER_CALL}`)

async function ids(db: Db, conditions: Prisma.Sql): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    select p.zoho_item_id as id from product p left join item_detail d on d.product_id = p.id where ${ASKABLE} and ${conditions}`
  return rows.map(({ id }) => id)
}

/** Whether the organization has locations, as far as zinc knows. */
export const hasLocations = async (db: Db): Promise<boolean> => (await db.location.count({ where: { gone_at: null } })) > 0

/** The list of locations is read once a day. */
export async function isLocationListDue(db: Db, now: Date): Promise<boolean> {
  const read = await db.watermark.findUnique({ where: { name: LOCATIONS_READ }, select: { succeeded_at: true } })
  return !read?.succeeded_at || now.getTime() - read.succeeded_at.getTime() >= DAY_MS || read.succeeded_at > now
}

/**
 * Returns the calls that the run after a full item sync will make, with so many items in the
 * catalogue. The list of locations counts as one call where it is not known yet.
 */
export async function expectedStockCalls(
  db: Db,
  { at, stockPercent, items }: { at: Date; stockPercent: number; items: number },
): Promise<number> {
  const readsFields = await readsHiddenFields(db)
  if (stockPercent === 0 && !readsFields) return 0
  const lists = stockPercent > 0 && (await isLocationListDue(db, at)) ? 1 : 0
  if (stockPercent > 0 && (await hasLocations(db))) return lists + Math.ceil(items / IDS_PER_CALL)
  if (readsFields) {
    const [row] = await db.$queryRaw<{ due: number }[]>`
      select count(*)::int as due from product p left join item_detail d on d.product_id = p.id where ${ASKABLE} and ${FIELDS_DUE}`
    return lists + Math.ceil((row?.due ?? 0) / IDS_PER_CALL)
  }
  const seen = await db.itemDetail.count({ where: { custom_fields_at: { not: null } } })
  return lists + (items > seen || (await unseenFields(db)).length > 0 ? 1 : 0)
}
