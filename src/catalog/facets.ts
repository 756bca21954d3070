import type { Db } from '../database/client.ts'
import type { ProductFacets } from '../schemas/products.ts'

/** More would be no choice; the search finds the others. */
const MAX_GROUPS = 1_000

/**
 * Returns the categories, brands and groups of the products that are not deleted, by name, each
 * with its number of products; of groups the largest.
 */
export async function listFacets(db: Db): Promise<ProductFacets> {
  const rows = await db.$queryRaw<{ kind: 'category' | 'brand' | 'group'; id: string; name: string; products: number }[]>`
    select 'category' as kind, category as id, category as name, count(*)::integer as products
      from product where deleted_at is null and category <> '' group by category
    union all
    select 'brand', brand, brand, count(*)::integer from product where deleted_at is null and brand <> '' group by brand
    union all
    (select 'group', group_id, coalesce(max(group_name), group_id), count(*)::integer as products
      from product where deleted_at is null and group_id <> '' group by group_id order by products desc, group_id limit ${MAX_GROUPS})
    order by kind, name, id`
  const of = (wanted: string) => rows.filter(({ kind }) => kind === wanted)
  const named = (wanted: string) => of(wanted).map(({ name, products }) => ({ name, products }))
  return {
    categories: named('category'),
    brands: named('brand'),
    groups: of('group').map(({ id, name, products }) => ({ id, name, products })),
  }
}
