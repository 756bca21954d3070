import { buffer } from 'node:stream/consumers'
import type { Database } from '../../database/client.ts'
import { removeSourcePhoto } from '../../images/gallery/gallery.ts'
import type { BlobStore } from '../../images/storage/blob-store.ts'
import { ConflictError, NotFoundError, PayloadTooLargeError, UnsupportedMediaTypeError } from '../../lib/errors.ts'
import { type Actor, recordAudit } from '../../settings/audit-log.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { itemsById, setItemImage } from '../../zoho/inventory.ts'

export interface UploadImageDeps {
  db: Database
  store: BlobStore
  openZoho(): Promise<ZohoClient>
}

export interface UploadedImage {
  zoho_item_id: string
  image_id: string
  size: number
  content_type: string
  /** Calls to Zoho that it takes: the upload, and a read of what the item names afterwards. */
  calls: number
  sent: boolean
  /** Zoho's new id of the image; null in a dry run. */
  document_id: string | null
}

/** What Zoho accepts (API reference: gif png jpeg bmp webp, 7 MB). */
const TAKEN = new Set(['jpg', 'png', 'gif', 'webp'])
const MAX_BYTES = 7_000_000
const CALLS = 2

/**
 * Makes a product's own primary image the item's main image in Zoho. The document that Zoho creates
 * then counts as fetched, so that the next sync does not download our own image. Zoho's former
 * image no longer exists there and is removed here too. Nothing is sent unless a person requests it
 * for this image.
 */
export async function uploadImage(
  { db, store, openZoho }: UploadImageDeps,
  { productId, dryRun, actor }: { productId: string; dryRun: boolean; actor: Actor },
  signal: AbortSignal,
): Promise<UploadedImage> {
  const product = await db.product.findUniqueOrThrow({ where: { id: productId } })
  const { zoho_item_id } = product
  if (zoho_item_id === null || product.deleted_at) throw new ConflictError('not_in_zoho')
  const photo = await db.photo.findFirst({ where: { product_id: productId, is_primary: true, deleted_at: null }, include: { blob: true } })
  if (!photo) throw new NotFoundError('image_not_found.none')
  if (photo.source === 'zoho') throw new ConflictError('image_from_zoho')
  const { ext, content_type } = photo.blob
  const size = Number(photo.blob.size)
  if (!TAKEN.has(ext)) throw new UnsupportedMediaTypeError('unsupported_format.zoho', { format: ext.toUpperCase() })
  if (size > MAX_BYTES) throw new PayloadTooLargeError('image_too_large.zoho', { max_bytes: MAX_BYTES })
  const facts = { zoho_item_id, image_id: photo.id, size, content_type, calls: CALLS }
  if (dryRun) return { ...facts, sent: false, document_id: null }

  const zoho = await openZoho()
  const bytes = await buffer((await store.open('originals', photo.sha256)).stream)
  await setItemImage(zoho, { itemId: zoho_item_id, bytes, filename: `${zoho_item_id}.${ext}`, contentType: content_type }, signal)
  const item = (await itemsById(zoho, { ids: [zoho_item_id] }, signal)).found.get(zoho_item_id)
  const document_id = item?.image_document_id ?? item?.image_candidate ?? null
  await db.$transaction(async (tx) => {
    await removeSourcePhoto(tx, productId, 'zoho')
    await tx.product.update({
      where: { id: productId },
      data: {
        zoho_image_id: document_id,
        zoho_image_name: item?.image_name ?? null,
        image_fetched_id: document_id,
        image_checked_modified_at: item?.last_modified_time ?? null,
        image_state: 'stored',
        image_error: null,
        image_error_code: null,
      },
    })
    await recordAudit(tx, { ...actor, action: 'image.send_to_zoho', target: `product:${productId}` })
  })
  return { ...facts, sent: true, document_id }
}
