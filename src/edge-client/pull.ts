import type { PhotoVariant, SyncPhoto } from '../schemas/photo-sync.ts'
import { parseRateLimit, type RateWindow } from '../schemas/rate-limit.ts'
import { type AdoptableFiles, openAdoptableFiles } from './adopt-folder.ts'
import { createApiClient } from './api-client.ts'
import { lockDir } from './dir-lock.ts'
import { DiskFailure, onDisk } from './disk-failure.ts'
import { type ArchiveErrors, downloadArchive, UnreadableArchive } from './download-archive.ts'
import { downloadPhoto } from './download-photo.ts'
import { createTransport, type FailedTry, ForeignResponse, HttpError, MAX_EMPTY_TRIES, NetworkError } from './http.ts'
import { ChecksumError, createPhotoFiles } from './photo-files.ts'
import { createRateLimiter, lowerRate, rateAt } from './rate-limiter.ts'
import { createReporter } from './reporter.ts'
import { type EdgeState, openState, type PendingDownload, type StoredPhoto } from './state.ts'
import { createQueue } from './work-queue.ts'

export interface PullOptions {
  server: string
  storeId: string
  token: string
  dir: string
  /** Null: the store's default. */
  variant: PhotoVariant | null
  /** Reads every file instead of only checking its metadata. */
  verify: boolean
  /**
   * This machine's limit; the store may have its own at head office, and the lower of both applies.
   */
  rateLimit?: RateWindow[] | undefined
  /** A folder that another client has filled: images found there are not downloaded. */
  adoptFrom?: string | undefined
  signal: AbortSignal
  onProgress?: (progress: PullProgress) => void
  /** An attempt failed and will be repeated after a wait. */
  onFailedTry?: (failed: FailedTry) => void
  /** A sentence for the person in the shop. */
  onWarning?: (message: string) => void
}

export interface PullProgress {
  phase: 'check' | 'pull' | 'report' | 'done'
  /** Photos of this pull: stored ones, and the total as far as it is known. */
  done: number
  total: number
  bytes: number
  bytesTotal: number
  failed: number
  /** How often the connection was cut. */
  cuts: number
}

export interface PullResult {
  fetched: number
  /** Taken from the folder of another client. */
  adopted: number
  removed: number
  unchanged: number
  failed: { photo_id: string; error: string }[]
  bytes: number
  cuts: number
  requests: number
}

const PAGE = 1_000
const SMALLEST_PAGE = 20
/** The first page is smaller, so that images begin to arrive immediately. */
const FIRST_PAGE = 200
/**
 * Parallel streams: enough to fill a connection with a high latency while one of them waits for its
 * next photos.
 */
const STREAMS = 4
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
/** Attempts to report to the head office before the pull ends with an error. */
const LAST_TRIES = 3
/** Photos that are reported when the folder cannot be written at all. */
const REPORTED_UNWRITABLE = 100
/** The server says that the photo no longer belongs to this store. */
const GONE = new Set(['photo_deleted', 'not_in_assortment', 'photo_not_found'])
/** The cursor is no longer valid: everything is listed again, and equal photos stay. */
const LOST_CURSOR = new Set(['cursor_expired', 'epoch_changed', 'invalid_cursor'])

/**
 * Makes the folder contain exactly the store's photos, and reports the result. Interrupted at any
 * moment, the next pull resumes there. Throws HttpError (token, store), NetworkError when the
 * network stays down, DiskFailure when the folder accepts no more, LockedError.
 */
export async function pull(options: PullOptions): Promise<PullResult> {
  const { dir, storeId, variant, signal, onWarning = () => {} } = options
  const files = createPhotoFiles(dir)
  let lock: AsyncDisposable
  try {
    await files.prepare()
    lock = await onDisk(() => lockDir(dir))
  } catch (error) {
    if (error instanceof DiskFailure) await reportUnwritable(options, error)
    throw error
  }
  await using _lock = lock
  const state = await openState(dir, { store_id: storeId, variant })
  let warned = false
  function warnOfState(): void {
    const failure = state.diskFailure()
    if (failure && !warned) onWarning(`${failure.message}: what was done cannot be noted; the next pull looks through the folder again.`)
    warned ||= failure !== null
  }
  warnOfState()
  try {
    return await pullInto({ ...options, state, files, signal })
  } finally {
    await state.close()
    warnOfState()
  }
}

/**
 * Reports to the head office the photos that cannot be stored, since the folder cannot even be
 * locked. Never throws.
 */
async function reportUnwritable(
  { dir, server, storeId, token, variant, signal, onFailedTry }: PullOptions,
  failure: DiskFailure,
): Promise<void> {
  const state = await openState(dir, { store_id: storeId, variant }, { memoryOnly: true })
  const transport = createTransport({ signal, ...(onFailedTry && { onFailedTry }) })
  const api = createApiClient({ server, storeId, token, signal })
  try {
    await transport.withRetry(
      async () => {
        const page = await api.list({ cursor: state.cursor(), limit: REPORTED_UNWRITABLE })
        const missing = new Map([...state.pending.values()].map(({ id, version }) => [id, version]))
        for (const { id, version, deleted } of page.photos)
          if (!deleted && state.held.get(id)?.version !== version) missing.set(id, version)
        const failed = [...missing].slice(0, REPORTED_UNWRITABLE)
        if (failed.length === 0) return
        await api.report(
          failed.map(([photo_id, version]) => ({
            photo_id,
            version,
            status: 'failed' as const,
            synced_at: null,
            error: failure.message,
          })),
        )
      },
      { tries: () => LAST_TRIES },
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof NetworkError || error instanceof HttpError)) throw error
  }
}

async function pullInto({
  state,
  files,
  variant,
  verify,
  signal,
  rateLimit,
  adoptFrom,
  onProgress = () => {},
  onFailedTry = () => {},
  ...target
}: PullOptions & { state: EdgeState; files: ReturnType<typeof createPhotoFiles> }): Promise<PullResult> {
  const result: PullResult = { fetched: 0, adopted: 0, removed: 0, unchanged: 0, failed: [], bytes: 0, cuts: 0, requests: 0 }
  const progress: PullProgress = { phase: 'check', done: 0, total: 0, bytes: 0, bytesTotal: 0, failed: 0, cuts: 0 }
  const tell = (patch: Partial<PullProgress> = {}) => onProgress(Object.assign(progress, patch))
  const stopped = new AbortController()
  const stopSignal = AbortSignal.any([signal, stopped.signal])
  const failedTry = (failed: FailedTry) => {
    result.cuts++
    tell({ cuts: result.cuts })
    onFailedTry(failed)
  }
  const transport = createTransport({ signal: stopSignal, onFailedTry: failedTry })
  const { server, storeId, token } = target
  function bytesPerSecond(): number | null {
    const { time_zone = null, rate_limit = null } = state.settings() ?? {}
    const now = new Date()
    const atHeadOffice = rate_limit === null ? undefined : parseRateLimit(rate_limit)
    return lowerRate(rateAt(rateLimit ?? [], now, time_zone), rateAt(atHeadOffice ?? [], now, time_zone))
  }
  const limiter = createRateLimiter({ bytesPerSecond, signal: stopSignal })
  const api = createApiClient({ server, storeId, token, signal: stopSignal, limiter })
  // What was done, and what failed, is reported even when the pull has to end.
  const reporter = createReporter({
    state,
    api: createApiClient({ server, storeId, token, signal, limiter }),
    transport: createTransport({ signal, onFailedTry: failedTry }),
  })
  const adoptable: AdoptableFiles | null = adoptFrom === undefined ? null : await openAdoptableFiles(adoptFrom, files.dir)
  const queue = createQueue({ begun: await files.sweep(state.pending), streams: STREAMS })

  function enqueue(pending: PendingDownload): void {
    progress.total++
    progress.bytesTotal += pending.size ?? 0
    queue.add(pending)
  }
  for (const pending of state.pending.values()) enqueue(pending)
  for (const held of state.held.values()) {
    if (state.pending.has(held.id)) continue
    const { id, sha256, size, content_type, version } = held
    if ((await files.untouched(held)) && !(verify && !(await files.adopt({ id, sha256, size, content_type, version })))) continue
    const pending = { id, sha256, size, content_type, version }
    await state.want(pending)
    enqueue(pending)
  }

  /** Returns the list's data of the file that this pull wants. */
  function wantOf(photo: SyncPhoto): PendingDownload {
    const info = variant === null ? photo : variant === 'original' ? null : photo.variants[variant]
    return {
      id: photo.id,
      sha256: info?.sha256 ?? null,
      size: info?.size ?? null,
      content_type: info?.content_type ?? null,
      version: photo.version,
    }
  }

  async function remove(id: string): Promise<void> {
    const held = state.held.get(id)
    const pending = state.pending.get(id)
    if (held) await files.remove(held)
    if (pending) await files.forget(pending)
    if (!held && !pending) return
    await state.drop(id, { photo_id: id, status: 'deleted', error: null, version: held?.version ?? pending?.version ?? 0 })
    if (held) result.removed++
  }

  /** Photos per page: fewer while the connection is too bad for a large one. */
  let limit = FIRST_PAGE

  async function listEverything(): Promise<void> {
    for (;;) {
      const page = await transport.withRetry(async () => {
        result.requests++
        const asked = limit
        limit = Math.max(SMALLEST_PAGE, Math.floor(asked / 2))
        const response = await api.list({ cursor: state.cursor(), limit: asked })
        limit = Math.min(PAGE, asked * 2)
        return response
      })
      if (page.edge) await state.changeSettings(page.edge)
      reporter.serverIsAhead(Math.max(api.aheadMs(), Date.parse(page.server_time) - Date.now()))
      // Before the cursor moves: deletions that it has passed are not listed again.
      for (const photo of page.photos) if (photo.deleted) await remove(photo.id)
      const pending: PendingDownload[] = []
      const seen: string[] = []
      for (const photo of page.photos) {
        if (photo.deleted) continue
        const item = wantOf(photo)
        const waits = state.pending.get(photo.id)
        if (waits ? waits.sha256 === item.sha256 && waits.version === item.version : await isHere(item)) seen.push(photo.id)
        else pending.push(item)
      }
      await state.listed({ want: pending, seen }, page.next_cursor)
      for (const item of pending) enqueue(item)
      tell({ phase: 'pull' })
      if (!page.has_more) return
    }
  }

  /**
   * Listed again although it is stored: the server may want to be sure. Reading one file is cheap,
   * downloading it is not.
   */
  async function isHere(pending: PendingDownload): Promise<boolean> {
    const one = state.held.get(pending.id)
    if (!one || (pending.sha256 === null ? pending.version !== one.version : pending.sha256 !== one.sha256)) return false
    const { id, sha256, size, content_type } = one
    if (!(await files.adopt({ id, sha256, size, content_type, version: pending.version }))) return false
    await state.keep({ ...one, version: pending.version }, { photo_id: id, status: 'synced', error: null, version: pending.version })
    return true
  }

  async function list(): Promise<void> {
    const walked = state.walking()
    if (walked && state.cursor() === null) await state.beginWalk()
    try {
      await listEverything()
    } catch (error) {
      if (!(error instanceof HttpError && LOST_CURSOR.has(error.code) && state.cursor() !== null)) throw error
      await state.beginWalk()
      return list()
    }
    if (!walked) return
    for (const id of state.unlisted()) await remove(id)
    await state.endWalk()
  }

  /** Work on one photo is sequential, so that an older image never replaces a newer one. */
  const turns = new Map<string, Promise<unknown>>()
  async function finish(
    pending: PendingDownload,
    show: () => Promise<StoredPhoto>,
    counter: 'fetched' | 'adopted' = 'fetched',
  ): Promise<void> {
    const turn = (turns.get(pending.id) ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        if (state.pending.get(pending.id) !== pending) return
        const one = await show()
        await state.keep(one, { photo_id: one.id, status: 'synced', error: null, version: one.version })
        result[counter]++
        failedInARow = 0
        transport.progressed()
        tell({ done: progress.done + 1 })
      })
      .finally(() => turns.get(pending.id) === turn && turns.delete(pending.id))
    turns.set(pending.id, turn)
    await turn
  }
  /**
   * Whether its bytes are stored already, by a pull that was killed before it could record them.
   */
  async function adopt(pending: PendingDownload): Promise<boolean> {
    const there = await files.adopt(pending)
    if (there) await finish(pending, async () => there)
    if (there || pending.content_type === null) return there !== null
    const { content_type } = pending
    const bytes = await adoptable?.find(pending)
    if (!bytes) return false
    await finish(pending, () => files.put(pending, bytes, content_type), 'adopted')
    return true
  }

  async function fail(pending: PendingDownload, error: string): Promise<void> {
    if (state.pending.get(pending.id) !== pending) return // removed or replaced meanwhile
    result.failed.push({ photo_id: pending.id, error })
    // Moves it to the end of the pending photos: the next pull begins with others.
    await state.want({ ...pending })
    await state.report({ photo_id: pending.id, status: 'failed', error, version: pending.version })
    await state.failed(pending.id, error)
    tell({ failed: result.failed.length, done: progress.done + 1 })
  }

  const deps = {
    api,
    files,
    variant,
    finish,
    received: (bytes: number) => {
      result.bytes += bytes
      tell({ bytes: result.bytes })
    },
  }

  /** Photos in a row that failed although the server can be reached. */
  let failedInARow = 0
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
    while (state.pending.get(pending.id) === pending) {
      if (await adopt(pending)) return
      try {
        await transport.withRetry(
          () => {
            result.requests++
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
    const left = () => pending.filter((item) => state.pending.get(item.id) === item)
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
    const left = () => pending.filter((item) => state.pending.get(item.id) === item && !begun.has(item))
    const unusable = (error: unknown) => error instanceof ForeignResponse || error instanceof UnreadableArchive
    try {
      return await transport.withRetry(
        async () => {
          const asked = left()
          if (asked.length === 0) return []
          result.requests++
          return downloadArchive(deps, asked, (item) => {
            begun.add(item)
            transport.progressed()
          })
        },
        {
          progress: () => pending.length - left().length,
          tries: (error) => (unusable(error) ? ARCHIVE_TRIES : ARCHIVE_LINE_TRIES),
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

  async function stream(): Promise<void> {
    for (;;) {
      stopSignal.throwIfAborted()
      const batch = queue.nextBatch()
      if (batch.length > 1) await fetchMany(batch)
      else if (batch[0]) await fetchOne(batch[0])
      else if (queue.hasEnded()) return
      else await queue.changed()
      await reporter.maybeSend()
    }
  }

  const first = list().finally(queue.end)
  const work = [first, ...Array.from({ length: STREAMS }, stream)]
  try {
    await Promise.all(work)
  } catch (error) {
    stopped.abort(error)
    queue.end()
    await Promise.allSettled(work)
    // Failures are reported to the head office however the pull ends.
    if (state.reports.size > 0 && !signal.aborted && !(error instanceof HttpError))
      await reporter.sendAll({ tries: () => LAST_TRIES }).catch((later: unknown) => {
        if (!(later instanceof NetworkError || later instanceof HttpError)) throw later
      })
    throw error
  }
  await adoptable?.finish()
  if (state.reports.size > 0) tell({ phase: 'report' })
  await reporter.sendAll()
  tell({ phase: 'done' })
  result.unchanged = state.held.size - result.fetched - result.adopted
  return { ...result, requests: result.requests + reporter.requests() }
}
