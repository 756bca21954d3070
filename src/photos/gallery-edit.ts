import type { Clock } from '../clock.ts'
import type { Database, Db } from '../db.ts'
import { BadInput, Conflict, Gone, NotFound } from '../errors.ts'
import type { Blob, Photo } from '../generated/client.ts'
import { choosePrimary, lockProduct, nextInOrder, removePhoto } from './gallery.ts'

export type GalleryPhoto = Photo & { blob: Blob }

/** How long a deleted picture can be brought back, and its bytes are kept. */
export const GRACE_DAYS = 7
const DAY_MS = 86_400_000
export const restoreUntil = (deletedAt: Date): Date => new Date(deletedAt.getTime() + GRACE_DAYS * DAY_MS)

export interface GalleryDeps {
  db: Database
  clock: Clock
}

export interface AddedPhoto {
  source: 'upload' | 'import' | 'url'
  filename: string
  sha256: string
  source_url?: string | null
  alt_en?: string | null
  alt_ar?: string | null
}

/** What changed a product's pictures besides the rows themselves; called inside the transaction of the change. */
export type OnChange = (tx: Db, photos: Photo[]) => Promise<void>

const IN_ORDER = [{ is_primary: 'desc' as const }, { sort_order: 'asc' as const }, { position: 'asc' as const }]

export function listGallery(db: Db, productId: string, { withDeleted, now }: { withDeleted: boolean; now: Date }): Promise<GalleryPhoto[]> {
  const restorable = { deleted_at: { gt: new Date(now.getTime() - GRACE_DAYS * DAY_MS) }, blob: { removed_at: null } }
  return db.photo.findMany({
    where: { product_id: productId, ...(withDeleted ? { OR: [{ deleted_at: null }, restorable] } : { deleted_at: null }) },
    include: { blob: true },
    orderBy: IN_ORDER,
  })
}

/** Adds pictures whose bytes are stored already: all of them or none. The first becomes primary when `primary` says so or there is no other. */
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

/** The same inside a transaction that does more. */
export async function addPhotosIn(
  tx: Db,
  clock: Clock,
  { productId, photos, primary }: { productId: string; photos: AddedPhoto[]; primary: boolean },
): Promise<GalleryPhoto[]> {
  const current = await lockedPhotos(tx, productId)
  const at = clock.now()
  const asPrimary = primary || !current.some((it) => it.is_primary)
  if (asPrimary) await dethrone(tx, productId, at)
  const order = nextInOrder(current)
  // In one order everywhere, so that two uploads of the same pictures cannot wait for each other.
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

/** Changes what is said about a picture; its bytes, and with them its version, stay. */
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
      if (is_primary && !photo.is_primary) await dethrone(tx, productId, at)
      const changed = await tx.photo.update({
        where: { id: photo.id },
        data: { ...definedOf(words), ...(is_primary && { is_primary }), updated_at: at, feed_pending: true },
        include: { blob: true },
      })
      await onChange(tx, [changed])
      return changed
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/** Puts pictures into the order of `ids`; those that are not named follow in the order that they had. Which one is primary does not change. */
export async function orderPhotos(
  { db, clock }: GalleryDeps,
  { productId, ids }: { productId: string; ids: string[] },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto[]> {
  return db.$transaction(
    async (tx) => {
      const current = await lockedPhotos(tx, productId)
      if (new Set(ids).size !== ids.length) throw wrongOrder('An image is named twice')
      const known = new Map(current.map((it) => [it.id, it]))
      const foreign = ids.filter((id) => !known.has(id))
      if (foreign.length > 0) throw wrongOrder(`Not an image of this product: ${foreign.slice(0, 5).join(', ')}`)
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
        orderBy: [{ sort_order: 'asc' }, { position: 'asc' }],
      })
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/** Takes a picture away; it can be restored within the grace period. The next one in order becomes primary if it was. */
export async function deletePhoto(
  { db, clock }: GalleryDeps,
  { productId, photoId }: { productId: string; photoId: string },
  onChange: OnChange = async () => {},
): Promise<{ deleted_at: Date; restore_until: Date }> {
  return db.$transaction(
    async (tx) => {
      const photo = find(await lockedPhotos(tx, productId), photoId)
      const at = clock.now()
      await removePhoto(tx, photo, at)
      await onChange(tx, [photo])
      return { deleted_at: at, restore_until: restoreUntil(at) }
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

/** Brings a deleted picture back, as a further one unless there is no other. Throws Gone when its bytes may be gone. */
export async function restorePhoto(
  { db, clock }: GalleryDeps,
  { productId, photoId }: { productId: string; photoId: string },
  onChange: OnChange = async () => {},
): Promise<GalleryPhoto> {
  return db.$transaction(
    async (tx) => {
      await lockedPhotos(tx, productId)
      const photo = await tx.photo.findFirst({ where: { id: photoId, product_id: productId } })
      if (!photo) throw notFound()
      if (!photo.deleted_at) throw new Conflict('image_not_deleted', 'This image is not deleted')
      const at = clock.now()
      // The row of the bytes is locked against the sweep, which looks at it again before it removes them.
      const [blob] = await tx.$queryRaw<
        { removed_at: Date | null }[]
      >`select removed_at from blob where sha256 = ${photo.sha256} for update`
      if (restoreUntil(photo.deleted_at) <= at || !blob || blob.removed_at)
        throw new Gone('image_gone', `A deleted image can be restored for ${GRACE_DAYS} days; this one is gone`, {
          remedy: 'Upload it again.',
        })
      await tx.photo.update({ where: { id: photo.id }, data: { deleted_at: null, updated_at: at, is_primary: false, feed_pending: true } })
      await choosePrimary(tx, productId, at)
      const restored = await tx.photo.findUniqueOrThrow({ where: { id: photo.id }, include: { blob: true } })
      await onChange(tx, [restored])
      return restored
    },
    { timeout: 30_000, maxWait: 30_000 },
  )
}

async function lockedPhotos(tx: Db, productId: string): Promise<Photo[]> {
  await lockProduct(tx, productId)
  const product = await tx.product.findUnique({ where: { id: productId }, select: { deleted_at: true } })
  if (!product) throw new NotFound('product_not_found', 'Product not found')
  if (product.deleted_at)
    throw new Conflict('product_deleted', 'The product is deleted', {
      remedy: 'It comes back when Zoho lists it again; then change its images.',
    })
  return tx.photo.findMany({ where: { product_id: productId, deleted_at: null }, orderBy: [{ sort_order: 'asc' }, { position: 'asc' }] })
}

/** Ahead of a new primary: the database allows one at any moment. */
async function dethrone(tx: Db, productId: string, at: Date): Promise<void> {
  await tx.photo.updateMany({
    where: { product_id: productId, is_primary: true, deleted_at: null },
    data: { is_primary: false, updated_at: at, feed_pending: true },
  })
}

const notFound = () => new NotFound('image_not_found', 'Image not found', { remedy: 'GET the images of the product; each has its id.' })
function find(photos: Photo[], id: string): Photo {
  const photo = photos.find((it) => it.id === id)
  if (!photo) throw notFound()
  return photo
}
const wrongOrder = (message: string) =>
  new BadInput('wrong_image_ids', message, { remedy: 'Send a JSON array of the ids of this product, each once, in the wanted order.' })
const definedOf = <T extends object>(value: T) => Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined))
