import type { Db } from '../database/client.ts'

export interface Category {
  name: string
  products: number
}

/**
 * Returns the categories of products, by name, each with its number of products that are not
 * deleted.
 */
export async function listCategories(db: Db): Promise<Category[]> {
  const rows = await db.product.groupBy({
    by: ['category'],
    where: { deleted_at: null, category: { not: null } },
    _count: true,
    orderBy: { category: 'asc' },
  })
  return rows.flatMap(({ category, _count }) => (category === null || category === '' ? [] : [{ name: category, products: _count }]))
}
