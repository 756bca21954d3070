import type { Database, Db } from '../../database/client.ts'
import type { Blob, Photo } from '../../generated/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { type AppError, ConflictError, GoneError, NotFoundError } from '../../lib/errors.ts'
import { choosePrimaries } from './gallery.ts'

export type GalleryPhoto = Photo & { blob: Blob }

/** How long a deleted image can be restored; its bytes are kept that long. */
export const GRACE_DAYS = 7
const DAY_MS = 86_400_000
const MAX_ALT = 500
export const restoreUntil = (deletedAt: Date): Date => new Date(deletedAt.getTime() + GRACE_DAYS * DAY_MS)

export interface GalleryDeps {
  db: Database
  clock: Clock
}

/** Called in the transaction of the change, with the images that really changed. */
export type OnChange = (tx: Db, photos: Photo[]) => Promise<void>

/** The outcome for one image of a bulk request: the changed row, or why it was left alone. */
export type PhotoOutcome = { id: string } & ({ photo: GalleryPhoto; error?: never } | { photo?: never; error: AppError })

/**
 * Images by their ids, of any products; with `productId` those of another product count as unknown.
 */
export interface BulkPhotos {
  ids: string[]
  productId?: string
}

type Found = GalleryPhoto & { product: { deleted_at: Date | null } }

/**
 * Deletes images; they can be restored within the grace period. Where a primary one is deleted, the
 * next in order becomes primary. One that cannot be deleted does not affect the others.
 */
export function deletePhotos({ db, clock }: GalleryDeps, many: BulkPhotos, onChange: OnChange = async () => {}): Promise<PhotoOutcome[]> {
  const at = clock.now()
  const refuse = (photo: Found) => (photo.deleted_at ? imageNotFound() : null)
  return changeMany(db, many, { refuse, data: { deleted_at: at }, at }, onChange)
}

/** Restores deleted images, each as a further one unless its product has no other. */
export function restorePhotos({ db, clock }: GalleryDeps, many: BulkPhotos, onChange: OnChange = async () => {}): Promise<PhotoOutcome[]> {
  const at = clock.now()
  const refuse = ({ deleted_at, blob }: Found) => {
    if (!deleted_at) return new ConflictError('image_not_deleted')
    if (restoreUntil(deleted_at) > at && !blob.removed_at) return null
    return new GoneError('restore_expired', { days: GRACE_DAYS })
  }
  return changeMany(db, many, { refuse, data: { deleted_at: null }, at }, onChange)
}

/** The same texts for all images, or the name of each one's product where it has none. */
export type AltTexts = { fromProductName: true } | { alt_en?: string | null | undefined; alt_ar?: string | null | undefined }

/** Sets alt texts; bytes and order stay. Returns only the images that got other words. */
export function describePhotos(
  { db, clock }: GalleryDeps,
  { ids: named }: BulkPhotos,
  texts: AltTexts,
  onChange: OnChange = async () => {},
): Promise<PhotoOutcome[]> {
  const ids = [...new Set(named)]
  const at = clock.now()
  return db.$transaction(
    async (tx) => {
      await tx.$executeRaw`
        select 1 from product where id in (select product_id from photo where id = any(${ids}::uuid[])) order by id for update`
      if ('fromProductName' in texts)
        await tx.$executeRaw`
          update photo f set updated_at = ${at},
            alt_en = coalesce(nullif(f.alt_en, ''), left(p.name_en, ${MAX_ALT})), alt_ar = coalesce(nullif(f.alt_ar, ''), left(p.name_ar, ${MAX_ALT}))
          from product p where p.id = f.product_id and f.id = any(${ids}::uuid[]) and f.deleted_at is null and p.deleted_at is null
            and ((coalesce(f.alt_en, '') = '' and p.name_en is not null) or (coalesce(f.alt_ar, '') = '' and p.name_ar is not null))`
      else
        await tx.photo.updateMany({
          where: { id: { in: ids }, deleted_at: null, product: { deleted_at: null } },
          data: {
            ...(texts.alt_en !== undefined && { alt_en: texts.alt_en }),
            ...(texts.alt_ar !== undefined && { alt_ar: texts.alt_ar }),
            updated_at: at,
          },
        })
      const rows = await tx.photo.findMany({
        where: { id: { in: ids } },
        include: { blob: true, product: { select: { deleted_at: true } } },
      })
      const found = new Map(rows.map((it) => [it.id, it]))
      const changed = rows.filter(({ updated_at, deleted_at }) => deleted_at === null && updated_at.getTime() === at.getTime())
      if (changed.length > 0) await onChange(tx, changed)
      return ids.map((id): PhotoOutcome => {
        const photo = found.get(id)
        if (!photo || photo.deleted_at) return { id, error: imageNotFound() }
        return photo.product.deleted_at ? { id, error: productDeleted() } : { id, photo }
      })
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/** Runs the same few statements for one image as for a thousand. */
function changeMany(
  db: Database,
  { ids: named, productId }: BulkPhotos,
  { refuse, data, at }: { refuse(photo: Found): AppError | null; data: { deleted_at: Date | null }; at: Date },
  onChange: OnChange,
): Promise<PhotoOutcome[]> {
  const ids = [...new Set(named)]
  return db.$transaction(
    async (tx) => {
      // Locks the products' rows (writers wait there) and the blobs' rows (garbage collection waits
      // there), always in the same order so that two requests cannot deadlock.
      await tx.$executeRaw`
        select 1 from product where id in (select product_id from photo where id = any(${ids}::uuid[])) order by id for update`
      await tx.$executeRaw`
        select 1 from blob where sha256 in (select sha256 from photo where id = any(${ids}::uuid[])) order by sha256 for update`
      const rows = await tx.photo.findMany({
        where: { id: { in: ids }, ...(productId !== undefined && { product_id: productId }) },
        include: { blob: true, product: { select: { deleted_at: true } } },
      })
      const found = new Map(rows.map((it) => [it.id, it]))
      const refused = new Map<string, AppError>()
      for (const id of ids) {
        const photo = found.get(id)
        const error = photo ? (photo.product.deleted_at ? productDeleted() : refuse(photo)) : imageNotFound()
        if (error) refused.set(id, error)
      }
      const changing = ids.filter((id) => !refused.has(id))
      if (changing.length > 0) {
        await tx.photo.updateMany({
          where: { id: { in: changing } },
          data: { ...data, updated_at: at, is_primary: false, feed_pending: true },
        })
        await choosePrimaries(tx, [...new Set(changing.map((id) => found.get(id)!.product_id))], at)
      }
      const changed = await tx.photo.findMany({ where: { id: { in: changing } }, include: { blob: true } })
      if (changed.length > 0) await onChange(tx, changed)
      const after = new Map(changed.map((it) => [it.id, it]))
      return ids.map((id) => {
        const error = refused.get(id)
        return error ? { id, error } : { id, photo: after.get(id)! }
      })
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

export const imageNotFound = () => new NotFoundError('image_not_found')
export const productDeleted = () => new ConflictError('product_deleted')
