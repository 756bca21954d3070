import { z } from 'zod'
import { eachVariant, IMAGE_SIZES } from '../facts/variants.ts'
import { ImageSource } from './products.ts'

export const MAX_PAGE = 1_000
export const MAX_ARCHIVE_PHOTOS = 1_000
export const MAX_REPORTS = 1_000

export const PhotoVariant = z.enum(IMAGE_SIZES)
export type PhotoVariant = z.infer<typeof PhotoVariant>

/**
 * `store_id` is checked by the route itself: its absence has an exact text, and a wrong one is 404
 * or 403 depending on the caller.
 */
const StoreId = z.string().optional()
const whole = (name: string, min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, `${name} must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `${name} must be a whole number from ${min} to ${max}`)

/** An unknown parameter that an endpoint of the photo sync or of the item sync ignored. */
export const IgnoredParameter = z.object({
  code: z.literal('unknown_parameter'),
  parameter: z.string(),
  nearest: z.string().nullable(),
  message: z.string(),
})
/** Absent when nothing was ignored. */
const warnings = z.array(IgnoredParameter).optional()

/** `GET /api/v1/sync/product-photos/` */
export const PhotoListQuery = z.object({
  store_id: StoreId,
  /** Inclusive, in the server's time; no zone means UTC. */
  since: z.string().max(60).optional(),
  limit: whole('limit', 1, MAX_PAGE).default(100),
  /** Photos whose fixed position is after this one. */
  offset: whole('offset', 0, Number.MAX_SAFE_INTEGER).default(0),
  /** Opaque: where an earlier response ended. Takes precedence over `since` and `offset`. */
  cursor: z.string().max(500).optional(),
  include_deleted: z.stringbool().default(false),
  /** Adds `data.edge`, which zinc's own edge client applies. */
  edge_settings: z.stringbool().default(false),
  /** With `edge_settings`: adds `data.edge.sharing`, for edge tokens only. */
  peer_key: z.stringbool().default(false),
})

/** Settings from head office for the edge servers of a store. */
export const EdgeSettings = z.object({
  /** The time zone of the windows in `rate_limit`; null: not known yet, UTC. */
  time_zone: z.string().nullable(),
  /** In the form of `--limit`. Null: none. */
  rate_limit: z.string().nullable(),
  /** Edge servers of the store fetch photos from each other (docs/edge-sharing.md). */
  share: z.boolean().default(false),
  /** With `peer_key=true`. */
  sharing: z
    .object({
      /** Proves to other edge servers of the store that one belongs to it; base64url. */
      peer_key: z.string().regex(/^[\w-]{43}$/),
      /** Ed25519 public key of lists and forwards: 32 bytes, base64url. */
      signing_key: z.string().regex(/^[\w-]{43}$/),
    })
    .optional(),
  /** Head office has moved to this address; see docs/edge-sharing.md. */
  forward: z.object({ server: z.string(), signature: z.string() }).optional(),
})
export type EdgeSettings = z.infer<typeof EdgeSettings>

export const StoreQuery = z.object({ store_id: StoreId })
export const DownloadQuery = z.object({ store_id: StoreId, variant: PhotoVariant.optional() })

/** Hashes in zinc's own form. Clients use them in file names, so nothing else may be accepted. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export const Md5 = z.string().regex(/^[0-9a-f]{32}$/)

export const PhotoVariantInfo = z.object({
  size: z.int().min(0),
  content_type: z.string(),
  checksum: Md5,
  sha256: Sha256,
  width: z.number(),
  height: z.number(),
})
export const SyncPhoto = z.object({
  id: z.uuid(),
  product_id: z.uuid(),
  product_sku: z.string().nullable(),
  product_name: z.string(),
  object_key: z.string(),
  filename: z.string(),
  size: z.int().min(0),
  content_type: z.string(),
  /** Of the bytes that this store's download sends. */
  checksum: Md5,
  sha256: Sha256,
  /** Increases only when the bytes change. */
  version: z.number(),
  is_primary: z.boolean(),
  sort_order: z.number(),
  width: z.number(),
  height: z.number(),
  /** When the change was published to the stores: never before it could be read. */
  updated_at: z.iso.datetime(),
  deleted: z.boolean(),
  image_url: z.string().nullable(),
  image_source: ImageSource,
  variants: z.object(eachVariant(() => PhotoVariantInfo.optional())),
})
export type SyncPhoto = z.infer<typeof SyncPhoto>

export const PhotoListResponse = z.object({
  status: z.literal('success'),
  data: z.object({
    photos: z.array(SyncPhoto),
    total: z.number(),
    has_more: z.boolean(),
    next_offset: z.number().nullable(),
    next_cursor: z.string(),
    server_time: z.iso.datetime(),
    /** With `edge_settings=true`. */
    edge: EdgeSettings.optional(),
  }),
  warnings,
})
export type PhotoListResponse = z.infer<typeof PhotoListResponse>

/**
 * `GET …/digest`. `digest` is opaque; it changes exactly when the store would receive something
 * else, or after a resync.
 */
export const DigestResponse = z.object({
  status: z.literal('success'),
  data: z.object({ count: z.number(), bytes: z.number(), digest: z.string(), cursor: z.string() }),
  warnings,
})

/** `POST …/archive/`: a tar of these photos in this order, or of those on the cursor's page. */
export const ArchiveBody = z
  .object({
    store_id: StoreId,
    photo_ids: z.array(z.string()).min(1).max(MAX_ARCHIVE_PHOTOS).nullish(),
    cursor: z.string().max(500).nullish(),
    variant: PhotoVariant.nullish(),
    /** Compresses the tar, whose headers are a twentieth of small photos. */
    gzip: z.boolean().optional(),
  })
  .refine((body) => (body.photo_ids == null) !== (body.cursor == null), {
    message: 'photo_ids or cursor is required, not both',
    path: ['photo_ids'],
  })
export const ArchiveErrors = z.array(z.object({ photo_id: z.string(), code: z.string(), message: z.string() }))

export const PhotoState = z.enum(['synced', 'failed', 'pending', 'deleted'])
/** `POST …/status/` */
export const StatusBody = z.object({
  store_id: StoreId,
  sync_batch: z
    .array(
      z.object({
        /** Anything that is not a photo of the store is reported as unknown. */
        photo_id: z.string(),
        status: PhotoState,
        /** Null or left out: the time of arrival. */
        synced_at: z.string().max(60).nullish(),
        error: z.string().nullish(),
        version: z.int32().min(0).nullish(),
      }),
    )
    .max(MAX_REPORTS),
  /** Totals of an edge server since its folder began; `id` is its own. */
  edge_client: z
    .object({
      id: z.uuid(),
      bytes_from_peers: z.int().min(0),
      photos_from_peers: z.int().min(0),
    })
    .optional(),
})
export type StatusBody = z.infer<typeof StatusBody>
export const StatusResponse = z.object({
  status: z.literal('success'),
  message: z.string(),
  data: z.object({ updated: z.number(), unknown: z.array(z.string()) }),
  warnings,
})

/** One store in the list of all. */
export const StoreStatus = z.object({
  id: z.uuid(),
  code: z.string(),
  name: z.string(),
  tags: z.array(z.string()),
  /** Null: never. */
  last_seen_at: z.iso.datetime().nullable(),
  /** Null: not paused. */
  paused_at: z.iso.datetime().nullable(),
  photos_total: z.number(),
  photos_synced: z.number(),
  photos_failed: z.number(),
  /** Photos of the store that it has not reported as synced in their present version. */
  photos_behind: z.number(),
  bytes_synced: z.number(),
  /** Sent to its edge servers since the store exists, repeats included; counted at once. */
  bytes_served: z.number(),
  photos_served: z.number(),
  /** Fetched by its edge servers from each other instead of over the line, as they report. */
  bytes_from_peers: z.number(),
  photos_from_peers: z.number(),
  /** Those that failed last, newest first; at most 100. */
  failing: z.array(
    z.object({
      photo_id: z.uuid(),
      product_id: z.uuid(),
      product_name: z.string(),
      error: z.string().nullable(),
      attempts: z.number(),
      at: z.iso.datetime(),
    }),
  ),
})
export type StoreStatus = z.infer<typeof StoreStatus>

/** `GET /api/v1/sync/stores/{id}/history` */
export const StoreHistoryQuery = z.object({ days: z.coerce.number().int().min(1).max(366).default(30) })
/** One day (UTC) of a store; days on which nothing happened are left out. */
export const StoreHistoryDay = z.object({
  day: z.iso.date(),
  bytes_served: z.number(),
  photos_served: z.number(),
  bytes_from_peers: z.number(),
  photos_from_peers: z.number(),
  photos_synced: z.number(),
  photos_failed: z.number(),
  /** From the publication of a photo until its first report as synced; null: none was synced. */
  lag_seconds_average: z.number().nullable(),
  lag_seconds_max: z.number().nullable(),
})
export type StoreHistoryDay = z.infer<typeof StoreHistoryDay>
export const StoreHistoryResponse = z.object({ status: z.literal('success'), data: z.array(StoreHistoryDay), next_cursor: z.null() })
export const StoreStatusListResponse = z.object({ status: z.literal('success'), data: z.array(StoreStatus), next_cursor: z.null() })
export const StoreStatusResponse = z.object({ status: z.literal('success'), data: StoreStatus })
/** `POST /api/v1/sync/stores/{id}/resync`: all photos of the store, or only these. */
export const ResyncBody = z.object({ photo_ids: z.array(z.uuid()).min(1).max(MAX_REPORTS).optional() }).nullish()
export const ResyncResponse = z.object({ status: z.literal('success'), data: z.object({ photos: z.number() }) })

/**
 * The state of a photo in one store. `synced`: the present version is there | `outdated`: an
 * earlier one is there | `failed`: the last attempt failed | `behind`: not reported yet |
 * `leaving`: still there although the store should no longer have it | `not_sold`: not there and
 * should not be
 */
export const PhotoStoreState = z.enum(['synced', 'outdated', 'failed', 'behind', 'leaving', 'not_sold'])
export type PhotoStoreState = z.infer<typeof PhotoStoreState>
export const BlobStore = z.object({
  store_id: z.uuid(),
  code: z.string(),
  name: z.string(),
  state: PhotoStoreState,
  /** The store's last report; null: none yet. */
  report: z
    .object({
      status: PhotoState,
      version: z.number().nullable(),
      error: z.string().nullable(),
      /** Failed attempts in a row. */
      attempts: z.number(),
      at: z.iso.datetime(),
    })
    .nullable(),
})
export type BlobStore = z.infer<typeof BlobStore>
/** `GET /api/v1/sync/photos/{id}/stores`: every store, by code. */
export const PhotoStoresResponse = z.object({ status: z.literal('success'), data: z.array(BlobStore), next_cursor: z.null() })
