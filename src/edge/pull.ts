import type { PhotoVariant, SyncPhoto } from '../contract/photo-sync.ts'
import { fetchArchive } from './fetch-archive.ts'
import { fetchPhoto } from './fetch-photo.ts'
import { lockFolder } from './folder-lock.ts'
import { createHeadOffice } from './head-office.ts'
import { createLine, Refused } from './line.ts'
import { createPhotoFiles, WrongBytes } from './photo-files.ts'
import { createQueue } from './queue.ts'
import { createReporter } from './reporter.ts'
import { type EdgeState, type Held, openState, type Wanted } from './state.ts'

export interface PullOptions {
  server: string
  storeId: string
  token: string
  dir: string
  /** Null: what the store gets by default. */
  variant: PhotoVariant | null
  /** Reads every file instead of only looking at it. */
  verify: boolean
  signal: AbortSignal
  onProgress?: (progress: PullProgress) => void
}

export interface PullProgress {
  phase: 'check' | 'pull' | 'report' | 'done'
  /** Photos of this pull: here, and altogether as far as it is known. */
  done: number
  total: number
  bytes: number
  bytesTotal: number
  failed: number
  /** How often the line was cut. */
  cuts: number
}

export interface PullResult {
  fetched: number
  removed: number
  unchanged: number
  failed: { photo_id: string; error: string }[]
  bytes: number
  cuts: number
  requests: number
}

const PAGE = 1_000
const SMALLEST_PAGE = 20
/** The first page is smaller, so that pictures begin to come at once. */
const FIRST_PAGE = 200
/** Streams at once: enough to fill a line whose answer takes long, while one of them waits for its next photos. */
const STREAMS = 4
/** Tries of a photo whose bytes are wrong. */
const TRIES = 3
/** The server says that the photo is none of this store any more. */
const GONE = new Set(['photo_deleted', 'not_in_assortment', 'photo_not_found'])
/** The cursor leads nowhere: everything is listed again, and what is equal stays. */
const LOST_CURSOR = new Set(['cursor_expired', 'epoch_changed', 'bad_cursor'])

/**
 * Makes the folder hold exactly the store's photos, and reports what was done. Killed or cut at any moment, the next pull goes on where this one was.
 * Throws Refused (token, store), LineFailure when the line is down for good.
 */
export async function pull(options: PullOptions): Promise<PullResult> {
  const { dir, storeId, variant, signal } = options
  const files = createPhotoFiles(dir)
  await files.prepare()
  await using _lock = await lockFolder(dir)
  const state = await openState(dir, { store_id: storeId, variant })
  try {
    return await pullInto({ ...options, state, files, signal })
  } finally {
    await state.close()
  }
}

async function pullInto({
  state,
  files,
  variant,
  verify,
  signal,
  onProgress = () => {},
  ...target
}: PullOptions & { state: EdgeState; files: ReturnType<typeof createPhotoFiles> }): Promise<PullResult> {
  const result: PullResult = { fetched: 0, removed: 0, unchanged: 0, failed: [], bytes: 0, cuts: 0, requests: 0 }
  const progress: PullProgress = { phase: 'check', done: 0, total: 0, bytes: 0, bytesTotal: 0, failed: 0, cuts: 0 }
  const tell = (patch: Partial<PullProgress> = {}) => onProgress(Object.assign(progress, patch))
  const stopped = new AbortController()
  const over = AbortSignal.any([signal, stopped.signal])
  const line = createLine({
    signal: over,
    onCut: () => {
      result.cuts++
      tell({ cuts: result.cuts })
    },
  })
  const office = createHeadOffice({
    server: target.server,
    storeId: target.storeId,
    token: target.token,
    signal: over,
    onBytes: line.progressed,
  })
  const reporter = createReporter({ state, office, line })
  const queue = createQueue({ begun: await files.sweep(state.wanted), streams: STREAMS })

  function enqueue(want: Wanted): void {
    progress.total++
    progress.bytesTotal += want.size ?? 0
    queue.add(want)
  }
  for (const want of state.wanted.values()) enqueue(want)
  for (const held of state.held.values()) {
    if (state.wanted.has(held.id)) continue
    const { id, sha256, size, content_type, version } = held
    if ((await files.untouched(held)) && !(verify && !(await files.adopt({ id, sha256, size, content_type, version })))) continue
    const want = { id, sha256, size, content_type, version }
    await state.want(want)
    enqueue(want)
  }

  /** What the list says of the file that this pull wants. */
  function wantOf(photo: SyncPhoto): Wanted {
    const facts = variant === null ? photo : variant === 'original' ? null : photo.variants[variant]
    return {
      id: photo.id,
      sha256: facts?.sha256 ?? null,
      size: facts?.size ?? null,
      content_type: facts?.content_type ?? null,
      version: photo.version,
    }
  }

  async function remove(id: string): Promise<void> {
    const held = state.held.get(id)
    const want = state.wanted.get(id)
    if (held) await files.remove(held)
    if (want) await files.forget(want)
    if (!held && !want) return
    await state.drop(id, { photo_id: id, status: 'deleted', error: null, version: held?.version ?? want?.version ?? 0 })
    if (held) result.removed++
  }

  /** Photos of a page: fewer while the line is too bad to carry a large one. */
  let limit = FIRST_PAGE

  async function listEverything(): Promise<void> {
    for (;;) {
      const page = await line.persist(async () => {
        result.requests++
        const asked = limit
        limit = Math.max(SMALLEST_PAGE, Math.floor(asked / 2))
        const answer = await office.list({ cursor: state.cursor(), limit: asked })
        limit = Math.min(PAGE, asked * 2)
        return answer
      })
      reporter.serverTime(page.server_time)
      // Before the cursor moves on: what it has passed is not told again.
      for (const photo of page.photos) if (photo.deleted) await remove(photo.id)
      const wants: Wanted[] = []
      const seen: string[] = []
      for (const photo of page.photos) {
        if (photo.deleted) continue
        const want = wantOf(photo)
        const waits = state.wanted.get(photo.id)
        if (waits ? waits.sha256 === want.sha256 && waits.version === want.version : await isHere(want)) seen.push(photo.id)
        else wants.push(want)
      }
      await state.listed({ want: wants, seen }, page.next_cursor)
      for (const want of wants) enqueue(want)
      tell({ phase: 'pull' })
      if (!page.has_more) return
    }
  }

  /** Listed again although it is here: the server may want to be sure. Reading one file is cheap, fetching it is not. */
  async function isHere(want: Wanted): Promise<boolean> {
    const one = state.held.get(want.id)
    if (!one || (want.sha256 === null ? want.version !== one.version : want.sha256 !== one.sha256)) return false
    const { id, sha256, size, content_type } = one
    if (!(await files.adopt({ id, sha256, size, content_type, version: want.version }))) return false
    await state.keep({ ...one, version: want.version }, { photo_id: id, status: 'synced', error: null, version: want.version })
    return true
  }

  async function list(): Promise<void> {
    const walked = state.walking()
    if (walked && state.cursor() === null) await state.beginWalk()
    try {
      await listEverything()
    } catch (error) {
      if (!(error instanceof Refused && LOST_CURSOR.has(error.code) && state.cursor() !== null)) throw error
      await state.beginWalk()
      return list()
    }
    if (!walked) return
    for (const id of state.unlisted()) await remove(id)
    await state.endWalk()
  }

  /** What is done with one photo is done one after the other: an older picture never comes over a newer one. */
  const turns = new Map<string, Promise<unknown>>()
  async function settle(want: Wanted, show: () => Promise<Held>): Promise<void> {
    const turn = (turns.get(want.id) ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        if (state.wanted.get(want.id) !== want) return
        const one = await show()
        await state.keep(one, { photo_id: one.id, status: 'synced', error: null, version: one.version })
        result.fetched++
        tell({ done: progress.done + 1 })
      })
      .finally(() => turns.get(want.id) === turn && turns.delete(want.id))
    turns.set(want.id, turn)
    await turn
  }
  /** Whether its bytes lie there already, from a pull that was killed before it could note them. */
  async function adopt(want: Wanted): Promise<boolean> {
    const there = await files.adopt(want)
    if (there) await settle(want, async () => there)
    return there !== null
  }

  async function fail(want: Wanted, error: string): Promise<void> {
    result.failed.push({ photo_id: want.id, error })
    await state.report({ photo_id: want.id, status: 'failed', error, version: want.version })
    tell({ failed: result.failed.length, done: progress.done + 1 })
  }

  const deps = {
    office,
    files,
    variant,
    settle,
    received: (bytes: number) => {
      result.bytes += bytes
      tell({ bytes: result.bytes })
    },
  }

  async function fetchOne(want: Wanted): Promise<void> {
    for (let tries = 1; state.wanted.get(want.id) === want; tries++) {
      if (await adopt(want)) return
      try {
        await line.persist(() => {
          result.requests++
          return fetchPhoto(deps, want)
        })
      } catch (error) {
        if (error instanceof Refused && GONE.has(error.code)) return remove(want.id)
        if (error instanceof Refused && (error.status === 401 || error.status === 403)) throw error
        if (!(error instanceof WrongBytes || error instanceof Refused)) throw error
        if (tries >= TRIES || error instanceof Refused) return fail(want, error.message)
      }
    }
  }

  async function fetchMany(wants: Wanted[]): Promise<void> {
    const fresh: Wanted[] = []
    for (const want of wants) if (!(await adopt(want))) fresh.push(want)
    /** An archive cannot go on in the middle of a photo: what it was cut in is gone on with alone. */
    const alone = new Set<Wanted>()
    const left = () => fresh.filter((want) => state.wanted.get(want.id) === want && !alone.has(want))
    const errors = await line.persist(async () => {
      const asked = left()
      if (asked.length === 0) return []
      result.requests++
      return fetchArchive(deps, asked, (want) => alone.add(want))
    })
    for (const { photo_id, code } of errors) if (GONE.has(code)) await remove(photo_id)
    // What it left out, or gave with other bytes than were listed: asked for alone, the answer says what the bytes are.
    for (const want of [...alone, ...left()]) await fetchOne(want)
  }

  async function stream(): Promise<void> {
    for (;;) {
      over.throwIfAborted()
      const batch = queue.take()
      if (batch.length > 1) await fetchMany(batch)
      else if (batch[0]) await fetchOne(batch[0])
      else if (queue.hasEnded()) return
      else await queue.news()
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
    throw error
  }
  if (state.reports.size > 0) tell({ phase: 'report' })
  await reporter.sendAll()
  tell({ phase: 'done' })
  result.unchanged = state.held.size - result.fetched
  return { ...result, requests: result.requests + reporter.requests() }
}
