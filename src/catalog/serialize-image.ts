import type { Blob, Photo } from '../generated/client.ts'
import type { ProductImage } from '../schemas/products.ts'

export type PhotoWithBlob = Photo & { blob: Blob }
export interface ImageUrlOptions {
  imageUrl(image: { name: string; ext: string; sha256: string; now: Date }): string
  now: Date
}

export const imageSource = (photo: Pick<Photo, 'source' | 'document_id' | 'source_url'>): ProductImage['image_source'] => ({
  kind: photo.source as ProductImage['image_source']['kind'],
  ...(photo.document_id !== null && { document_id: photo.document_id }),
  ...(photo.source_url !== null && { url: photo.source_url }),
})

/**
 * Returns one image as the API shows it. The primary's URL has the product's id; a further one has
 * its own.
 */
export function serializeImage(
  product: { id: string; zoho_item_id: string | null },
  photo: PhotoWithBlob,
  { imageUrl, now }: ImageUrlOptions,
): ProductImage {
  const url = imageUrl({ name: photo.is_primary ? imageName(product) : photo.id, ext: photo.blob.ext, sha256: photo.sha256, now })
  return {
    id: photo.id,
    url: photo.deleted_at ? null : url,
    image_url: photo.deleted_at ? null : url,
    filename: photo.filename,
    size: Number(photo.blob.size),
    content_type: photo.blob.content_type,
    checksum: photo.blob.md5,
    sha256: photo.sha256,
    width: photo.blob.width,
    height: photo.blob.height,
    version: photo.version,
    is_primary: photo.is_primary,
    sort_order: photo.sort_order,
    alt_en: photo.alt_en,
    alt_ar: photo.alt_ar,
    damaged: photo.blob.damaged,
    image_source: imageSource(photo),
    updated_at: photo.updated_at.toISOString(),
  }
}

/** Ids of Zoho that can be the name of a file. */
export const SAFE_NAME = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Returns the name used in files and URLs of a product's image: Zoho's id, or ours where Zoho does
 * not know the product or its id could not be a file name.
 */
export const imageName = ({ id, zoho_item_id }: { id: string; zoho_item_id: string | null }): string =>
  zoho_item_id !== null && SAFE_NAME.test(zoho_item_id) ? zoho_item_id : id
