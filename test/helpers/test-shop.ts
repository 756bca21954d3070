import type { PhotoListResponse, SyncPhoto } from '../../src/schemas/photo-sync.ts'
import { startZinc, type TestZinc } from './zinc.ts'

export type Listed = PhotoListResponse['data']

export interface Shop extends TestZinc {
  /** Adds a store with a token of its own. */
  addStore(body?: Record<string, unknown>): Promise<TestStore>
  /** JSON in, JSON out, as the admin. */
  send<T = { data: Record<string, unknown> }>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>
}

export interface TestStore {
  id: string
  token: string
  tokenId: string
  /** A request of this store's edge server under /api/v1/sync/product-photos. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  list(query?: string): Promise<Listed>
  /** Everything from a cursor on, page by page. */
  follow(cursor: string, query?: string): Promise<{ photos: SyncPhoto[]; cursor: string }>
  download(photoId: string, query?: string, init?: RequestInit): Promise<Response>
  digest(): Promise<{ count: number; bytes: number; digest: string; cursor: string }>
}

/**
 * zinc with the pictures of 30 items, 10 of them without, and whatever stores a test adds; `empty`:
 * without items.
 */
export async function startShop({ empty = false, ...options }: Parameters<typeof startZinc>[0] & { empty?: boolean } = {}): Promise<Shop> {
  // What was synced elsewhere can be copied when this shop is like any other.
  const synced = !empty && options.items === undefined && options.imageOf === undefined && options.clock === undefined
  const zinc = await startZinc({ ...options, synced })
  if (!empty && !synced) await zinc.sync('?sync_images=true')
  const send: Shop['send'] = async (method, path, body) => {
    const response = await zinc.call(path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: response.status, body: (await response.json()) as never }
  }
  let made = 0
  return {
    ...zinc,
    send,
    async addStore(body = {}) {
      const store = (await send('POST', '/api/v1/stores', { code: `S${++made}`, name: `Store ${made}`, ...body })).body.data as {
        id: string
      }
      const { token, id: tokenId } = (await send('POST', `/api/v1/stores/${store.id}/tokens`, { name: 'test' })).body.data as {
        id: string
        token: string
      }
      return createTestStore(zinc.url, { id: store.id, token, tokenId })
    },
  }
}

export function createTestStore(url: string, { id, token, tokenId }: { id: string; token: string; tokenId: string }): TestStore {
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${url}/api/v1/sync/product-photos${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
  const list = async (query = ''): Promise<Listed> => {
    const response = await request(`/?store_id=${id}${query}`)
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    return ((await response.json()) as PhotoListResponse).data
  }
  return {
    id,
    token,
    tokenId,
    fetch: request,
    list,
    async follow(cursor, query = '&include_deleted=true&limit=1000') {
      const photos: SyncPhoto[] = []
      for (;;) {
        const page = await list(`&cursor=${cursor}${query}`)
        photos.push(...page.photos)
        cursor = page.next_cursor
        if (!page.has_more) return { photos, cursor }
      }
    },
    download: (photoId, query = '', init) => request(`/${photoId}/download/?store_id=${id}${query}`, init),
    digest: async () => ((await (await request(`/digest?store_id=${id}`)).json()) as { data: never }).data,
  }
}
