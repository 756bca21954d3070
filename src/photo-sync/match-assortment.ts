import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { BadRequestError } from '../lib/errors.ts'
import type { Assortment } from '../schemas/stores.ts'

const COLUMNS = { skus: Prisma.raw('sku'), categories: Prisma.raw('category') }
export type NameField = keyof typeof COLUMNS
export const NAME_FIELDS: NameField[] = ['skus', 'categories']

/**
 * Cleans a copied spreadsheet cell: without invisible marks and surrounding blanks, composed to one
 * encoding (NFC).
 */
const clean = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/\p{Cf}/gu, '')
    .trim()
const fold = (text: string): string => clean(text).toLowerCase().replace(/\s+/gu, '')

/**
 * Returns an assortment with the catalogue's spelling of SKUs and categories: one that differs only
 * in case, blanks or invisible marks is replaced where exactly one product (or category) matches.
 * Others stay as they were given, since a product may get them later. Throws BadRequestError for a
 * list with nothing but blanks, which would remove every image from the store.
 */
export async function matchAssortment(db: Db, assortment: Assortment | null): Promise<Assortment | null> {
  if (assortment === null) return null
  const matched = { ...assortment }
  for (const field of NAME_FIELDS) {
    const given = assortment[field]
    if (given) matched[field] = await matchNames(db, field, given)
  }
  return matched
}

async function matchNames(db: Db, field: NameField, given: string[]): Promise<string[]> {
  const column = COLUMNS[field]
  const cleaned = given.map(clean)
  const rows = await db.$queryRaw<{ name: string }[]>`
    select distinct ${column} as name from product where ${column} = any(${[...given, ...cleaned]}::text[])`
  const exact = new Set(rows.map(({ name }) => name))
  const unmatched = given.some((name, n) => !exact.has(name) && !exact.has(cleaned[n] ?? ''))
  const byFolded = unmatched ? await onlyOnes(db, field) : new Map<string, string | null>()
  const names = given.flatMap((name, n) => {
    const text = cleaned[n] ?? ''
    if (exact.has(name)) return [name]
    if (text === '') return []
    return [exact.has(text) ? text : (byFolded.get(fold(text)) ?? text)]
  })
  if (given.length > 0 && names.length === 0)
    throw new BadRequestError('bad_request.blank_names', {
      field,
      fields: [{ field: `assortment.${field}`, message: 'contains only blanks' }],
    })
  return [...new Set(names)]
}

/**
 * The catalogue's names by their form without case and blanks; null where several products (or
 * categories) have the same form.
 */
async function onlyOnes(db: Db, field: NameField): Promise<Map<string, string | null>> {
  const column = COLUMNS[field]
  const rows = await db.$queryRaw<{ name: string; products: number }[]>`
    select ${column} as name, count(*)::int as products from product where ${column} is not null and deleted_at is null group by 1`
  const names = new Map<string, string | null>()
  for (const { name, products } of rows) {
    const key = fold(name)
    names.set(key, names.has(key) || (field === 'skus' && products > 1) ? null : name)
  }
  return names
}

/** Returns the SKUs or categories of a stored assortment that no product has. */
export async function unknownNames(db: Db, field: NameField, names: string[]): Promise<string[]> {
  const column = COLUMNS[field]
  const rows = await db.$queryRaw<{ name: string }[]>`
    select t.name from unnest(${names}::text[]) with ordinality as t(name, n)
    where not exists (select 1 from product where ${column} = t.name and deleted_at is null) order by t.n`
  return rows.map(({ name }) => name)
}
