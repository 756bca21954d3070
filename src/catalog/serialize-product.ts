import type { Product } from '../generated/client.ts'
import type { ItemFields } from '../schemas/item-fields.ts'
import type { Product as ProductResponse } from '../schemas/products.ts'
import type { ProductWithPhotos } from './products.ts'
import { type ImageUrlOptions, imageName, imageSource, serializeImage } from './serialize-image.ts'

/** A product as the API shows it: money and stock as decimal strings, times in ISO, pictures with the address of the primary. */
export function serializeProduct(product: ProductWithPhotos, shown: ImageUrlOptions): ProductResponse {
  const { photos, ...row } = product
  const name = imageName(row)
  const primary = photos.find((photo) => photo.is_primary)
  const { imageUrl, now } = shown
  const primaryUrl = primary ? imageUrl({ name, ext: primary.blob.ext, sha256: primary.sha256, now }) : null
  return {
    id: row.id,
    ...serializeItem(row),
    zoho_item_id: row.zoho_item_id,
    image_path: primary ? `images/item/${name}.${primary.blob.ext}` : null,
    image_url: primaryUrl,
    image_source: primary ? imageSource(primary) : null,
    image_state: row.image_state,
    has_image: primary !== undefined,
    images: photos.map((photo) => serializeImage(row, photo, shown)),
    videos: [],
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    deleted_at: row.deleted_at?.toISOString() ?? null,
  }
}

/** The fields of a product as people see them: decimals as written text, custom fields as an object. */
export function serializeItem(row: Product): ItemFields {
  const custom = row.custom_fields
  return {
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
    custom_fields: typeof custom === 'object' && custom !== null && !Array.isArray(custom) ? custom : {},
  }
}
