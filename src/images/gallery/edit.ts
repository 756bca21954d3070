import type { Db } from '../../database/client.ts'
import type { Photo } from '../../generated/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadRequestError, NotFoundError } from '../../lib/errors.ts'
import {
  deletePhotos,
  type GalleryDeps,
  type GalleryPhoto,
  GRACE_DAYS,
  imageNotFound,
  type OnChange,
  type PhotoOutcome,
  productDeleted,
  restorePhotos,
  restoreUntil,
} from './bulk-edit.ts'
import { lockProduct, nextInOrder } from './gallery.ts'

export interface AddedPhoto {
  source: 'upload' | 'import' | 'url'
  filename: string
  sha256: string
  source_url?: string | null
  alt_en?: string | null
  alt_ar?: string | null
}

const IN_ORDER = [{ sort_order: 'asc' as const }, { position: 'asc' as const }]

export function listGallery(db: Db, productId: string, { withDeleted, now }: { withDeleted: boolean; now: Date }): Promise<GalleryPhoto[]> {
  const restorable = { deleted_at: { gt: new Date(now.getTime() - GRACE_DAYS * 86_400_000) }, blob: { removed_at: null } }
  return db.photo.findMany({
    where: { product_id: productId, ...(withDeleted ? { OR: [{ deleted_at: null }, restorable] } : { deleted_at: null }) },
    include: { blob: true },
    orderBy: IN_ORDER,
  })
}

/**
 * Adds images whose bytes are stored already: all of them or none. The first becomes primary when
 * `primary` is set or there is no other.
 */
export async function addPhotos(
  { db, clock }: GalleryDeps,
  added: { productId: string; photos: AddedPhoto[]; primary: boolean },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto[]> {
  return db.$transaction(
    async (tx) => {
      const photos = await addPhotosIn(tx, clock, added)
      await onChange(tx, photos)
      return photos
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/** The same, inside a transaction that does more. */
export async function addPhotosIn(
  tx: Db,
  clock: Clock,
  { productId, photos, primary }: { productId: string; photos: AddedPhoto[]; primary: boolean },
): Promise<GalleryPhoto[]> {
  const current = await lockedPhotos(tx, productId)
  const at = clock.now()
  const asPrimary = primary || !current.some((it) => it.is_primary)
  if (asPrimary) await clearPrimary(tx, productId, at)
  const order = nextInOrder(current)
  // Always in the same order, so that two uploads of the same images cannot deadlock.
  const hashes = photos.map(({ sha256 }) => sha256)
  await tx.$executeRaw`select 1 from blob where sha256 = any(${hashes}::text[]) order by sha256 for no key update`
  const added: GalleryPhoto[] = []
  for (const [n, photo] of photos.entries()) {
    added.push(
      await tx.photo.create({
        data: { ...photo, product_id: productId, is_primary: asPrimary && n === 0, sort_order: order + n, created_at: at, updated_at: at },
        include: { blob: true },
      }),
    )
  }
  return added
}

export interface PhotoChange {
  is_primary?: true | undefined
  sort_order?: number | undefined
  alt_en?: string | null | undefined
  alt_ar?: string | null | undefined
}

/** Changes an image's texts and flags; its bytes, and so its version, stay. */
export async function changePhoto(
  { db, clock }: GalleryDeps,
  { productId, photoId, change }: { productId: string; photoId: string; change: PhotoChange },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto> {
  return db.$transaction(
    async (tx) => {
      const current = await lockedPhotos(tx, productId)
      const photo = find(current, photoId)
      const at = clock.now()
      const { is_primary, ...words } = change
      if (is_primary && !photo.is_primary) await clearPrimary(tx, productId, at)
      const changed = await tx.photo.update({
        where: { id: photo.id },
        // A database trigger marks what changes for the stores: writing the same values, or a text,
        // is no change.
        data: { ...definedOf(words), ...(is_primary && { is_primary }), updated_at: at },
        include: { blob: true },
      })
      await onChange(tx, [changed])
      return changed
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/**
 * Puts images into the order of `ids`; the others follow in the order that they had. Which one is
 * primary does not change.
 */
export async function orderPhotos(
  { db, clock }: GalleryDeps,
  { productId, ids }: { productId: string; ids: string[] },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto[]> {
  return db.$transaction(
    async (tx) => {
      const current = await lockedPhotos(tx, productId)
      if (new Set(ids).size !== ids.length) throw new BadRequestError('image_order_mismatch.twice')
      const known = new Map(current.map((it) => [it.id, it]))
      const foreign = ids.filter((id) => !known.has(id))
      if (foreign.length > 0) throw new BadRequestError('image_order_mismatch.other_product', { ids: foreign.slice(0, 5) })
      const named = new Set(ids)
      const order = [...ids, ...current.filter((it) => !named.has(it.id)).map((it) => it.id)]
      const moved = order.filter((id, n) => known.get(id)?.sort_order !== n)
      await tx.$executeRaw`
        update photo set sort_order = t.n - 1, updated_at = ${clock.now()}, feed_pending = true
        from unnest(${order}::uuid[]) with ordinality as t(id, n)
        where photo.id = t.id and photo.sort_order <> t.n - 1`
      await onChange(
        tx,
        current.filter((it) => moved.includes(it.id)),
      )
      return tx.photo.findMany({
        where: { product_id: productId, deleted_at: null },
        include: { blob: true },
        orderBy: IN_ORDER,
      })
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/**
 * Deletes an image; it can be restored within the grace period. If it was primary, the next in
 * order becomes primary.
 */
export async function deletePhoto(
  gallery: GalleryDeps,
  { productId, photoId }: { productId: string; photoId: string },
  onChange: OnChange = async () => {},
): Promise<{ deleted_at: Date; restore_until: Date }> {
  const { deleted_at } = onlyOne(await deletePhotos(gallery, { productId, ids: [photoId] }, onChange))
  return { deleted_at: deleted_at!, restore_until: restoreUntil(deleted_at!) }
}

/**
 * Restores a deleted image, as a further one unless there is no other. Throws GoneError when its
 * bytes may be deleted.
 */
export async function restorePhoto(
  gallery: GalleryDeps,
  { productId, photoId }: { productId: string; photoId: string },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto> {
  return onlyOne(await restorePhotos(gallery, { productId, ids: [photoId] }, onChange))
}

function onlyOne([outcome]: PhotoOutcome[]): GalleryPhoto {
  if (outcome?.photo) return outcome.photo
  throw outcome?.error ?? imageNotFound()
}

async function lockedPhotos(tx: Db, productId: string): Promise<Photo[]> {
  await lockProduct(tx, productId)
  const product = await tx.product.findUnique({ where: { id: productId }, select: { deleted_at: true } })
  if (!product) throw new NotFoundError('product_not_found')
  if (product.deleted_at) throw productDeleted()
  return tx.photo.findMany({ where: { product_id: productId, deleted_at: null }, orderBy: IN_ORDER })
}

/** Called before another becomes primary: the database allows only one at any moment. */
async function clearPrimary(tx: Db, productId: string, at: Date): Promise<void> {
  await tx.photo.updateMany({
    where: { product_id: productId, is_primary: true, deleted_at: null },
    data: { is_primary: false, updated_at: at, feed_pending: true },
  })
}

function find(photos: Photo[], id: string): Photo {
  const photo = photos.find((it) => it.id === id)
  if (!photo) throw imageNotFound()
  return photo
}
const definedOf = <T extends object>(value: T) => Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined))
