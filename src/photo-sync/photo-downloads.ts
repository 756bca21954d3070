import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { type Database, queryPrepared } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { LARGEST_FIRST, type VariantSettingsStore } from '../images/processing/variant-settings.ts'
import { makeVariants } from '../images/processing/variants.ts'
import type { WorkerPool } from '../images/processing/worker-pool.ts'
import type { BlobStore } from '../images/storage/blob-store.ts'
import { GoneError, InvalidImageError, NotFoundError, UnsupportedMediaTypeError } from '../lib/errors.ts'
import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { assortmentCondition } from './assortment-filter.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'
import { type FeedPhotoRow, type ServedFile, servedFile } from './serialize-photo.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/**
 * Cache for photo metadata while nothing changes: an edge server that downloads a thousand requests
 * each once, and a hundred servers request the same ones.
 */
const KNOWN_PHOTOS = 20_000

export interface PhotoDownloadsDeps {
  db: Database
  store: BlobStore
  variantSettings: VariantSettingsStore
  workers: WorkerPool
}

export interface DownloadFile extends ServedFile {
  photoId: string
  version: number
}

export type PhotoDownloads = ReturnType<typeof createPhotoDownloads>

/** Finds the bytes to send for a photo in a store. */
export function createPhotoDownloads({ db, store: bytes, variantSettings, workers }: PhotoDownloadsDeps) {
  type Known = { row: FeedPhotoRow; member: boolean }
  const known = new LRUCache<string, Known>({ max: KNOWN_PHOTOS })

  async function facts(snapshot: FeedSnapshot, store: FeedStore, photoId: string): Promise<Known | null> {
    if (!UUID.test(photoId)) return null
    const key = `${snapshot.epoch} ${snapshot.lastSeq} ${snapshot.storeVersion} ${store.id} ${photoId.toLowerCase()}`
    const hit = known.get(key)
    if (hit) return hit
    const [found] = await queryPrepared<{ row: FeedPhotoRow; member: boolean }>(
      db,
      Prisma.sql`
      select to_json(f) as row, coalesce(${assortmentCondition(store)}, false) as member from photo p join feed_photo f on f.id = p.id where p.id = ${photoId}::uuid`,
    )
    if (!found) return null
    known.set(key, found)
    return found
  }

  /**
   * A missing variant is made before anything else is sent in its place; only where that fails the
   * original is sent.
   */
  async function withVariant(found: Known, variant: PhotoVariant | null): Promise<Known> {
    if (variant === null || variant === 'original' || servedFile(found.row, variant).kind === 'variants') return found
    return (await remake(found.row.sha256, { shed: true })) ? reread(found) : found
  }

  async function reread(found: Known): Promise<Known> {
    const [again] = await db.$queryRaw<
      { row: FeedPhotoRow }[]
    >`select to_json(f) as row from feed_photo f where f.id = ${found.row.id}::uuid`
    return again ? { ...found, row: again.row } : found
  }

  /**
   * Makes both variants of an original in one decode, as on arrival: the smaller is made from the
   * larger, so the bytes are the same again. Returns false when the original cannot be decoded or
   * is missing; other errors are temporary and thrown.
   */
  async function make(sha256: string, { shed }: { shed: boolean }): Promise<boolean> {
    const requested = LARGEST_FIRST.map((name) => ({ name, format: 'webp' as const }))
    try {
      await makeVariants(
        { db, store: bytes, workers },
        { sha256, config: await variantSettings.current(), wanted: requested },
        AbortSignal.timeout(60_000),
        {
          shed,
        },
      )
      return true
    } catch (error) {
      if (error instanceof InvalidImageError || error instanceof UnsupportedMediaTypeError || error instanceof NotFoundError) return false
      throw error
    }
  }
  const underWay = new Map<string, Promise<boolean>>()
  /** Concurrent requests for the same variants share one decode. */
  function remake(sha256: string, options: { shed: boolean }): Promise<boolean> {
    const known = underWay.get(sha256)
    if (known) return known
    const making = make(sha256, options).finally(() => underWay.delete(sha256))
    underWay.set(sha256, making)
    return making
  }

  return {
    /**
     * Returns the file that this store's download of a photo sends. Throws NotFoundError
     * `photo_not_found`, GoneError `photo_deleted` or `not_in_assortment`.
     */
    async find(snapshot: FeedSnapshot, store: FeedStore, photoId: string, asked: PhotoVariant | null): Promise<DownloadFile> {
      const variant = asked ?? store.variant
      const first = await facts(snapshot, store, photoId)
      if (!first) throw new NotFoundError('photo_not_found')
      if (!first.row.live) throw new GoneError('photo_deleted')
      if (!first.member) throw new GoneError('not_in_assortment')
      const { row } = await withVariant(first, variant)
      return { ...servedFile(row, variant), photoId: row.id, version: row.version }
    },

    /**
     * Returns the file again after its bytes were found missing or damaged: a variant is made
     * again. Null when that is impossible, as for an original.
     */
    async mend(file: DownloadFile, asked: PhotoVariant | null, store: FeedStore): Promise<DownloadFile | null> {
      const variant = asked ?? store.variant
      if (file.kind !== 'variants' || variant === null || variant === 'original') return null
      const [row] = await db.$queryRaw<
        { row: FeedPhotoRow }[]
      >`select to_json(f) as row from feed_photo f where f.id = ${file.photoId}::uuid`
      if (!row) return null
      await bytes.remove('variants', file.sha256)
      if (!(await remake(row.row.sha256, { shed: true }))) return null
      const again = await reread({ row: row.row, member: true })
      return { ...servedFile(again.row, variant), photoId: file.photoId, version: again.row.version }
    },

    /**
     * Makes the variants that a page of the list lacks, so that no photo is listed with other
     * bytes. Returns whether any was made.
     */
    async completeVariants(rows: FeedPhotoRow[]): Promise<boolean> {
      const missing = new Set(
        rows.filter((row) => row.live && (row.medium_sha256 === null || row.thumb_sha256 === null)).map((row) => row.sha256),
      )
      // A few at a time, and awaited: a list request is not refused because many must be made.
      const limit = pLimit(4)
      const made = await Promise.all([...missing].map((sha256) => limit(() => remake(sha256, { shed: false }))))
      return made.includes(true)
    },
  }
}
