import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import type { CoverageKey } from '../schemas/coverage.ts'
import type { ProductSort } from '../schemas/products.ts'
import { COVERAGE } from './coverage.ts'

export interface ProductFilter {
  /**
   * Words that must all occur, in any order, in the names, the SKU, Zoho's id or a barcode;
   * spelling variants of both languages match.
   */
  search?: string | undefined
  hasImage?: boolean | undefined
  coverage?: CoverageKey | undefined
  status?: 'active' | 'inactive' | undefined
  category?: string | undefined
  brand?: string | undefined
  groupId?: string | undefined
  priceListId?: string | undefined
  inStock?: boolean | undefined
  /** With `inStock` the stock of this location; alone what is kept there, even with none left. */
  locationId?: string | undefined
  modifiedSince?: Date | undefined
  includeDeleted?: boolean | undefined
}

/** The end of a page: the sort value of its last row, as text, and its id. */
export interface ProductPosition {
  value: string | null
  id: string
}

export interface ProductPage extends ProductFilter {
  sort: ProductSort
  after?: ProductPosition | undefined
  /** Rows to skip, for jumping to any page of a list. Its cost grows with the number. */
  offset?: number | undefined
  limit: number
}

/** More words only make a search slower, not better. */
const MAX_WORDS = 10
/**
 * Shorter numbers are parts of names; in longer ones leading zeros depend on who wrote the barcode.
 */
const BARCODE = /^0+(\d{6,})$/

const contains = (word: string): Prisma.Sql =>
  Prisma.sql`p.search like '%' || regexp_replace(search_text(${word}), '([\\\\%_])', '\\\\\\1', 'g') || '%'`

function matching(filter: ProductFilter): Prisma.Sql {
  const words = (filter.search ?? '').split(/\s+/).filter((word) => word !== '')
  const conditions = words.slice(0, MAX_WORDS).map((word) => {
    const digits = BARCODE.exec(word)?.[1]
    return digits === undefined ? contains(word) : Prisma.sql`(${contains(word)} or ${contains(digits)})`
  })
  const add = <T>(value: T | undefined, condition: (value: T) => Prisma.Sql) => {
    if (value !== undefined) conditions.push(condition(value))
  }
  if (!filter.includeDeleted) conditions.push(Prisma.sql`p.deleted_at is null`)
  add(
    filter.hasImage,
    (has) =>
      Prisma.sql`${has ? Prisma.empty : Prisma.sql`not`} exists (select 1 from photo f where f.product_id = p.id and f.deleted_at is null)`,
  )
  add(filter.coverage, (key) => COVERAGE[key])
  add(filter.status, (status) => Prisma.sql`p.status = ${status}`)
  add(filter.category, (category) => Prisma.sql`p.category = ${category}`)
  add(filter.brand, (brand) => Prisma.sql`p.brand = ${brand}`)
  add(filter.groupId, (id) => Prisma.sql`p.group_id = ${id}`)
  add(filter.priceListId, (id) => Prisma.sql`p.id in (select product_id from product_price where price_list_id = ${id})`)
  const { inStock, locationId } = filter
  if (locationId !== undefined) {
    const there = Prisma.sql`select product_id from product_stock where location_id = ${locationId}`
    conditions.push(
      inStock === undefined
        ? Prisma.sql`p.id in (${there})`
        : Prisma.sql`p.id ${inStock ? Prisma.empty : Prisma.sql`not`} in (${there} and on_hand > 0)`,
    )
  } else add(inStock, (is) => (is ? Prisma.sql`p.stock_on_hand > 0` : Prisma.sql`coalesce(p.stock_on_hand, 0) <= 0`))
  add(filter.modifiedSince, modifiedSince)
  return conditions.length === 0 ? Prisma.sql`true` : Prisma.join(conditions, ' and ')
}

/**
 * Fields of the record whose changes leave the row of the product, and its `updated_at`, as they
 * are.
 */
const OUTSIDE_THE_ROW = ['images', 'stock', 'prices']

/** A new product is known by its row; a mark is a change that has no number and time yet. */
const modifiedSince = (at: Date) => Prisma.sql`(p.updated_at >= ${at} or p.id in (
  select product_id from product_change where changed_at >= ${at} and field_seqs ->> '*' is distinct from seq::text
    and exists (select from unnest(${OUTSIDE_THE_ROW}::text[]) as field where field_seqs ->> field = seq::text)
  union all select product_id from product_mark where clock_timestamp() >= ${at} and fields && ${OUTSIDE_THE_ROW}::text[]))`

const TYPES: Record<string, string> = {
  selling_price: 'numeric',
  stock_on_hand: 'numeric',
  updated_at: 'timestamptz',
  created_at: 'timestamptz',
}

/**
 * Returns the positions of one page. With `after` (keyset) a page costs the same at any depth in
 * the default order. Rows with a value come first, in either direction; equal values are sorted
 * by id.
 */
export async function findProducts(db: Db, { after, offset = 0, limit, sort, ...filter }: ProductPage): Promise<ProductPosition[]> {
  const { column, type, beyond, order } = sqlOf(sort)
  const passed =
    after === undefined
      ? Prisma.empty
      : after.value === null
        ? Prisma.sql`and ${column} is null and p.id ${beyond} ${after.id}::uuid`
        : isAlwaysThere(sort)
          ? Prisma.sql`and (${column}, p.id) ${beyond} (${after.value}::${type}, ${after.id}::uuid)`
          : Prisma.sql`and ((${column}, p.id) ${beyond} (${after.value}::${type}, ${after.id}::uuid) or ${column} is null)`
  return db.$queryRaw<ProductPosition[]>`
    select p.id, ${column}::text as value from product p where ${matching(filter)} ${passed}
    order by ${order} limit ${limit} offset ${offset}`
}

/**
 * Returns the position of every `every`th product of a list, in its order: after each of them
 * begins another page, so that a reader can jump to any page by keyset.
 */
export async function findPagePositions(
  db: Db,
  { sort, every, ...filter }: ProductFilter & { sort: ProductSort; every: number },
): Promise<ProductPosition[]> {
  const { column, order } = sqlOf(sort)
  return db.$queryRaw<ProductPosition[]>`
    select id, value from (
      select p.id, ${column}::text as value, row_number() over (order by ${order}) as place from product p where ${matching(filter)}
    ) listed where place % ${every}::bigint = 0 order by place`
}

function sqlOf(sort: ProductSort) {
  const descending = sort.startsWith('-')
  const name = sort.replace('-', '')
  const column = Prisma.raw(`p.${name}`)
  const direction = Prisma.raw(descending ? 'desc' : 'asc')
  const nulls = isAlwaysThere(sort) ? Prisma.empty : Prisma.sql`nulls last`
  return {
    column,
    type: Prisma.raw(TYPES[name] ?? 'text'),
    beyond: Prisma.raw(descending ? '<' : '>'),
    order: Prisma.sql`${column} ${direction} ${nulls}, p.id ${direction}`,
  }
}

/** Columns that every product has. */
const isAlwaysThere = (sort: ProductSort): boolean => /^-?(name|updated_at|created_at)$/.test(sort)

/** Returns how many products match a filter. */
export async function countProducts(db: Db, filter: ProductFilter): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`select count(*)::integer as count from product p where ${matching(filter)}`
  return row?.count ?? 0
}
