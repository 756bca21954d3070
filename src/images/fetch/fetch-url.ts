import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { request } from 'undici'
import { BadGatewayError, BadRequestError, PayloadTooLargeError } from '../../lib/errors.ts'
import { createGuardedAgents, type GuardedAgents, type HostResolver } from '../../lib/ssrf-guard.ts'
import { isPlaceholderUrl } from './placeholder-hosts.ts'

/** The URL is one of a service that draws placeholder images: the item has no image. */
export class PlaceholderImageError extends BadRequestError {}

export interface UrlFetcher extends AsyncDisposable {
  fetcher: GuardedAgents
  maxBytes: number
  /** Timeout of a whole transfer, redirects included. */
  totalMs: number
}

export interface FetchedImage {
  body: Readable
  /** The announced Content-Length; null when there was none. */
  contentLength: number | null
}

const MAX_REDIRECTS = 3
const MAX_URL_LENGTH = 4_096
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * The same error for every refused URL: neither its text nor its timing shows what is behind the
 * URL.
 */
function blocked(): BadRequestError {
  return new BadRequestError('image_url_blocked')
}

export interface UrlFetcherOptions {
  /** Hosts, with or without a port, that may be fetched although they are not public. */
  allowlist: readonly string[]
  maxBytes: number
  totalMs?: number
  /** Resolves all addresses of a host name; the system's resolver unless a test passes its own. */
  resolve?: HostResolver | undefined
}

/**
 * Creates what `fetchImageUrl` needs: two HTTP agents separate from Zoho's, which never get a token
 * or a proxy from the environment.
 */
export function createUrlFetcher({ allowlist, maxBytes, totalMs = 60_000, resolve }: UrlFetcherOptions): UrlFetcher {
  const agents = createGuardedAgents({ allowlist, resolve, blocked })
  return {
    fetcher: agents,
    maxBytes,
    totalMs,
    async [Symbol.asyncDispose]() {
      await agents[Symbol.asyncDispose]()
    },
  }
}

/**
 * Throws `image_url_blocked` unless this hop may be requested; a name's addresses are checked
 * later, on connecting.
 */
function checkHop(fetcher: GuardedAgents, url: URL): void {
  if (isPlaceholderUrl(url.href)) throw new PlaceholderImageError('placeholder_image', { host: url.hostname })
  if (!fetcher.mayConnect(url)) throw blocked()
}

/**
 * Opens the image behind an external URL. Each hop is checked before the request and again on
 * connecting. At most three redirects are followed, never from https to http; bytes and time are
 * limited. The caller reads `body` to its end or destroys it. Throws BadRequestError
 * `image_url_blocked`, PlaceholderImageError `placeholder_image`, PayloadTooLargeError
 * `image_too_large`, BadGatewayError `image_url_failed`.
 */
export async function fetchImageUrl({ fetcher, maxBytes, totalMs }: UrlFetcher, href: string, signal: AbortSignal): Promise<FetchedImage> {
  const first = href.length <= MAX_URL_LENGTH ? URL.parse(href) : null
  if (!first) throw blocked()
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(totalMs)])
  let url = first
  for (let hop = 0; ; hop++) {
    checkHop(fetcher, url)
    const reply = await request(url, {
      dispatcher: fetcher.dispatcherOf(url),
      signal: inTime,
      headers: { accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity', 'user-agent': 'zinc' },
      ...TIMEOUTS,
    }).catch((cause: Error) => {
      signal.throwIfAborted()
      throw cause instanceof BadRequestError ? cause : new BadGatewayError('image_url_failed.unreachable', {}, { cause })
    })
    const announced = reply.headers['content-length'] === undefined ? null : Number(reply.headers['content-length'])
    if (REDIRECTS.has(reply.statusCode)) {
      await reply.body.dump({ limit: 16 * 1024, signal: inTime }).catch(() => {})
      const location = reply.headers.location
      const next = typeof location === 'string' && location.length <= MAX_URL_LENGTH ? URL.parse(location, url.href) : null
      if (!next || hop >= MAX_REDIRECTS || (url.protocol === 'https:' && next.protocol === 'http:')) throw blocked()
      url = next
      continue
    }
    if (reply.statusCode !== 200 || (announced !== null && announced > maxBytes)) {
      reply.body.on('error', () => {}).destroy()
      throw reply.statusCode === 200 ? tooLarge(maxBytes) : new BadGatewayError('image_url_failed.status', { status: reply.statusCode })
    }
    const unpack = unpackerOf(reply.headers['content-encoding'])
    if (unpack === undefined) {
      reply.body.on('error', () => {}).destroy()
      throw new BadGatewayError('image_url_failed.packed')
    }
    const packed = counted(reply.body, { maxBytes, signal })
    if (unpack === null) return { body: Readable.from(packed, { objectMode: false }), contentLength: announced }
    // The limit also applies to the decompressed bytes: a megabyte of gzip can be a gigabyte.
    const body = counted(
      pipeline(Readable.from(packed, { objectMode: false }), unpack, () => {}),
      { maxBytes, signal },
    )
    return { body: Readable.from(body, { objectMode: false }), contentLength: null }
  }
}

/**
 * Some servers compress images although `identity` was requested. Null: not compressed; undefined:
 * an unknown encoding.
 */
function unpackerOf(encoding: string | string[] | undefined): Transform | null | undefined {
  const name = (Array.isArray(encoding) ? encoding.join() : (encoding ?? '')).trim().toLowerCase()
  if (name === '' || name === 'identity') return null
  if (name === 'gzip' || name === 'x-gzip') return createGunzip()
  if (name === 'deflate') return createInflate()
  if (name === 'br') return createBrotliDecompress()
  if (name === 'zstd') return createZstdDecompress()
  return undefined
}

async function* counted(body: Readable, { maxBytes, signal }: { maxBytes: number; signal: AbortSignal }): AsyncGenerator<Buffer> {
  let size = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw cause instanceof PayloadTooLargeError || cause instanceof BadGatewayError
      ? cause
      : new BadGatewayError('image_url_failed.cut', {}, { cause })
  } finally {
    body.destroy()
  }
}

const tooLarge = (maxBytes: number) => new PayloadTooLargeError('image_too_large.url', { max_bytes: maxBytes })
