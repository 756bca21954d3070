import type { Product as ProductAnswer } from '../contract/products.ts'
import type { ProductWithPhotos } from './products.ts'

type BuildUrl = (picture: { name: string; ext: string; sha256: string; now: Date }) => string

/** A product as the API shows it: money and stock as decimal strings, times in ISO, pictures with the address of the primary. */
export function productAnswer(product: ProductWithPhotos, { imageUrl, now }: { imageUrl: BuildUrl; now: Date }): ProductAnswer {
  const { photos, ...row } = product
  const name = row.zoho_item_id ?? row.id
  const sourceOf = (photo: (typeof photos)[number]) => ({
    kind: photo.source as 'zoho' | 'upload' | 'url' | 'import',
    ...(photo.document_id !== null && { document_id: photo.document_id }),
    ...(photo.source_url !== null && { url: photo.source_url }),
  })
  const primary = photos.find((photo) => photo.is_primary)
  const primaryUrl = primary ? imageUrl({ name, ext: primary.blob.ext, sha256: primary.sha256, now }) : null
  const custom = row.custom_fields
  return {
    id: row.id,
    sku: row.sku,
    name: row.name,
    name_en: row.name_en,
    name_ar: row.name_ar,
    description: row.description,
    cost_price: row.cost_price?.toFixed() ?? null,
    selling_price: row.selling_price?.toFixed() ?? null,
    currency: row.currency,
    stock_on_hand: row.stock_on_hand?.toFixed() ?? null,
    status: row.status === 'inactive' ? 'inactive' : 'active',
    unit: row.unit,
    category: row.category,
    brand: row.brand,
    zoho_item_id: row.zoho_item_id,
    custom_fields: typeof custom === 'object' && custom !== null && !Array.isArray(custom) ? custom : {},
    image_path: primary ? `images/item/${name}.${primary.blob.ext}` : null,
    image_url: primaryUrl,
    image_source: primary ? sourceOf(primary) : null,
    image_state: row.image_state,
    has_image: primary !== undefined,
    images: photos.map((photo) => ({
      id: photo.id,
      url: photo === primary ? primaryUrl : null,
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
      image_source: sourceOf(photo),
      updated_at: photo.updated_at.toISOString(),
    })),
    videos: [],
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    deleted_at: row.deleted_at?.toISOString() ?? null,
  }
}
