import type { Db } from '../../database/client.ts'
import type { Photo } from '../../generated/client.ts'
import { lockProduct, putSourcePhoto } from './gallery.ts'

export interface ZohoCopy {
  productId: string
  filename: string
  sha256: string
}

/**
 * Registers an image that another program had downloaded from Zoho as Zoho's image of the product,
 * until Zoho's list or bytes say otherwise. An image that zinc downloaded itself, or that the
 * product has already, is left. Where a file named the image (and Zoho's list has not spoken yet),
 * the image counts as downloaded and costs no call. Must run in a transaction.
 */
export async function putZohoCopy(tx: Db, { productId, filename, sha256 }: ZohoCopy): Promise<{ photo: Photo; changed: boolean }> {
  await lockProduct(tx, productId)
  const photos = await tx.photo.findMany({ where: { product_id: productId, deleted_at: null } })
  const own = photos.find((it) => it.source === 'zoho' && it.kind === 'main')
  const same = photos.find((it) => it.sha256 === sha256)
  if (same) return { photo: same, changed: false }
  const { origin, zoho_image_id, zoho_modified_at, image_fetched_id } = await tx.product.findUniqueOrThrow({ where: { id: productId } })
  const isNamedByFile = origin !== 'zoho' && zoho_image_id !== null
  // Zoho's own bytes are newer than a copy, whatever their dates say.
  if (own && image_fetched_id !== null && !isNamedByFile) return { photo: own, changed: false }
  const document_id = isNamedByFile ? zoho_image_id : null
  const put = await putSourcePhoto(tx, { product_id: productId, source: 'zoho', document_id, filename, sha256 })
  if (isNamedByFile)
    await tx.product.update({
      where: { id: productId },
      data: { image_state: 'stored', image_fetched_id: zoho_image_id, image_checked_modified_at: zoho_modified_at },
    })
  return put
}
