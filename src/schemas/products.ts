import { z } from 'zod'
import { ItemFields } from './item-fields.ts'

export const ImageSource = z.object({
  kind: z.enum(['zoho', 'upload', 'url', 'import']),
  document_id: z.string().optional(),
  url: z.string().optional(),
})

export const ProductImage = z.object({
  id: z.uuid(),
  url: z.string().nullable(),
  /** The same address, by the name that it has on products and in the photo list. */
  image_url: z.string().nullable(),
  filename: z.string(),
  size: z.number(),
  content_type: z.string(),
  checksum: z.string(),
  sha256: z.string(),
  width: z.number(),
  height: z.number(),
  version: z.number(),
  is_primary: z.boolean(),
  sort_order: z.number(),
  alt_en: z.string().nullable(),
  alt_ar: z.string().nullable(),
  damaged: z.boolean(),
  image_source: ImageSource,
  updated_at: z.iso.datetime(),
})
export type ProductImage = z.infer<typeof ProductImage>

export const Product = z.object({
  id: z.uuid(),
  ...ItemFields.shape,
  zoho_item_id: z.string().nullable(),
  image_path: z.string().nullable(),
  image_url: z.string().nullable(),
  image_source: ImageSource.nullable(),
  image_state: z.string(),
  has_image: z.boolean(),
  images: z.array(ProductImage),
  videos: z.array(z.unknown()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  deleted_at: z.iso.datetime().nullable(),
})
export type Product = z.infer<typeof Product>

/** `GET /api/products`. `total` only when it was asked for. */
export const ProductsResponse = z.object({
  status: z.literal('success'),
  data: z.array(Product),
  next_cursor: z.string().nullable(),
  total: z.int().optional(),
})
export type ProductsResponse = z.infer<typeof ProductsResponse>

/** `GET /api/products/categories`: what an assortment can name. */
export const Category = z.object({ name: z.string(), products: z.number() })
export type Category = z.infer<typeof Category>
export const CategoriesResponse = z.object({ status: z.literal('success'), data: z.array(Category), next_cursor: z.null() })
