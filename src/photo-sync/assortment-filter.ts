import { Prisma } from '../generated/client.ts'
import type { FeedStore } from './change-feed.ts'

/**
 * Returns what a store sells as a condition on `photo p`: the same as store_sells() in the
 * migrations, written so that the indexes of SKU and category can be used. It reads published
 * values, so that a response and its counts agree.
 */
export function assortmentCondition({ assortment, location_id }: Pick<FeedStore, 'assortment' | 'location_id'>): Prisma.Sql {
  if (!assortment) return Prisma.sql`true`
  const { skus, categories, in_stock } = assortment
  const named = [
    ...(skus ? [Prisma.sql`coalesce(p.feed_sku = any(${skus}::text[]), false)`] : []),
    ...(categories ? [Prisma.sql`coalesce(p.feed_category = any(${categories}::text[]), false)`] : []),
  ]
  const all = [
    ...(named.length > 0 ? [Prisma.sql`(${Prisma.join(named, ' or ')})`] : []),
    ...(in_stock
      ? [location_id === null ? Prisma.sql`p.feed_in_stock` : Prisma.sql`in_stock_in(${location_id}, p.feed_in_stock, p.feed_in_stock_at)`]
      : []),
  ]
  return all.length > 0 ? Prisma.sql`(${Prisma.join(all, ' and ')})` : Prisma.sql`true`
}
