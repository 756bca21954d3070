import type { ListProductChangesResult } from '../generated/api-client/client.ts'
import { ZincError } from './errors.ts'

export interface ProductChangesOptions {
  /** The cursor that you kept; `latest`: only later changes. Without it: every product. */
  cursor?: string | null | undefined
  /** Changes a request, 1 to 1000; 500 by default. */
  limit?: number
  /** Seconds for which the server waits for a change, up to 60; 0: end when there is no more. */
  waitSeconds?: number
  /** `raw` adds Zoho's row to each product. */
  include?: 'raw'
  /** Ends the iteration. */
  signal?: AbortSignal
  /** Called with each error after which it tries again. */
  onRetry?(error: Error): void
}

/** An entry of the change feed. */
export type ProductChange = ListProductChangesResult['data'][number] & {
  /**
   * Keep it in the transaction that applies the change, and start from it: what was not applied
   * comes again. Null: nothing is complete yet, start without a cursor.
   */
  cursor: string | null
}

type ReadPage = (
  args: { query: { cursor?: string; limit: number; wait: number; include?: 'raw' } },
  init: { timeout: number; signal?: AbortSignal },
) => Promise<ListProductChangesResult>

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000
/** How long a response may take beyond the time that the server was asked to wait. */
const RESPONSE_MS = 30_000

/** See `Client.productChanges`. */
export async function* followProducts(
  readPage: ReadPage,
  { cursor, limit = 500, waitSeconds = 60, include, signal, onRetry }: ProductChangesOptions,
): AsyncGenerator<ProductChange, void, undefined> {
  let position = cursor ?? null
  let retryMs = FIRST_RETRY_MS
  while (!signal?.aborted) {
    let page: ListProductChangesResult
    try {
      const query = { limit, wait: waitSeconds, ...(position !== null && { cursor: position }), ...(include && { include }) }
      page = await readPage({ query }, { timeout: waitSeconds * 1000 + RESPONSE_MS, ...(signal && { signal }) })
    } catch (error) {
      if (signal?.aborted) return
      if (!mayPass(error)) throw error
      onRetry?.(error as Error)
      // Not all at the same moment, after a server was restarted.
      await sleep(retryMs * (0.5 + Math.random() / 2), signal)
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
      continue
    }
    retryMs = FIRST_RETRY_MS
    for (const [n, change] of page.data.entries()) {
      // A cursor is after a whole page, so all but its last change keep the one before.
      yield { ...change, cursor: n === page.data.length - 1 ? page.next_cursor : position }
      if (signal?.aborted) return
    }
    position = page.next_cursor
    if (waitSeconds === 0 && !page.has_more) return
  }
}

/** Whether the same request may succeed later: no connection, too many requests, server down. */
const mayPass = (error: unknown): boolean =>
  error instanceof ZincError ? error.status === 408 || error.status === 429 || error.status >= 500 : error instanceof Error

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}
