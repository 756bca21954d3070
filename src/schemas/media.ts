import { z } from 'zod'
import { eachVariant, VARIANT_NAMES, VARIANTS } from '../facts/variants.ts'
import { GalleryImage } from './images.ts'
import { ImageSource } from './products.ts'

const Quality = z.object({ webp: z.int().min(1).max(100), jpeg: z.int().min(1).max(100), avif: z.int().min(1).max(100) })

/** `GET /api/media/images`: the images of all products, the newest first. */
export const MediaImagesQuery = z.object({
  source: ImageSource.shape.kind.optional(),
  /** At most this many pixels on the longest side. */
  max_side: z.coerce.number().int().min(1).max(100_000).optional(),
  min_bytes: z.coerce.number().int().min(1).max(2_000_000_000).optional(),
  /** Without alt text in either language. */
  without_alt: z.stringbool().default(false),
  damaged: z.stringbool().default(false),
  /** Only images whose bytes another image has, too. */
  duplicates: z.stringbool().default(false),
  /** Deleted images that can still be restored, instead of those that products show. */
  unused: z.stringbool().default(false),
  cursor: z.string().max(200).optional(),
  /** Also return how many images match. */
  total: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(200).default(100),
})
export const MediaImage = GalleryImage.extend({
  product: z.object({
    id: z.uuid(),
    sku: z.string().nullable(),
    name: z.string(),
    name_en: z.string().nullable(),
    name_ar: z.string().nullable(),
  }),
})
export type MediaImage = z.infer<typeof MediaImage>
export const MediaImagesResponse = z.object({
  status: z.literal('success'),
  data: z.array(MediaImage),
  next_cursor: z.string().nullable(),
  total: z.int().optional(),
})

/** How variants are made. `recipe` identifies the settings: other settings make other files. */
export const VariantSettings = z.object({
  recipe: z.string(),
  /** Longest sides in pixels; an image is never enlarged. */
  sizes: z.object(eachVariant((name) => z.int().min(VARIANTS[name].min).max(VARIANTS[name].max))),
  quality: Quality,
  /** webp and jpeg are always offered, chosen by Accept; avif only when switched on. */
  formats: z.array(z.enum(['webp', 'jpeg', 'avif'])),
})
export type VariantSettings = z.infer<typeof VariantSettings>
/** The response of GET may be sent back whole: `recipe` is read-only and ignored. */
export const VariantSettingsPatch = z
  .object({
    recipe: z.string(),
    sizes: VariantSettings.shape.sizes.partial(),
    quality: Quality.partial(),
    formats: VariantSettings.shape.formats,
  })
  .partial()
  .strict()
export const VariantSettingsResponse = z.object({ status: z.literal('success'), data: VariantSettings })

export const Regenerate = z.object({
  which: z.enum(['missing', 'all', 'size']).default('missing'),
  size: z.enum(VARIANT_NAMES).optional(),
})

/**
 * `POST /api/media/integrity/repair`: these findings, by the hash of their file; left out: all
 * findings of the last scan.
 */
export const IntegrityRepair = z
  .object({
    sha256: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .min(1)
      .max(1_000)
      .optional(),
  })
  .nullish()

export const IntegrityKind = z.enum(['missing', 'wrong_hash', 'untracked', 'orphan_variant', 'missing_variant'])
export const IntegrityFinding = z.object({
  kind: IntegrityKind,
  sha256: z.string(),
  size: z.number().nullable(),
  /** The name of a file that a person put into images/item/; null for any other finding. */
  file: z.string().nullable(),
  /** Products that show these bytes; at most ten. */
  products: z.array(z.object({ id: z.uuid(), sku: z.string().nullable(), name: z.string() })),
  /**
   * What the repair does: fetch it from Zoho, fetch it from its URL, make it again, remove it, make
   * it the image of its product (only where its hash is named), or nothing can be done.
   */
  repair: z.enum(['fetch_zoho', 'fetch_url', 'rebuild', 'remove', 'adopt', 'upload_again']),
  repaired_at: z.iso.datetime().nullable(),
})
export type IntegrityFinding = z.infer<typeof IntegrityFinding>
export const IntegrityResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    /** Null until there was a scan. */
    scanned_at: z.iso.datetime().nullable(),
    age_ms: z.number().nullable(),
    run_id: z.uuid().nullable(),
    checked: z.number(),
    counts: z.record(IntegrityKind, z.number()),
    findings: z.array(IntegrityFinding),
  }),
  next_cursor: z.string().nullable(),
})

const Amount = z.object({ count: z.number(), bytes: z.number() })
export const MediaStorageResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    kind: z.enum(['file', 's3']),
    originals: Amount,
    variants: Amount,
    /**
     * Bytes that nothing refers to, and variants of older settings. They are deleted after the
     * grace period.
     */
    reclaimable: Amount,
    free_bytes: z.number().nullable(),
    /** New images are refused when less than this is free. */
    reserve_bytes: z.number(),
    full: z.boolean(),
  }),
})

export const MediaQueue = z.enum(['media_regenerate', 'images_import', 'media_integrity_scan', 'media_integrity_repair'])
export const MediaJobsResponse = z.object({
  status: z.literal('success'),
  data: z.array(
    z.object({
      queue: MediaQueue,
      queued: z.number(),
      running: z.number(),
      paused: z.number(),
      failed: z.number(),
      last_run: z.object({ id: z.uuid(), state: z.string(), created_at: z.iso.datetime() }).nullable(),
    }),
  ),
  /** Decoding in this process: images in progress and waiting. */
  workers: z.object({ active: z.number(), waiting: z.number(), limit: z.number() }),
})
