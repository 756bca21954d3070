import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { CoverageKey } from '../schemas/coverage.ts'
import { COVERAGE } from './coverage.ts'

export interface ProductFilter {
  /** Words that all occur, in any order, in the names, the SKU or Zoho's id; letters as people type them in both languages. */
  search?: string | undefined
  hasImage?: boolean | undefined
  coverage?: CoverageKey | undefined
}
export interface ProductPage extends ProductFilter {
  /** Opaque: where the page before ended. */
  after?: { created_at: Date; id: string } | undefined
  /** So many rows are left out: for a list that is entered anywhere. Its cost grows with it. */
  offset?: number | undefined
  limit: number
}

/** More words do not make a search better, only slower. */
const MAX_WORDS = 10

function matching({ search, hasImage, coverage }: ProductFilter): Prisma.Sql {
  const words = (search ?? '').split(/\s+/).filter((word) => word !== '')
  return Prisma.join(
    [
      Prisma.sql`p.deleted_at is null`,
      ...words
        .slice(0, MAX_WORDS)
        .map((word) => Prisma.sql`p.search like '%' || regexp_replace(search_text(${word}), '([\\\\%_])', '\\\\\\1', 'g') || '%'`),
      ...(hasImage === undefined
        ? []
        : [
            Prisma.sql`${hasImage ? Prisma.empty : Prisma.sql`not`} exists (select 1 from photo f where f.product_id = p.id and f.deleted_at is null)`,
          ]),
      ...(coverage === undefined ? [] : [COVERAGE[coverage]]),
    ],
    ' and ',
  )
}

/** The ids of one page, oldest first. By `after` (keyset) the cost of a page does not grow with its depth. */
export async function findProductIds(db: Db, { after, offset, limit, ...filter }: ProductPage): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    select p.id from product p where ${matching(filter)}
    ${after ? Prisma.sql`and (p.created_at, p.id) > (${after.created_at}, ${after.id}::uuid)` : Prisma.empty}
    order by p.created_at, p.id limit ${limit} offset ${offset ?? 0}`
  return rows.map((row) => row.id)
}

/** How many products a filter finds. */
export async function countProducts(db: Db, filter: ProductFilter): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`select count(*)::integer as count from product p where ${matching(filter)}`
  return row?.count ?? 0
}
