import { z } from 'zod'

/** An item group with variants. Its texts are null until its detail was read. */
export const ProductGroupRecord = z.object({
  id: z.string(),
  name: z.string().nullable(),
  description: z.string().nullable(),
  brand: z.string().nullable(),
  manufacturer: z.string().nullable(),
  unit: z.string().nullable(),
  /** With the options in use, in Zoho's order. */
  attributes: z.array(z.object({ name: z.string(), options: z.array(z.string()) })),
  /** Ids of its products. */
  products: z.array(z.uuid()),
  image_url: z.string().nullable(),
  /** Images of the group itself; those of its products are with the products. */
  images: z.array(
    z.object({
      url: z.string(),
      image_url: z.string(),
      filename: z.string(),
      size: z.number(),
      content_type: z.string(),
      sha256: z.string(),
      width: z.number(),
      height: z.number(),
      is_primary: z.boolean(),
    }),
  ),
})
export type ProductGroupRecord = z.infer<typeof ProductGroupRecord>

/** `GET /api/product-groups` */
export const ProductGroupsQuery = z.object({
  cursor: z.string().max(2000).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** Words of the name, in any order. */
  search: z.string().max(200).optional(),
})
export const ProductGroupsResponse = z.object({
  status: z.literal('success'),
  data: z.array(ProductGroupRecord),
  next_cursor: z.string().nullable(),
})
/** `GET /api/product-groups/{id}` */
export const ProductGroupResponse = z.object({ status: z.literal('success'), data: ProductGroupRecord })
