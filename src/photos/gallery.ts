import type { Db } from '../db.ts'
import type { Photo } from '../generated/client.ts'

export interface NewPhoto {
  product_id: string
  source: 'zoho' | 'upload' | 'url' | 'import'
  document_id?: string | null
  source_url?: string | null
  filename: string
  sha256: string
}

/**
 * Gives a product the picture that its source has now, in the source's own place: another picture of the same source takes that place (version + 1 when
 * the bytes differ), a first one joins as a further picture and is primary only when there is no other. Local uploads are never replaced by Zoho's.
 * Call it inside a transaction; answers whether anything was written.
 */
export async function putSourcePhoto(tx: Db, photo: NewPhoto): Promise<{ photo: Photo; changed: boolean }> {
  // Two writers for one product wait for each other here, so that both cannot make a primary.
  await tx.$executeRaw`select 1 from product where id = ${photo.product_id}::uuid for update`
  const current = await tx.photo.findMany({ where: { product_id: photo.product_id, deleted_at: null } })
  const mine = current.find((it) => it.source === photo.source)
  const facts = { document_id: photo.document_id ?? null, source_url: photo.source_url ?? null, filename: photo.filename }
  if (mine) {
    const sameBytes = mine.sha256 === photo.sha256
    if (sameBytes && mine.document_id === facts.document_id && mine.filename === facts.filename) return { photo: mine, changed: false }
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
    if (!sameBytes) await markOrphan(tx, mine.sha256)
    return { photo: updated, changed: true }
  }
  const created = await tx.photo.create({
    data: {
      ...facts,
      product_id: photo.product_id,
      source: photo.source,
      sha256: photo.sha256,
      is_primary: current.length === 0,
      sort_order: current.length,
    },
  })
  return { photo: created, changed: true }
}

/** Takes away the picture that its source no longer has; the next one in order becomes primary. Answers whether there was one. */
export async function removeSourcePhoto(tx: Db, productId: string, source: NewPhoto['source']): Promise<boolean> {
  await tx.$executeRaw`select 1 from product where id = ${productId}::uuid for update`
  const mine = await tx.photo.findFirst({ where: { product_id: productId, source, deleted_at: null } })
  if (!mine) return false
  const at = new Date()
  await tx.photo.update({ where: { id: mine.id }, data: { deleted_at: at, updated_at: at, is_primary: false, feed_pending: true } })
  await markOrphan(tx, mine.sha256)
  if (!mine.is_primary) return true
  const next = await tx.photo.findFirst({
    where: { product_id: productId, deleted_at: null },
    orderBy: [{ sort_order: 'asc' }, { position: 'asc' }],
  })
  if (next) await tx.photo.update({ where: { id: next.id }, data: { is_primary: true, updated_at: at, feed_pending: true } })
  return true
}

/** Notes since when nobody refers to the bytes. They stay through the grace period in which a delete can be undone. */
async function markOrphan(tx: Db, sha256: string): Promise<void> {
  await tx.$executeRaw`update blob set orphaned_at = now() where sha256 = ${sha256}
    and not exists (select 1 from photo where photo.sha256 = blob.sha256 and photo.deleted_at is null)`
}
