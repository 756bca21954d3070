import { setImmediate } from 'node:timers/promises'
import type { PhotoVariant } from '../schemas/photo-sync.ts'
import { parseRateLimit, type RateWindow } from '../schemas/rate-limit.ts'
import { type AdoptableFiles, openAdoptableFiles } from './adopt-folder.ts'
import { createApiClient } from './api-client.ts'
import { lockDir } from './dir-lock.ts'
import { DiskFailure, onDisk } from './disk-failure.ts'
import { createPhotoFetcher } from './fetch-photos.ts'
import { createTransport, type FailedTry, HttpError, NetworkError } from './http.ts'
import { createLinePace } from './line-pace.ts'
import { applySettings, listPhotos } from './list-photos.ts'
import { createPeerExchange, type PeerExchange } from './peer-exchange.ts'
import { createPhotoFiles, type PhotoFiles } from './photo-files.ts'
import { createPhotoKeeper } from './photo-keeper.ts'
import { createRateLimiter, lowerRate, rateAt } from './rate-limiter.ts'
import { reportUnwritable } from './report-unwritable.ts'
import { createReporter } from './reporter.ts'
import type { Sharing } from './sharing.ts'
import { type EdgeState, openState, type PendingDownload } from './state.ts'
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
  /** Fetching from other edge servers of the store; left out: never. */
  share?: ShareOptions | undefined
  signal: AbortSignal
  onProgress?: (progress: PullProgress) => void
  /** An attempt failed and will be repeated after a wait. */
  onFailedTry?: (failed: FailedTry) => void
  /** A sentence for the person in the shop. */
  onWarning?: (message: string) => void
}

export interface ShareOptions {
  /** Shared in any case; false: when head office says so. */
  always: boolean
  /** Opens it, or returns the one that is open. */
  open(): Promise<Sharing>
}

export interface PullProgress {
  phase: 'check' | 'pull' | 'report' | 'done'
  /** Photos of this pull: stored or failed ones, and the total as far as it is known. */
  done: number
  total: number
  /** Of the stored photos, wherever they came from, and of all. */
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
  /** Of the fetched ones, those that came from another edge server of the store. */
  from_peers: number
  removed: number
  unchanged: number
  failed: { photo_id: string; error: string }[]
  /** Image bytes over the line from head office. */
  bytes: number
  bytes_from_peers: number
  cuts: number
  requests: number
}

/**
 * Parallel streams: enough to fill a connection with a high latency while one of them waits for its
 * next photos.
 */
const STREAMS = 4
/** With peers: all of them fill the line, and head office bounds the archives of a token. */
const SHARING_STREAMS = 1
/** Attempts to report to the head office before the pull ends with an error. */
const LAST_TRIES = 3
/**
 * With peers, what waits for the line at most: what is handed to it can no longer be left to a peer
 * that has just come.
 */
const LINE_PHOTOS = 100
const LINE_BYTES = 4 * 1024 * 1024
const SHARED_ARCHIVE_BYTES = 1024 * 1024
/** Files that are looked at before other work gets its turn. */
const LOOKED_TOGETHER = 64
/** So much slower than here a peer's part of the line may be before it counts as stalled. */
const SLOWER = 3

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

/** Returns the connection to the other edge servers of the store; null: nothing is shared. */
async function sharingOf({ share, server, storeId, token, signal, onFailedTry }: PullOptions, state: EdgeState): Promise<Sharing | null> {
  if (!share) return null
  if (!state.settings()?.sharing) {
    // The first contact: without the key of the store no peer responds.
    const api = createApiClient({ server: state.addressOf(server), storeId, token, signal })
    const transport = createTransport({ signal, ...(onFailedTry && { onFailedTry }) })
    const { edge } = await transport.withRetry(() => api.list({ cursor: state.cursor(), limit: 1 }))
    if (edge) await applySettings({ state, storeId, server, sharing: null }, edge)
  }
  const settings = state.settings()
  if (!settings?.sharing || !(share.always || settings.share)) return null
  const sharing = await share.open()
  sharing.takeKeys(settings.sharing)
  return sharing
}

async function pullInto(options: PullOptions & { state: EdgeState; files: PhotoFiles }): Promise<PullResult> {
  const { state, files, variant, verify, signal, rateLimit, adoptFrom, server, storeId, token } = options
  const { onProgress = () => {}, onFailedTry = () => {} } = options
  const result: PullResult = {
    fetched: 0,
    adopted: 0,
    from_peers: 0,
    removed: 0,
    unchanged: 0,
    failed: [],
    bytes: 0,
    bytes_from_peers: 0,
    cuts: 0,
    requests: 0,
  }
  const progress: PullProgress = { phase: 'check', done: 0, total: 0, bytes: 0, bytesTotal: 0, failed: 0, cuts: 0 }
  function report(patch: Partial<PullProgress> = {}): void {
    const { fetched, adopted, failed } = result
    const done = fetched + adopted + failed.length
    // Failed photos are still pending.
    const total = fetched + adopted + state.pending.size
    onProgress(Object.assign(progress, patch, { done, total, failed: failed.length, bytesTotal: progress.bytes + state.pending.bytes }))
  }
  const stopped = new AbortController()
  const stopSignal = AbortSignal.any([signal, stopped.signal])
  const failedTry = (failed: FailedTry) => {
    result.cuts++
    report({ cuts: result.cuts })
    onFailedTry(failed)
  }
  const transport = createTransport({ signal: stopSignal, onFailedTry: failedTry })
  function bytesPerSecond(): number | null {
    const { time_zone = null, rate_limit = null } = state.settings() ?? {}
    const now = new Date()
    const atHeadOffice = rate_limit === null ? undefined : parseRateLimit(rate_limit)
    return lowerRate(rateAt(rateLimit ?? [], now, time_zone), rateAt(atHeadOffice ?? [], now, time_zone))
  }
  const limiter = createRateLimiter({ bytesPerSecond, signal: stopSignal })
  const headOffice = { server: state.addressOf(server), storeId, token, limiter }
  const api = createApiClient({ ...headOffice, signal: stopSignal })
  const adoptable: AdoptableFiles | null = adoptFrom === undefined ? null : await openAdoptableFiles(adoptFrom, files.dir)
  const sharing = await sharingOf(options, state)
  // What was done, and what failed, is reported even when the pull has to end.
  const reporter = createReporter({
    state,
    api: createApiClient({ ...headOffice, signal }),
    transport: createTransport({ signal, onFailedTry: failedTry }),
    sharing: sharing !== null,
  })
  const streams = sharing ? SHARING_STREAMS : STREAMS
  const pace = createLinePace()
  let exchange: PeerExchange | null = null
  const queue = createQueue({
    begun: await files.sweep(state),
    wanted: state.pending,
    streams,
    ...(sharing && { archiveBytes: SHARED_ARCHIVE_BYTES }),
    onTaken: () => exchange?.changed(),
  })

  function enqueue(pending: PendingDownload): void {
    if (exchange) exchange.add(pending)
    else queue.add(pending)
  }

  /** Contents that were given to the line. */
  const onLine = new Set<string>()
  const { remove, isHere, finish, adopt, fail, storeFromPeer } = createPhotoKeeper({
    state,
    files,
    adoptable,
    result,
    onDone: report,
    onStored(photo, from) {
      if (from === 'line') transport.progressed()
      sharing?.stored(photo.sha256)
      onLine.delete(photo.sha256)
      progress.bytes += photo.size
    },
  })

  const scope = variant ?? 'default'
  if (sharing) {
    sharing.begin({
      storeId,
      scope,
      cursor: state.cursor,
      lineBytes: () => result.bytes,
      expects: state.pending.hasContent,
      fetching: (sha256) => onLine.has(sha256) && state.pending.hasContent(sha256),
      file: (sha256) => {
        const held = state.held.withContent(sha256)
        return held ? { path: files.pathOf(held), size: held.size } : null
      },
    })
    exchange = createPeerExchange({
      sharing,
      scope,
      isWanted: state.pending.includes,
      adopt,
      store: storeFromPeer,
      toLine(pending) {
        for (const item of pending) {
          queue.add(item)
          if (item.sha256 !== null) onLine.add(item.sha256)
        }
      },
      lineRoom: () => ({ photos: LINE_PHOTOS - queue.waiting().photos, bytes: LINE_BYTES - queue.waiting().bytes }),
      lineBytes: () => result.bytes,
      waitsForLine: () => onLine.size > 0,
      slowestMsPerByte: () => SLOWER * Math.max(1_000 / (bytesPerSecond() ?? Number.POSITIVE_INFINITY), pace.msPerByte()),
      signal: stopSignal,
    })
  }
  for (const pending of state.pending.values()) enqueue(pending)
  let looked = 0
  for (const held of state.held.values()) {
    // Looking at each file asynchronously takes five times as long, and memory.
    if (++looked % LOOKED_TOGETHER === 0) await setImmediate()
    if (state.pending.has(held.id)) continue
    const { id, sha256, size, content_type, version } = held
    if (files.untouched(held) && !(verify && !(await files.adopt({ id, sha256, size, content_type, version })))) continue
    await state.want({ id, sha256, size, content_type, version })
    const pending = state.pending.get(id)
    if (pending) enqueue(pending)
  }

  const onRequest = () => {
    result.requests++
  }
  const fetcher = createPhotoFetcher({
    api,
    transport,
    state,
    files,
    queue,
    variant,
    gzip: sharing !== null,
    signal: stopSignal,
    received(bytes) {
      result.bytes += bytes
      pace.add(bytes)
    },
    onRequest,
    adopt,
    finish,
    fail(pending, error) {
      onLine.delete(pending.sha256 ?? '')
      return fail(pending, error)
    },
    remove,
    async afterEach() {
      exchange?.changed()
      await reporter.maybeSend()
    },
  })
  const listing = listPhotos({
    api,
    transport,
    state,
    storeId,
    server,
    variant,
    signal: stopSignal,
    sharing,
    onRequest,
    onServerTime: (at) => reporter.serverIsAhead(Math.max(api.aheadMs(), Date.parse(at) - Date.now())),
    onPage: () => report({ phase: 'pull' }),
    isHere,
    remove,
    enqueue,
  })
  const work: Promise<unknown>[] = []
  if (exchange) {
    const peers = exchange
    const exchanging = peers.run().finally(queue.end)
    const line = [listing.then(peers.end), ...Array.from({ length: streams }, fetcher.stream)]
    // Without head office the pull ends when peers have nothing more to give.
    const lost = Promise.all(line).catch(async (error: unknown) => {
      if (!(error instanceof NetworkError)) throw error
      onLine.clear()
      peers.lineFailed(state.pending.values())
      await exchanging
      throw error
    })
    work.push(exchanging, lost, ...line)
  } else work.push(listing.finally(queue.end), ...Array.from({ length: streams }, fetcher.stream))
  try {
    if (exchange) await Promise.all(work.slice(0, 2))
    else await Promise.all(work)
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
  } finally {
    sharing?.end()
  }
  await adoptable?.finish()
  if (state.reports.size > 0) report({ phase: 'report' })
  await reporter.sendAll()
  report({ phase: 'done' })
  result.unchanged = state.held.size - result.fetched - result.adopted
  return { ...result, requests: result.requests + reporter.requests() }
}
