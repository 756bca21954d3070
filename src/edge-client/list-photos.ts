import { PhotoListResponse, type PhotoVariant, type SyncPhoto } from '../schemas/photo-sync.ts'
import type { ApiClient } from './api-client.ts'
import { HttpError, NetworkError, type Persistence, type Transport } from './http.ts'
import type { Sharing } from './sharing.ts'
import { isSignedForward } from './signatures.ts'
import type { EdgeState, PendingDownload, PhotoInfo } from './state.ts'

/** Parsing a page of 1,000 takes 12 MB more. */
const PAGE = 250
const SMALLEST_PAGE = 20
/** The first page is smaller, so that images begin to arrive immediately. */
const FIRST_PAGE = 200
/** Attempts to reach head office before peers are asked what they know of its list. */
const TRIES_BEFORE_PEERS = 4
/** The cursor is no longer valid: everything is listed again, and equal photos stay. */
const LOST_CURSOR = new Set(['cursor_expired', 'epoch_changed', 'invalid_cursor'])

type Page = PhotoListResponse['data']

export interface ListPhotosOptions {
  api: ApiClient
  transport: Transport
  state: EdgeState
  storeId: string
  /** The address of head office as it is configured here. */
  server: string
  variant: PhotoVariant | null
  signal: AbortSignal
  /** Null: nothing is shared. */
  sharing: Sharing | null
  onRequest(): void
  onServerTime(at: string): void
  onPage(): void
  /** Whether the bytes are stored already; then that is recorded with the new version. */
  isHere(listed: PhotoInfo): Promise<boolean>
  remove(id: string): Promise<void>
  enqueue(pending: PendingDownload): void
}

/**
 * Reads the store's list from the cursor of the state to its end: photos that are gone are removed
 * before the cursor moves, new ones are recorded and queued. With peers, head office is asked for
 * one photo first; when there are more, each page comes from a peer that has it. Throws HttpError,
 * NetworkError.
 */
export async function listPhotos(options: ListPhotosOptions): Promise<void> {
  const { api, transport, state, storeId, server, variant, signal, sharing } = options
  /** Photos per page: fewer while the connection is too bad for a large one. */
  let limit = sharing ? PAGE : FIRST_PAGE
  /** Head office has lost the cursor: the pages of peers would lead back to it. */
  let listsAnew = false

  /** Returns the list's data of the file that this pull wants. */
  function wantOf(photo: SyncPhoto): PhotoInfo {
    const info = variant === null ? photo : variant === 'original' ? null : photo.variants[variant]
    return {
      id: photo.id,
      sha256: info?.sha256 ?? null,
      size: info?.size ?? null,
      content_type: info?.content_type ?? null,
      version: photo.version,
    }
  }

  async function askHeadOffice({ onlyOne = false, ...persistence }: Persistence & { onlyOne?: boolean } = {}) {
    const cursor = state.cursor()
    const page = await transport.withRetry(async () => {
      options.onRequest()
      if (onlyOne) return api.list({ cursor, limit: 1 })
      const asked = limit
      limit = Math.max(SMALLEST_PAGE, Math.floor(asked / 2))
      const response = await api.list({ cursor, limit: asked })
      limit = Math.min(PAGE, asked * 2)
      return response
    }, persistence)
    if (page.edge) await applySettings({ state, storeId, server, sharing }, page.edge)
    options.onServerTime(page.server_time)
    return page
  }

  async function apply(page: Page): Promise<void> {
    for (const photo of page.photos) if (photo.deleted) await options.remove(photo.id)
    const want: PhotoInfo[] = []
    const seen: string[] = []
    for (const photo of page.photos) {
      if (photo.deleted) continue
      const item = wantOf(photo)
      const waits = state.pending.get(photo.id)
      if (waits ? waits.sha256 === item.sha256 && waits.version === item.version : await options.isHere(item)) seen.push(photo.id)
      else want.push(item)
    }
    // Deletions before the cursor moves: those that it has passed are not listed again.
    for (const item of await state.listed({ want, seen }, page.next_cursor)) options.enqueue(item)
    options.onPage()
  }

  async function pageFromPeers(peers: Sharing, { wait }: { wait: boolean }): Promise<Page | null> {
    if (listsAnew) return null
    const body = await peers.listFromPeers(state.cursor() ?? '', { wait, signal })
    return body === null ? null : PhotoListResponse.parse(JSON.parse(body)).data
  }

  /** Follows the pages that peers have, and asks head office for those that nobody has. */
  async function listWithPeers(peers: Sharing): Promise<void> {
    for (;;) {
      const cursor = state.cursor() ?? ''
      let page = await pageFromPeers(peers, { wait: true })
      if (page === null) {
        const fresh = await askHeadOffice()
        if (fresh.photos.length > 0) peers.keepList(cursor, fresh)
        page = fresh
      }
      await apply(page)
      if (!page.has_more) return
    }
  }

  async function withoutHeadOffice(peers: Sharing): Promise<void> {
    for (;;) {
      const page = await pageFromPeers(peers, { wait: false })
      if (page === null) return
      await apply(page)
    }
  }

  async function listEverything(): Promise<void> {
    for (;;) {
      const first = sharing
        ? await askHeadOffice({ onlyOne: true, tries: () => TRIES_BEFORE_PEERS }).catch(async (error: unknown) => {
            if (!(error instanceof NetworkError)) throw error
            await withoutHeadOffice(sharing)
            return askHeadOffice({ onlyOne: true })
          })
        : await askHeadOffice()
      if (sharing && first.has_more) await listWithPeers(sharing)
      else await apply(first)
      if (!first.has_more) return
    }
  }

  async function list(): Promise<void> {
    const walked = state.walking()
    if (walked && state.cursor() === null) await state.beginWalk()
    try {
      await listEverything()
    } catch (error) {
      if (!(error instanceof HttpError && LOST_CURSOR.has(error.code) && state.cursor() !== null)) throw error
      await state.beginWalk()
      listsAnew = true
      sharing?.forgetLists()
      return list()
    }
    if (!walked) return
    for (const id of state.unlisted()) await options.remove(id)
    await state.endWalk()
  }
  await list()
}

/** Takes over what head office says with its list about this store. */
export async function applySettings(
  { state, storeId, server, sharing }: Pick<ListPhotosOptions, 'state' | 'storeId' | 'server' | 'sharing'>,
  edge: NonNullable<Page['edge']>,
): Promise<void> {
  const known = state.settings()?.sharing?.signing_key
  const { forward } = edge
  // Only the key that was known before counts: a new one could come with a forged forward.
  if (forward && known && state.addressOf(server) !== forward.server && isSignedForward(known, storeId, forward.server, forward.signature))
    await state.move(server, forward.server)
  await state.changeSettings(edge)
  if (edge.sharing) sharing?.takeKeys(edge.sharing)
}
