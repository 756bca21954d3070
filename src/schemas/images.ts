import { z } from 'zod'
import { MessageParams } from './message.ts'
import { ProductImage } from './products.ts'

/** An image as its product's gallery shows it; deleted ones only on request. */
export const GalleryImage = ProductImage.extend({
  deleted_at: z.iso.datetime().nullable(),
  /** Until when a deleted one can be restored. */
  restore_until: z.iso.datetime().nullable(),
})
export type GalleryImage = z.infer<typeof GalleryImage>

export const GalleryResponse = z.object({ status: z.literal('success'), data: z.array(GalleryImage), next_cursor: z.null() })
export const ImageResponse = z.object({ status: z.literal('success'), data: GalleryImage })
/** `data` is the first one, `images` all, in the order of the form. */
export const UploadResponse = z.object({ status: z.literal('success'), data: GalleryImage, images: z.array(GalleryImage) })
export const DeletedResponse = z.object({
  status: z.literal('success'),
  data: z.object({ id: z.uuid(), deleted_at: z.iso.datetime(), restore_until: z.iso.datetime() }),
})

const AltText = z.string().trim().max(500).nullable()
export const ImagePatch = z
  .object({ is_primary: z.literal(true), sort_order: z.int().min(0).max(10_000), alt_en: AltText, alt_ar: AltText })
  .partial()
  .strict()
export const ImageOrder = z.array(z.uuid()).min(1).max(1_000)

/** zinc's primary image next to the one that Zoho names. */
export const CompareResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    ours: GalleryImage.nullable(),
    zoho: z.object({
      document_id: z.string().nullable(),
      name: z.string().nullable(),
      /** none | untried | stored | failed | placeholder */
      state: z.string(),
      error: z.string().nullable(),
      image: GalleryImage.nullable(),
    }),
    same_bytes: z.boolean(),
  }),
})

export const ImportMatch = z.object({
  /** The path inside the ZIP or folder. */
  name: z.string(),
  sku: z.string().nullable(),
  product_id: z.uuid(),
  /** In a preview. */
  product_name: z.string().optional(),
  image_id: z.uuid().optional(),
  /** In a preview: this one becomes the product's main image. */
  is_primary: z.boolean().optional(),
})
export const ImportMiss = z.object({
  name: z.string(),
  code: z.string(),
  message: z.string(),
  params: MessageParams.optional(),
  product_ids: z.array(z.uuid()).optional(),
})
export const ImportPlan = z.object({
  matched: z.array(ImportMatch),
  /** More than one product has this SKU. */
  ambiguous: z.array(ImportMiss),
  unmatched: z.array(ImportMiss),
  /** Not an image, or one of an unsupported format. */
  unreadable: z.array(ImportMiss),
})
export type ImportPlan = z.infer<typeof ImportPlan>
/** Lists have at most 1,000 entries each; the counts are complete. */
export const ImportCounts = z.object({ matched: z.int(), ambiguous: z.int(), unmatched: z.int(), unreadable: z.int() })
export const ImportPreviewResponse = z.object({
  status: z.literal('success'),
  data: ImportPlan.extend({ id: z.uuid(), import_id: z.uuid(), counts: ImportCounts, expires_at: z.iso.datetime() }),
})
export const ImportResponse = ImportPlan.extend({
  status: z.string(),
  run_id: z.uuid(),
  data: ImportPlan.extend({ counts: ImportCounts }),
})
export const QueuedRun = z.object({ status: z.literal('queued'), run_id: z.uuid() })

/**
 * Images beyond the main one: how many calls their details take. The number of images is known only
 * from the details; a dry run counts them.
 */
export const GalleryPlanResponse = z.object({
  status: z.literal('success'),
  data: z.object({ items: z.number(), detail_calls: z.number(), stored: z.number() }),
})
export const GalleryFetch = z.object({ dry_run: z.boolean().default(false) })
export const UploadedImageResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    zoho_item_id: z.string(),
    image_id: z.uuid(),
    size: z.number(),
    content_type: z.string(),
    calls: z.number(),
    sent: z.boolean(),
    document_id: z.string().nullable(),
  }),
})

const Ids = z.array(z.uuid()).min(1).max(1_000)
export const BulkImages = z.object({ ids: Ids }).strict()
/**
 * Alt texts for many images: the same texts for all (null clears one), or, where an image has none,
 * the names of its product.
 */
export const BulkAltText = z
  .strictObject({ ids: Ids, alt_en: AltText.optional(), alt_ar: AltText.optional(), from_product_name: z.boolean().default(false) })
  .refine(({ alt_en, alt_ar, from_product_name }) => (alt_en !== undefined || alt_ar !== undefined) !== from_product_name, {
    error: 'give alt_en or alt_ar, or from_product_name, and not both',
    path: ['alt_en'],
  })
export const BulkProducts = z.object({ product_ids: Ids }).strict()
/** The outcome for one of several; a failure does not affect the others. */
export const BulkOutcome = z.object({
  id: z.uuid(),
  status: z.enum(['done', 'failed']),
  code: z.string().optional(),
  message: z.string().optional(),
  params: MessageParams.optional(),
  /** Until when a deleted image can be restored. */
  restore_until: z.iso.datetime().optional(),
})
export type BulkOutcome = z.infer<typeof BulkOutcome>
/** `partial` when one failed; `data` has each id once, in the order of the request. */
export const BulkResponse = z.object({ status: z.enum(['success', 'partial']), data: z.array(BulkOutcome) })
/** A run that works on those that are `done` here; it skips the others. */
export const BulkQueued = QueuedRun.extend({ data: z.array(BulkOutcome) })
