import type { PhotoVariant } from '../schemas/photo-sync.ts'
import type { ApiClient } from './api-client.ts'
import { DiskFailure } from './disk-failure.ts'
import { type ArchiveErrors, downloadArchive, UnreadableArchive } from './download-archive.ts'
import { downloadPhoto } from './download-photo.ts'
import { ForeignResponse, HttpError, MAX_EMPTY_TRIES, NetworkError, type Transport } from './http.ts'
import { ChecksumError, type PhotoFiles } from './photo-files.ts'
import type { EdgeState, PendingDownload, StoredPhoto } from './state.ts'
import type { WorkQueue } from './work-queue.ts'

/** Attempts for a photo whose bytes are wrong. */
const TRIES = 3
/** Attempts for a photo in whose place something else arrives. */
const FOREIGN_TRIES = 4
/**
 * Attempts without any bytes for one photo before checking whether the head office can be reached:
 * if it can, this photo is the problem and not the network.
 */
const ALONE_TRIES = 8
/**
 * Archives refused or unreadable in a row before photos are downloaded singly; other errors may be
 * those of a server that is starting.
 */
const ARCHIVE_TRIES = 2
const ARCHIVE_LINE_TRIES = 4
/** After this number of failed photos in a row the next ones are tried only once, then none. */
const LITTLE_HOPE = 3
const NO_HOPE = 20
/** The server says that the photo no longer belongs to this store. */
const GONE = new Set(['photo_deleted', 'not_in_assortment', 'photo_not_found'])

export interface PhotoFetcherOptions {
  api: ApiClient
  transport: Transport
  state: EdgeState
  files: PhotoFiles
  queue: WorkQueue
  variant: PhotoVariant | null
  /** Asks for compressed archives. */
  gzip: boolean
  signal: AbortSignal
  /** Counts the image bytes that arrived, whatever happens to them. */
  received(bytes: number): void
  onRequest(): void
  /** Whether its bytes are stored already; then the photo is finished. */
  adopt(pending: PendingDownload): Promise<boolean>
  finish(pending: PendingDownload, show: () => Promise<StoredPhoto>): Promise<void>
  fail(pending: PendingDownload, error: string): Promise<void>
  remove(id: string): Promise<void>
  /** Called after each photo or archive. */
  afterEach(): Promise<void>
}

export type PhotoFetcher = ReturnType<typeof createPhotoFetcher>

/**
 * Downloads the photos of the queue from head office: many together as an archive, the rest singly.
 */
export function createPhotoFetcher(options: PhotoFetcherOptions) {
  const { api, transport, state, files, queue, variant, gzip, signal, received, onRequest, adopt, fail, remove, afterEach } = options
  /** Photos in a row that failed although the server can be reached. */
  let failedInARow = 0
  async function finish(pending: PendingDownload, show: () => Promise<StoredPhoto>): Promise<void> {
    await options.finish(pending, show)
    if (!state.pending.includes(pending)) failedInARow = 0
  }
  const deps = { api, files, variant, gzip, finish, received }

  const isReachable = () =>
    api.digest().then(
      () => true,
      (error: unknown) => {
        if (error instanceof NetworkError) return false
        throw error
      },
    )

  async function fetchOne(pending: PendingDownload): Promise<void> {
    /** The most of its bytes that were ever stored: only more than that is progress. */
    let furthest = 0
    let lineTries = ALONE_TRIES
    function onLength(bytes: number): void {
      if (bytes <= furthest) return
      furthest = bytes
      transport.progressed()
    }
    let wrong = 0
    while (state.pending.includes(pending)) {
      if (await adopt(pending)) return
      try {
        await transport.withRetry(
          () => {
            onRequest()
            return downloadPhoto(deps, pending, onLength)
          },
          {
            progress: () => furthest,
            tries: (error) => {
              if (failedInARow >= LITTLE_HOPE) return 1
              return error instanceof ForeignResponse ? FOREIGN_TRIES : lineTries
            },
          },
        )
      } catch (error) {
        if (error instanceof HttpError && GONE.has(error.code)) return remove(pending.id)
        if (error instanceof HttpError && (error.status === 401 || error.status === 403)) throw error
        if (error instanceof DiskFailure) {
          await fail(pending, error.message)
          throw error
        }
        if (error instanceof NetworkError) {
          // While the network is down, nothing is known about this photo.
          if (!(error instanceof ForeignResponse) && !(await isReachable())) {
            if (lineTries === MAX_EMPTY_TRIES) throw error
            lineTries = MAX_EMPTY_TRIES
            continue
          }
          await fail(pending, error.message)
          if (++failedInARow < NO_HOPE) return
          throw error
        }
        if (!(error instanceof ChecksumError || error instanceof HttpError)) throw error
        if (++wrong >= TRIES || error instanceof HttpError) return fail(pending, error.message)
      }
    }
  }

  async function fetchMany(pending: PendingDownload[]): Promise<void> {
    const left = () => pending.filter(state.pending.includes)
    try {
      const fresh: PendingDownload[] = []
      for (const item of left()) if (!(await adopt(item))) fresh.push(item)
      const errors = await fetchTogether(fresh)
      for (const { photo_id, code } of errors) if (GONE.has(code)) await remove(photo_id)
    } finally {
      // Photos that the archive lacked, or had with other bytes than listed: requested singly, the
      // response says what the bytes are.
      queue.giveBack(left())
    }
  }

  /**
   * Downloads photos as one archive. What does not arrive that way, for whatever network reason, is
   * left to single downloads.
   */
  async function fetchTogether(pending: PendingDownload[]): Promise<ArchiveErrors> {
    /** An archive cannot begin in the middle of a photo: a partial one is continued singly. */
    const begun = new Set<PendingDownload>()
    const left = () => pending.filter((item) => state.pending.includes(item) && !begun.has(item))
    const unusable = (error: unknown) => error instanceof ForeignResponse || error instanceof UnreadableArchive
    try {
      return await transport.withRetry(
        async () => {
          const asked = left()
          if (asked.length === 0) return []
          onRequest()
          return downloadArchive(deps, asked, (item) => {
            begun.add(item)
            transport.progressed()
          })
        },
        {
          progress: () => pending.length - left().length,
          // Peers wait for these photos: where head office refuses more archives, they come singly.
          tries: (error) => (gzip ? 1 : unusable(error) ? ARCHIVE_TRIES : ARCHIVE_LINE_TRIES),
        },
      )
    } catch (error) {
      if (error instanceof DiskFailure) for (const item of left().slice(0, 1)) await fail(item, error.message)
      const refused = error instanceof HttpError && error.status !== 401 && error.status !== 403
      if (refused || unusable(error)) queue.withoutArchives()
      else if (!(error instanceof NetworkError)) throw error
      return []
    }
  }

  return {
    /**
     * One stream: works until the queue has ended. Throws HttpError, NetworkError, DiskFailure.
     */
    async stream(): Promise<void> {
      for (;;) {
        signal.throwIfAborted()
        const batch = queue.nextBatch()
        if (batch.length > 1) await fetchMany(batch)
        else if (batch[0]) await fetchOne(batch[0])
        else if (queue.hasEnded()) return
        else await queue.changed()
        await afterEach()
      }
    },
  }
}
