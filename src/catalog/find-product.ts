import type { Db } from '../database/client.ts'
import type { Blob, Photo, Prisma, Product, ProductStock } from '../generated/client.ts'
import { ConflictError, NotFoundError } from '../lib/errors.ts'

export type ProductWithPhotos = Product & {
  photos: (Photo & { blob: Blob })[]
  stock: (ProductStock & { location: { name: string } })[]
  detail: { stock_as_of: Date | null } | null
}

/** A product's present images and its stock by location, the primary ones first. */
export const WITH_PHOTOS = {
  photos: {
    where: { deleted_at: null },
    include: { blob: true },
    orderBy: [{ is_primary: 'desc' }, { sort_order: 'asc' }, { position: 'asc' }],
  },
  stock: {
    include: { location: { select: { name: true } } },
    orderBy: [{ location: { is_primary: 'desc' } }, { location: { name: 'asc' } }, { location_id: 'asc' }],
  },
  detail: { select: { stock_as_of: true } },
} satisfies Prisma.ProductInclude

/** Returns products with their images, in the order of these ids. */
export async function productsById(db: Db, ids: string[]): Promise<ProductWithPhotos[]> {
  const rows = await db.product.findMany({ where: { id: { in: ids } }, include: WITH_PHOTOS })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** References other than a product's own id: a prefix and the column. */
const REFERENCES = { sku: 'sku', zoho: 'zoho_item_id', ean: 'ean', upc: 'upc', isbn: 'isbn', part: 'part_number' } as const

function whereOf(ref: string): Prisma.ProductWhereInput | null {
  const at = ref.indexOf(':')
  const column = REFERENCES[ref.slice(0, at) as keyof typeof REFERENCES]
  if (at > 0 && column !== undefined) return { [column]: ref.slice(at + 1) }
  return UUID.test(ref) ? { id: ref } : null
}

/** Most products listed when a reference is ambiguous. */
const MAX_NAMED = 20

/**
 * Finds one product by its id, or by `sku:` `zoho:` `ean:` `upc:` `isbn:` `part:` and a text. A
 * soft-deleted one is found only where no other matches, and has `deleted_at`. Throws
 * NotFoundError, ConflictError `ambiguous_reference`.
 */
export async function findProduct(db: Db, ref: string): Promise<ProductWithPhotos> {
  const where = whereOf(ref)
  const found = where
    ? await db.product.findMany({
        where,
        select: { id: true, deleted_at: true },
        orderBy: [{ deleted_at: { sort: 'desc', nulls: 'first' } }, { created_at: 'asc' }],
        take: MAX_NAMED,
      })
    : []
  const living = found.filter((product) => product.deleted_at === null)
  if (living.length > 1) throw new ConflictError('ambiguous_reference', { reference: ref, ids: living.map((product) => product.id) })
  const product = found[0] && (await db.product.findUnique({ where: { id: found[0].id }, include: WITH_PHOTOS }))
  if (!product) {
    throw new NotFoundError('product_not_found')
  }
  return product
}
