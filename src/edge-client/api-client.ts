import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { DigestResponse, PhotoListResponse, type PhotoVariant, type StatusBody, StatusResponse } from '../schemas/photo-sync.ts'
import { ForeignResponse, HttpError, NetworkError } from './http.ts'
import { type HttpResponse, type RequestOptions, sendRequest } from './http-request.ts'
import type { RateLimiter } from './rate-limiter.ts'

/** A stream on which nothing arrives for this long is dead, whatever TCP reports. */
const IDLE_MS = 30_000

/** No JSON response of zinc is larger; a page of a thousand photos has 2 MB. */
const MAX_JSON_BYTES = 32 * 1024 * 1024
const MAX_FAILURE_BYTES = 64 * 1024

/** zinc's own error format. An error response without it comes from something in between. */
const Failure = z.object({
  status: z.literal('error'),
  code: z.string().regex(/^[a-z0-9_]+$/),
  message: z.string(),
  detail: z.object({ remedy: z.string().optional() }).optional(),
})

export interface ApiClientOptions {
  server: string
  storeId: string
  token: string
  signal: AbortSignal
  /** Left out: no limit. */
  limiter?: RateLimiter | undefined
}

export interface Stream extends Pick<HttpResponse, 'status' | 'header'> {
  /** Ends with NetworkError when the connection is cut or silent. */
  chunks: AsyncIterable<Uint8Array>
  /** Closes the connection without reading the rest. */
  cancel(): void
}

type Init = Omit<RequestOptions, 'signal'>

export type ApiClient = ReturnType<typeof createApiClient>

/**
 * The server's photo sync, one method per endpoint. Errors are NetworkError (retry) or HttpError
 * (do not).
 */
export function createApiClient({ server, storeId, token, signal, limiter }: ApiClientOptions) {
  const base = `${server.replace(/\/+$/, '')}/api/v1/sync/product-photos`
  const store = encodeURIComponent(storeId)
  /**
   * The server's clock minus ours, by the last `Date` header. It has whole seconds, so the end of
   * the second is used: never too early.
   */
  let aheadMs = Number.NEGATIVE_INFINITY

  async function request(path: string, init: Init = {}): Promise<Stream> {
    await limiter?.whenOpen()
    const idle = new AbortController()
    const alarm = setTimeout(() => idle.abort(new NetworkError(`Nothing arrived for ${IDLE_MS / 1000} s`)), IDLE_MS)
    const response = await sendRequest(`${base}${path}`, {
      ...init,
      signal: AbortSignal.any([signal, idle.signal]),
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    }).catch((cause: Error) => {
      clearTimeout(alarm)
      signal.throwIfAborted()
      idle.signal.throwIfAborted()
      throw new NetworkError(`The server cannot be reached: ${reasonOf(cause)}`, { cause })
    })
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
          alarm.refresh()
          if (limiter) {
            // A window without any rate begins: the rest is requested when it ends, since the
            // server ends a stream that stalls.
            if (limiter.isClosed()) throw new NetworkError('The limit allows nothing at this time of day')
            await limiter.take(chunk.length)
            alarm.refresh()
          }
          yield chunk
        }
      } catch (cause) {
        signal.throwIfAborted()
        idle.signal.throwIfAborted()
        throw cause instanceof NetworkError ? cause : new NetworkError(`The line was cut: ${reasonOf(cause)}`, { cause })
      } finally {
        clearTimeout(alarm)
      }
    }
    const date = Date.parse(response.header('date') ?? '')
    if (!Number.isNaN(date)) aheadMs = date + 1_000 - Date.now()
    const stream: Stream = {
      status: response.status,
      header: response.header,
      chunks: chunks(),
      cancel() {
        clearTimeout(alarm)
        response.body.destroy()
      },
    }
    if (response.status >= 300) throw await failureOf(stream)
    return stream
  }

  async function text<T>(shape: z.ZodType<T>, path: string, init?: Init): Promise<{ value: T; body: string; stream: Stream }> {
    const stream = await request(path, init)
    const body = await textOf(stream, MAX_JSON_BYTES)
    try {
      return { value: shape.parse(JSON.parse(body)), body, stream }
    } catch (cause) {
      throw new ForeignResponse(foreign(stream), { cause })
    }
  }
  const json = async <T>(shape: z.ZodType<T>, path: string, init?: Init): Promise<T> => (await text(shape, path, init)).value
  const post = (body: unknown, { gzip = false }: { gzip?: boolean } = {}): Init => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(gzip && { 'content-encoding': 'gzip' }) },
    body: gzip ? gzipSync(JSON.stringify(body)) : JSON.stringify(body),
  })

  return {
    aheadMs: () => aheadMs,
    /**
     * Returns one page: after a cursor including deletions, otherwise from the beginning without
     * them. `body` and `signature` are what head office sent, for peers.
     */
    async list({ cursor, limit }: { cursor: string | null; limit: number }) {
      const from = cursor === null ? '' : `&include_deleted=true&cursor=${encodeURIComponent(cursor)}`
      const query = `/?store_id=${store}&limit=${limit}&edge_settings=true&peer_key=true${from}`
      const { value, body, stream } = await text(PhotoListResponse, query)
      return { ...value.data, body, signature: stream.header('x-list-signature') }
    },
    /** Returns what changed since a server time, as clients without a cursor request it. */
    async listSince(since: string) {
      return (await json(PhotoListResponse, `/?store_id=${store}&limit=1000&since=${encodeURIComponent(since)}`)).data
    },
    async digest() {
      return (await json(DigestResponse, `/digest?store_id=${store}`)).data
    },
    /**
     * `from`: bytes of the content `sha256` that exist here already; the response is 206 when it
     * continues from there, otherwise 200 with everything.
     */
    download(
      photoId: string,
      { variant, from, sha256 }: { variant: PhotoVariant | null; from: number; sha256: string | null },
    ): Promise<Stream> {
      const resume: Record<string, string> = from > 0 && sha256 !== null ? { range: `bytes=${from}-`, 'if-range': `"${sha256}"` } : {}
      return request(`/${photoId}/download/?store_id=${store}${variant === null ? '' : `&variant=${variant}`}`, { headers: resume })
    },
    archive(photoIds: string[], { variant, gzip = false }: { variant: PhotoVariant | null; gzip?: boolean }): Promise<Stream> {
      return request('/archive/', post({ store_id: storeId, photo_ids: photoIds, variant, ...(gzip && { gzip }) }))
    },
    /** `client`: totals of this edge server; `gzip`: head office is known to read it. */
    async report(
      batch: StatusBody['sync_batch'],
      { client = null, gzip = false }: { client?: StatusBody['edge_client'] | null; gzip?: boolean } = {},
    ) {
      const body = { store_id: storeId, sync_batch: batch, ...(client && { edge_client: client }) }
      return (await json(StatusResponse, '/status/', post(body, { gzip }))).data
    },
  }
}

/**
 * Returns a text for the person in the shop, who may have to talk to the operator of the filter.
 */
export const foreign = ({ status, header }: Pick<Stream, 'status' | 'header'>): string =>
  `The response (${status}, ${header('content-type')?.split(';')[0]?.slice(0, 60) || 'no content type'}) is not from zinc; a filter, portal or proxy on the way put its own in its place`

/** Throws ForeignResponse for a longer body. */
async function textOf(stream: Stream, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream.chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new ForeignResponse(foreign(stream))
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

async function failureOf(stream: Stream): Promise<Error> {
  const { status, header } = stream
  const text = await textOf(stream, MAX_FAILURE_BYTES).catch((error: unknown) => {
    if (error instanceof ForeignResponse) return ''
    throw error
  })
  const read = Failure.safeParse(jsonOr(text))
  // Captive portals respond with 511; a 5xx page may as well come from the proxy of a server that
  // is just starting.
  if (!read.success && (status < 500 || status === 511) && status !== 429 && status !== 408) return new ForeignResponse(foreign(stream))
  if (!read.success || status === 429 || status === 408 || status >= 500) {
    const seconds = Number(header('retry-after'))
    const words = read.success ? `: ${read.data.message}` : ''
    return new NetworkError(`The server responds with ${status}${words}`, {
      retryAfterMs: seconds > 0 ? Math.min(seconds, 300) * 1000 : undefined,
    })
  }
  const { code, message, detail } = read.data
  return new HttpError(status, { code, message, remedy: detail?.remedy })
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
