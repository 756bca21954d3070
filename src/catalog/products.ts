import type { Db } from '../db.ts'
import { NotFound } from '../errors.ts'
import type { Blob, Photo, Prisma, Product } from '../generated/client.ts'

export type ProductWithPhotos = Product & { photos: (Photo & { blob: Blob })[] }

const WITH_PHOTOS = {
  photos: {
    where: { deleted_at: null },
    include: { blob: true },
    orderBy: [{ is_primary: 'desc' }, { sort_order: 'asc' }, { position: 'asc' }],
  },
} satisfies Prisma.ProductInclude

export interface ProductFilter {
  search?: string | undefined
  hasImage?: boolean | undefined
}
export interface ProductPage extends ProductFilter {
  /** Opaque: where the page before ended. */
  after?: { created_at: Date; id: string } | undefined
  /** So many rows are left out: for a list that is entered anywhere. Its cost grows with it. */
  offset?: number | undefined
  limit: number
}

function matching({ search, hasImage }: ProductFilter): Prisma.ProductWhereInput {
  const like = search && { contains: search, mode: 'insensitive' as const }
  return {
    deleted_at: null,
    ...(like && { OR: [{ name: like }, { name_en: like }, { name_ar: like }, { sku: like }, { zoho_item_id: search }] }),
    ...(hasImage !== undefined && { photos: hasImage ? { some: { deleted_at: null } } : { none: { deleted_at: null } } }),
  }
}

/** One page of products that are not deleted, oldest first. By `after` (keyset) the cost of a page does not grow with its depth. */
export async function listProducts(db: Db, { after, offset, limit, ...filter }: ProductPage): Promise<ProductWithPhotos[]> {
  return db.product.findMany({
    where: {
      ...matching(filter),
      ...(after && { AND: [{ OR: [{ created_at: { gt: after.created_at } }, { created_at: after.created_at, id: { gt: after.id } }] }] }),
    },
    orderBy: [{ created_at: 'asc' }, { id: 'asc' }],
    take: limit,
    ...(offset !== undefined && { skip: offset }),
    include: WITH_PHOTOS,
  })
}

/** How many products a filter finds. */
export const countProducts = (db: Db, filter: ProductFilter): Promise<number> => db.product.count({ where: matching(filter) })

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Finds one product by its id, `sku:…` or `zoho:…`; a soft-deleted one is found too and carries `deleted_at`. Throws NotFound. */
export async function findProduct(db: Db, ref: string): Promise<ProductWithPhotos> {
  const where: Prisma.ProductWhereInput | null = ref.startsWith('sku:')
    ? { sku: ref.slice(4) }
    : ref.startsWith('zoho:')
      ? { zoho_item_id: ref.slice(5) }
      : UUID.test(ref)
        ? { id: ref }
        : null
  // Of two products with one SKU the living one is meant, then the older one.
  const product =
    where &&
    (await db.product.findFirst({
      where,
      include: WITH_PHOTOS,
      orderBy: [{ deleted_at: { sort: 'asc', nulls: 'first' } }, { created_at: 'asc' }],
    }))
  if (!product) {
    throw new NotFound('product_not_found', 'Product not found', {
      remedy: 'Name it by its id, by sku:… or by zoho:…; GET /api/products?search=… finds it.',
    })
  }
  return product
}
