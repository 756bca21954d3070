import type { Database } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { CallPurpose } from '../schemas/quota.ts'

const SYNCED = Prisma.sql`(select succeeded_at from watermark where name = 'items')`
const NOT_FETCHED = Prisma.sql`(
  select min(updated_at) from product where deleted_at is null and zoho_image_id is not null and image_state in ('untried', 'failed'))`

/**
 * When the oldest data of a purpose was read, as SQL; it is null where some was never read. Null:
 * these calls keep no data.
 */
const OLDEST: Record<CallPurpose, Prisma.Sql | null> = {
  items: SYNCED,
  images: Prisma.sql`least(${SYNCED}, ${NOT_FETCHED})`,
  rechecks: Prisma.sql`(select min(image_tried_at) from product where deleted_at is null and image_state = 'stored' and zoho_image_id is not null)`,
  // Without locations there is nothing to keep fresh.
  stock: Prisma.sql`(
    select case when bool_or(d.stock_as_of is null) then null else min(d.stock_as_of) end from product p left join item_detail d on d.product_id = p.id
    where p.deleted_at is null and p.zoho_item_id is not null and p.stock_on_hand is not null and exists (select 1 from location where gone_at is null))`,
  price_lists: Prisma.sql`(select succeeded_at from watermark where name = 'price_lists')`,
  groups: Prisma.sql`(select succeeded_at from watermark where name = 'groups')`,
  records: Prisma.sql`(select min(succeeded_at) from pull_module)`,
  tests: null,
}

/** Returns how old the data of each purpose is at most: when the oldest of it was read. */
export async function oldestData(db: Database): Promise<Partial<Record<CallPurpose, Date | null>>> {
  const known = Object.entries(OLDEST).flatMap(([purpose, at]) => (at === null ? [] : [Prisma.sql`${at} as ${Prisma.raw(purpose)}`]))
  const [row] = await db.$queryRaw<Partial<Record<CallPurpose, Date | null>>[]>`select ${Prisma.join(known)}`
  return row ?? {}
}
