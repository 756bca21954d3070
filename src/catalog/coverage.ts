import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { CoverageCounts, CoverageKey } from '../schemas/coverage.ts'

/**
 * What a product `p` lacks, once as SQL: the counts and the filters of the list use the same
 * conditions. Sub-queries do not refer to `p`, so that PostgreSQL runs each once instead of once
 * per product.
 */
export const COVERAGE: Record<CoverageKey, Prisma.Sql> = {
  without_picture: Prisma.sql`p.id not in (select product_id from photo where deleted_at is null)`,
  failed: Prisma.sql`p.image_state = 'failed'`,
  damaged: Prisma.sql`p.id in (select f.product_id from photo f join blob b on b.sha256 = f.sha256 where b.damaged and f.is_primary and f.deleted_at is null)`,
  no_price: Prisma.sql`p.selling_price is null`,
  price_zero: Prisma.sql`p.selling_price = 0`,
  no_arabic_name: Prisma.sql`coalesce(btrim(p.name_ar), '') = ''`,
  same_text: Prisma.sql`btrim(p.name_en) = btrim(p.name_ar) and btrim(p.name_en) <> ''`,
  no_sku: Prisma.sql`coalesce(btrim(p.sku), '') = ''`,
  duplicate_sku: Prisma.sql`btrim(p.sku) <> '' and p.sku in (select sku from product where deleted_at is null group by sku having count(*) > 1)`,
  inactive_but_sold_here: Prisma.sql`p.status = 'inactive' and p.stock_on_hand > 0`,
  no_barcode: Prisma.sql`coalesce(btrim(p.ean), '') = '' and coalesce(btrim(p.upc), '') = '' and coalesce(btrim(p.isbn), '') = ''`,
  bad_check_digit: Prisma.sql`(p.ean is not null and not has_check_digit(btrim(p.ean)) or p.upc is not null and not has_check_digit(btrim(p.upc)))`,
  duplicate_barcode: Prisma.sql`p.id in (select unnest(array_agg(b.id)) from (
      select id, ltrim(btrim(code), '0') as code from product, unnest(array[ean, upc, isbn]) as code where deleted_at is null and btrim(code) <> ''
      group by 1, 2) b group by b.code having count(*) > 1)`,
  hidden_custom_fields: Prisma.sql`p.id in (select d.product_id from item_detail d
      where d.custom_fields && (select coalesce(array_agg(api_name), '{}') from custom_field where not in_list))`,
  not_in_price_list: Prisma.sql`exists (select 1 from price_list where status = 'active') and p.id not in (select product_id from product_price)`,
}

export interface Coverage {
  total: number
  counts: CoverageCounts
}

/** Returns all counts from one pass over the products. */
export async function measureCoverage(db: Db): Promise<Coverage> {
  const counted = CoverageKey.options.map((key) => Prisma.sql`count(*) filter (where ${COVERAGE[key]})::integer as ${Prisma.raw(key)}`)
  const [row] = await db.$queryRaw<(Record<CoverageKey, number> & { total: number })[]>`
    select count(*)::integer as total, ${Prisma.join(counted)} from product p where p.deleted_at is null`
  return { total: row?.total ?? 0, counts: CoverageCounts.parse(row) }
}

const DAY_MS = 86_400_000
const dayOf = (at: Date): Date => new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS)

/** Saves today's counts; the last write of a day wins. Several processes may do it. */
export async function recordCoverage(db: Db, { at }: { at: Date }): Promise<void> {
  const { total, counts } = await measureCoverage(db)
  const row = { total, counts, measured_at: at }
  await db.coverageDay.upsert({ where: { day: dayOf(at) }, create: { day: dayOf(at), ...row }, update: row })
}

/** Returns the last `days` days, oldest first, today with its present counts. */
export async function coverageHistory(db: Db, { days, at }: { days: number; at: Date }): Promise<({ day: string } & Coverage)[]> {
  const today = dayOf(at)
  const rows = await db.coverageDay.findMany({
    where: { day: { gt: new Date(today.getTime() - days * DAY_MS), lt: today } },
    orderBy: { day: 'asc' },
  })
  // A day from before a count was introduced counts as 0.
  const none = Object.fromEntries(CoverageKey.options.map((key) => [key, 0]))
  const past = rows.map(({ day, total, counts }) => ({ day, total, counts: CoverageCounts.parse({ ...none, ...(counts as object) }) }))
  return [...past, { day: today, ...(await measureCoverage(db)) }].map((entry) => ({ ...entry, day: entry.day.toISOString().slice(0, 10) }))
}
