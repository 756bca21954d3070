import type { Db } from '../database/client.ts'
import type { Blob, Photo, Prisma, Product } from '../generated/client.ts'
import { NotFoundError } from '../lib/errors.ts'
import { findProductIds, type ProductPage } from './search-products.ts'

export type ProductWithPhotos = Product & { photos: (Photo & { blob: Blob })[] }

/** The pictures that a product has now, the primary first. */
export const WITH_PHOTOS = {
  photos: {
    where: { deleted_at: null },
    include: { blob: true },
    orderBy: [{ is_primary: 'desc' }, { sort_order: 'asc' }, { position: 'asc' }],
  },
} satisfies Prisma.ProductInclude

/** One page of products that are not deleted, oldest first, with their pictures. */
export async function listProducts(db: Db, page: ProductPage): Promise<ProductWithPhotos[]> {
  const ids = await findProductIds(db, page)
  const rows = await db.product.findMany({ where: { id: { in: ids } }, include: WITH_PHOTOS })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Finds one product by its id, `sku:…` or `zoho:…`; a soft-deleted one is found too and carries `deleted_at`. Throws NotFoundError. */
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
    throw new NotFoundError('product_not_found')
  }
  return product
}
