import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Database } from '../database/client.ts'
import type { Clock } from '../lib/clock.ts'
import { MAX_ARCHIVE_PHOTOS } from '../schemas/photo-sync.ts'
import type { FeedSnapshot, FeedStore } from './change-feed.ts'
import { type FeedCursor, readCursor, writeCursor } from './cursor.ts'
import { createOffsetWalks, type WalkSnapshot } from './offset-snapshot.ts'
import { type AssortmentTotals, assortmentTotals, countSince, pageByChange, pageByPosition, type Since, seqBefore } from './page-queries.ts'
import type { PhotoDownloads } from './photo-downloads.ts'
import { type BuildImageUrl, serializePhoto } from './serialize-photo.ts'

export interface ListRequest {
  since: Date | null
  limit: number
  offset: number
  cursor: string | undefined
  includeDeleted: boolean
  /** Identifies the reader, to whom the pages of one walk by offset belong. */
  reader: string
}

export interface ListedPage {
  /** The JSON array of the photos, as bytes: a repeated page is not serialized again. */
  photos: Buffer
  total: number
  hasMore: boolean
  nextOffset: number | null
  nextCursor: string
  serverTime: string
  /**
   * Of everything except cursor and time: in an older response these may be older, which only makes
   * a reader re-read more.
   */
  etag: string
}

interface KnownPage {
  photos: Buffer
  total: number
  hasMore: boolean
  last: number | null
  etag: string
}

/**
 * Cache for pages that are requested repeatedly while nothing changes; a request that sends one
 * uses as much memory again.
 */
const KEPT_BYTES = 32 * 1024 * 1024
const KEPT_HOLDINGS = 1_000

export interface Digest {
  count: number
  bytes: number
  digest: string
  cursor: string
}

export type PhotoList = ReturnType<typeof createPhotoList>

export function createPhotoList({
  db,
  clock,
  imageUrl,
  publicUrl,
  files,
}: {
  db: Database
  clock: Clock
  imageUrl: BuildImageUrl
  /** Base of the image URLs; known once the server listens. */
  publicUrl(): string
  files: PhotoDownloads
}) {
  const pages = new LRUCache<string, KnownPage>({ maxSize: KEPT_BYTES, sizeCalculation: (page) => 2 * page.photos.length + 200 })
  const sums = new LRUCache<string, AssortmentTotals>({ max: KEPT_HOLDINGS })
  const digests = new LRUCache<string, Digest>({ max: KEPT_HOLDINGS })
  const counts = new LRUCache<string, number>({ max: KEPT_HOLDINGS })
  const walks = createOffsetWalks(db)
  /** Identifies a state of a store's feed: while it is the same, every response is. */
  const momentOf = ({ epoch, lastSeq, storeVersion }: FeedSnapshot, store: FeedStore) => `${epoch} ${lastSeq} ${storeVersion} ${store.id}`

  async function remembered<V extends object | number>(cache: LRUCache<string, V>, key: string, work: () => Promise<V>): Promise<V> {
    const known = cache.get(key)
    if (known !== undefined) return known
    const fresh = await work()
    cache.set(key, fresh)
    return fresh
  }

  async function holdings(snapshot: FeedSnapshot, store: FeedStore): Promise<AssortmentTotals> {
    if (store.assortment) return remembered(sums, momentOf(snapshot, store), () => assortmentTotals(db, store))
    const { photos, content, ...sizes } = snapshot.everything
    return { count: photos, bytes: store.variant === null ? sizes.bytes : sizes[`${store.variant}_bytes`], content }
  }

  return {
    holdings,

    async read(snapshot: FeedSnapshot, store: FeedStore, request: ListRequest): Promise<ListedPage> {
      const { limit, includeDeleted } = request
      const now = clock.now()
      const cursor: FeedCursor | null = request.cursor === undefined ? null : readCursor(snapshot, store, request.cursor)
      const offset = cursor ? 0 : request.offset
      const at = momentOf(snapshot, store)
      // After a resync everything counts as changed.
      const since = cursor || !request.since || resyncedSince(store, request.since) ? null : request.since
      // Then the maintained count is enough, unless deletions are requested too.
      const countFrom = since ?? (!cursor && request.since && includeDeleted ? new Date(0) : null)
      const matches = countFrom
        ? await remembered(counts, `${at} ${countFrom.getTime()} ${includeDeleted}`, () =>
            countSince(db, store, { at: countFrom, withTombstones: includeDeleted }),
          )
        : null

      const place = cursor ? `c${cursor.seq} ${cursor.pages?.position} ${cursor.pages?.seq}` : `o${offset} ${since?.getTime()}`
      // Image URLs change with the month.
      const key = `${at} ${place} ${limit} ${includeDeleted} ${now.getUTCFullYear()}-${now.getUTCMonth()} ${publicUrl()}`
      const walk = { store_id: store.id, reader: request.reader, since: since?.toISOString() ?? '' }
      /** Read with the page; undefined for a cached page. */
      let began: WalkSnapshot | null | undefined
      const page = await remembered(pages, key, async () => {
        const readRows = () =>
          cursor
            ? pageByChange(db, store, { cursor, withTombstones: includeDeleted, limit })
            : pageByPosition(db, store, {
                offset,
                since: since && ({ at: since, matches: matches ?? 0 } satisfies Since),
                withTombstones: includeDeleted,
                limit,
                walk: offset > 0 ? walk : null,
              })
        let found = await readRows()
        if (await files.completeVariants(found.rows)) found = await readRows()
        began = found.began
        const photos = Buffer.from(
          JSON.stringify(
            found.rows
              .filter((row) => row.sold || includeDeleted)
              .map((row) => serializePhoto(row, store, { updatedAt: inUtc(row.at), deleted: !row.sold, imageUrl, now })),
          ),
        )
        const total = matches ?? (await holdings(snapshot, store)).count
        const last = found.rows.at(-1)?.place ?? null
        const etag = hash('sha1', `${hash('sha1', photos)} ${total} ${found.hasMore} ${cursor ? '' : last}`, 'base64url')
        return { photos, total, hasMore: found.hasMore, last, etag: `"${etag}"` }
      })

      const { photos, total, hasMore, etag } = page
      const result = { photos, total, hasMore, etag }
      if (cursor) {
        const seq = hasMore ? (page.last ?? cursor.seq) : Math.max(snapshot.lastSeq, page.last ?? 0)
        const nextCursor = writeCursor(snapshot, store, { seq, pages: hasMore ? cursor.pages : null, generation: store.generation })
        return { ...result, nextOffset: null, nextCursor, serverTime: snapshot.clockAt }
      }
      if (offset === 0 && hasMore) await walks.note(walk, snapshot)
      if (began === undefined && offset > 0) began = await walks.began(walk)
      began ??= { seq: snapshot.lastSeq, clockAt: snapshot.clockAt }
      const from = since ? await seqBefore(db, store, since) : 0
      const nextCursor = writeCursor(snapshot, store, {
        seq: hasMore ? Math.min(from, began.seq) : began.seq,
        pages: hasMore ? { position: page.last ?? offset, seq: began.seq } : null,
        generation: store.generation,
      })
      return { ...result, nextOffset: hasMore ? page.last : null, nextCursor, serverTime: began.clockAt }
    },

    /** Returns the photos of the page that a list with this cursor would return, for an archive. */
    async idsAfter(snapshot: FeedSnapshot, store: FeedStore, cursor: string): Promise<string[]> {
      const page = await pageByChange(db, store, {
        cursor: readCursor(snapshot, store, cursor),
        withTombstones: false,
        limit: MAX_ARCHIVE_PHOTOS,
      })
      return page.rows.filter((row) => row.sold).map((row) => row.id)
    },

    /**
     * Changes exactly when the store would receive something else, or after a resync; costs no
     * query while nothing changes.
     */
    digest: (snapshot: FeedSnapshot, store: FeedStore): Promise<Digest> =>
      remembered(digests, momentOf(snapshot, store), async () => {
        const { count, bytes, content } = await holdings(snapshot, store)
        const digest = hash('sha256', `${store.id} ${store.generation} ${store.variant} ${count} ${bytes} ${content}`, 'base64url').slice(
          0,
          27,
        )
        const cursor = writeCursor(snapshot, store, { seq: snapshot.lastSeq, pages: null, generation: store.generation })
        return { count, bytes, digest, cursor }
      }),
  }
}

/**
 * PostgreSQL's time in milliseconds; it omits zeros at the end, so only a shortened one is parsed
 * and formatted again.
 */
const inUtc = (at: string): string => (at.length === '2026-01-01T00:00:00.000'.length ? `${at}Z` : new Date(`${at}Z`).toISOString())

const resyncedSince = ({ resynced_at }: FeedStore, since: Date) => resynced_at !== null && new Date(`${resynced_at}Z`) >= since
