import type { Db } from '../../database/client.ts'
import type { Photo } from '../../generated/client.ts'

export interface NewPhoto {
  product_id: string
  source: 'zoho' | 'upload' | 'url' | 'import'
  /**
   * main: the product's one image from the source | gallery: a further one, identified by its
   * document
   */
  kind?: 'main' | 'gallery'
  document_id?: string | null
  source_url?: string | null
  filename: string
  sha256: string
  /** Position of a new image; after the others when it is left out. */
  sort_order?: number
}

/**
 * Writers of one product wait for each other here, so that two of them cannot both set a primary.
 */
export async function lockProduct(tx: Db, productId: string): Promise<void> {
  await tx.$executeRaw`select 1 from product where id = ${productId}::uuid for update`
}

/**
 * Saves the image that a product's source has now. It replaces the image from the same source
 * (version + 1 when the bytes differ); a first one is added as a further image, and is primary only
 * when there is no other. Uploads are never replaced by Zoho's images. Must run in a transaction;
 * returns whether anything was written.
 */
export async function putSourcePhoto(tx: Db, photo: NewPhoto): Promise<{ photo: Photo; changed: boolean }> {
  await lockProduct(tx, photo.product_id)
  const kind = photo.kind ?? 'main'
  const current = await tx.photo.findMany({ where: { product_id: photo.product_id, deleted_at: null } })
  const mine = current.find(
    (it) => it.source === photo.source && it.kind === kind && (kind === 'main' || it.document_id === (photo.document_id ?? null)),
  )
  const facts = { document_id: photo.document_id ?? null, source_url: photo.source_url ?? null, filename: photo.filename }
  if (mine) {
    const sameBytes = mine.sha256 === photo.sha256
    if (sameBytes && mine.document_id === facts.document_id && mine.source_url === facts.source_url && mine.filename === facts.filename)
      return { photo: mine, changed: false }
    const updated = await tx.photo.update({
      where: { id: mine.id },
      data: {
        ...facts,
        sha256: photo.sha256,
        updated_at: new Date(),
        feed_pending: true,
        ...(!sameBytes && { version: { increment: 1 } }),
      },
    })
    return { photo: updated, changed: true }
  }
  const created = await tx.photo.create({
    data: {
      ...facts,
      kind,
      product_id: photo.product_id,
      source: photo.source,
      sha256: photo.sha256,
      is_primary: current.length === 0,
      sort_order: photo.sort_order ?? nextInOrder(current),
    },
  })
  return { photo: created, changed: true }
}

export const nextInOrder = (current: { sort_order: number }[]): number => Math.max(-1, ...current.map((it) => it.sort_order)) + 1

/**
 * Deletes the image that its source no longer has; the next one in order becomes primary. Returns
 * whether there was one.
 */
export async function removeSourcePhoto(tx: Db, productId: string, source: NewPhoto['source']): Promise<boolean> {
  await lockProduct(tx, productId)
  const mine = await tx.photo.findFirst({ where: { product_id: productId, source, kind: 'main', deleted_at: null } })
  if (!mine) return false
  await removePhoto(tx, mine, new Date())
  return true
}

/**
 * Turns a live photo into a tombstone; if it was primary, the next one in order becomes primary.
 * The product must be locked.
 */
export async function removePhoto(tx: Db, photo: Photo, at: Date): Promise<void> {
  await tx.photo.update({ where: { id: photo.id }, data: { deleted_at: at, updated_at: at, is_primary: false, feed_pending: true } })
  if (photo.is_primary) await choosePrimaries(tx, [photo.product_id], at)
}

/**
 * Makes the first live image in order primary, for each product that has none. The products must be
 * locked.
 */
export async function choosePrimaries(tx: Db, productIds: string[], at: Date): Promise<void> {
  await tx.$executeRaw`
    update photo set is_primary = true, updated_at = ${at}, feed_pending = true
    from (
      select distinct on (product_id) id, is_primary from photo where product_id = any(${productIds}::uuid[]) and deleted_at is null
      order by product_id, is_primary desc, sort_order, position) as first
    where photo.id = first.id and not first.is_primary`
}
