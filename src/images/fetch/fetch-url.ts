import { lookup as systemLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Agent, buildConnector, request } from 'undici'
import { BadGatewayError, BadRequestError, PayloadTooLargeError } from '../../lib/errors.ts'
import { isPlaceholderUrl } from './placeholder-hosts.ts'
import { isPublicIp } from './ssrf-guard.ts'

/** The address is one of a service that draws grey boxes: the item has no picture. */
export class PlaceholderImageError extends BadRequestError {}

export interface UrlFetcher extends AsyncDisposable {
  fetcher: { guarded: Agent; named: Agent; isNamed(url: URL): boolean }
  maxBytes: number
  /** Milliseconds for a whole transfer, redirects included. */
  totalMs: number
}

export interface FetchedImage {
  body: Readable
  /** What the server announced; null when it did not. */
  contentLength: number | null
}

const MAX_REDIRECTS = 3
const MAX_URL_LENGTH = 4_096
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }
const CONNECT_MS = 5_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** One failure for every address that is refused: neither its words nor its time tell what is behind the address. */
function blocked(): BadRequestError {
  return new BadRequestError('image_url_blocked', 'The address of the picture is not one that zinc may fetch', {
    remedy: 'Use a public http or https address, check how its host is written, or name the host in IMAGE_URL_ALLOWLIST.',
  })
}

export interface UrlFetcherOptions {
  /** Hosts, each with or without a port, that may be fetched although they are not public. */
  allowlist: readonly string[]
  maxBytes: number
  totalMs?: number
  /** All addresses of a name; the system's resolver unless a test brings its own. */
  resolve?: ((host: string) => Promise<{ address: string; family: number }[]>) | undefined
}

/** What `fetchPictureUrl` needs: two agents of its own, apart from Zoho's, that never see a token or a proxy from the environment. */
export function createUrlFetcher({ allowlist, maxBytes, totalMs = 60_000, resolve }: UrlFetcherOptions): UrlFetcher {
  const names = allowlist.map((entry) => URL.parse(`http://${entry}`)).filter((url) => url !== null)
  const named = allowlist.flatMap((entry, n) =>
    names[n] ? [{ host: names[n].hostname, port: /:\d+$/.test(entry) ? entry.split(':').at(-1)! : null }] : [],
  )
  const resolveAll = resolve ?? ((host) => systemLookup(host, { all: true }))

  /** The check at the moment of connecting: all addresses of the name must be public, else a name could answer with a public one first. */
  const guardedLookup: LookupFunction = (host, options, callback) => {
    resolveAll(host).then(
      (ips) => {
        if (ips.length === 0 || !ips.every(({ address: url }) => isPublicIp(url))) return callback(blocked(), '', 4)
        if (options.all) return callback(null, ips)
        return callback(null, ips[0]!.address, ips[0]!.family)
      },
      () => callback(blocked(), '', 4),
    )
  }
  const openLookup: LookupFunction = (host, options, callback) => {
    resolveAll(host).then(
      (ips) => (options.all ? callback(null, ips) : callback(null, ips[0]!.address, ips[0]!.family)),
      (error: Error) => callback(error, '', 4),
    )
  }
  const connectGuarded = buildConnector({ timeout: CONNECT_MS, lookup: guardedLookup, keepAlive: false })
  const agent = { connections: 8, pipelining: 1, keepAliveTimeout: 1_000 }
  const guarded = new Agent({
    ...agent,
    connect: (options, callback) =>
      connectGuarded(options, (...[error, socket]) => {
        if (error) return callback(error, null)
        // And once more where the connection really went.
        if (!isPublicIp(socket.remoteAddress ?? '')) {
          socket.destroy()
          return callback(blocked(), null)
        }
        return callback(null, socket)
      }),
  })
  const open = new Agent({ ...agent, connect: { timeout: CONNECT_MS, lookup: openLookup } })
  return {
    fetcher: {
      guarded,
      named: open,
      isNamed: (url) => named.some(({ host, port }) => host === url.hostname && (port === null || port === portOf(url))),
    },
    maxBytes,
    totalMs,
    async [Symbol.asyncDispose]() {
      await Promise.all([guarded.destroy(), open.destroy()])
    },
  }
}

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')

/** Throws `image_url_blocked` unless this hop may be asked; a name's addresses are checked later, when it is connected to. */
function checkHop({ isNamed }: UrlFetcher['fetcher'], url: URL): void {
  if (isPlaceholderUrl(url.href))
    throw new PlaceholderImageError('placeholder_image', 'The address is one of a placeholder service', { detail: { host: url.hostname } })
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') throw blocked()
  if (isNamed(url)) return
  if (portOf(url) !== '80' && portOf(url) !== '443') throw blocked()
  // undici asks no lookup for literals, and the URL parser has turned every spelling of an address into one by now.
  const literal = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : /^[\d.]+$/.test(url.hostname) ? url.hostname : null
  if (literal !== null && !isPublicIp(literal)) throw blocked()
  if (/(^|\.)localhost\.?$/i.test(url.hostname)) throw blocked()
}

/**
 * Opens the picture behind an address from outside. Each hop is checked before it is asked and again when it is connected to; at most three redirects are
 * followed, never from https to http; bytes and time are bounded. The caller reads `body` to its end or destroys it.
 * Throws BadRequestError `image_url_blocked`, PlaceholderPicture `placeholder_image`, PayloadTooLargeError `image_too_large`, BadGatewayError `image_url_failed`.
 */
export async function fetchImageUrl({ fetcher, maxBytes, totalMs }: UrlFetcher, href: string, signal: AbortSignal): Promise<FetchedImage> {
  const first = href.length <= MAX_URL_LENGTH ? URL.parse(href) : null
  if (!first) throw blocked()
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(totalMs)])
  let url = first
  for (let hop = 0; ; hop++) {
    checkHop(fetcher, url)
    const reply = await request(url, {
      dispatcher: fetcher.isNamed(url) ? fetcher.named : fetcher.guarded,
      signal: inTime,
      headers: { accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity', 'user-agent': 'zinc' },
      ...TIMEOUTS,
    }).catch((cause: Error) => {
      signal.throwIfAborted()
      throw cause instanceof BadRequestError ? cause : failed('The server of the picture cannot be reached', cause)
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
      throw reply.statusCode === 200 ? tooLarge(maxBytes) : failed(`The server of the picture answered HTTP ${reply.statusCode}`)
    }
    const unpack = unpackerOf(reply.headers['content-encoding'])
    if (unpack === undefined) {
      reply.body.on('error', () => {}).destroy()
      throw failed('The server of the picture packed it in a way that zinc does not read')
    }
    const packed = counted(reply.body, { maxBytes, signal })
    if (unpack === null) return { body: Readable.from(packed, { objectMode: false }), contentLength: announced }
    // What is unpacked has the same limit: a megabyte of gzip can be a gigabyte.
    const body = counted(
      pipeline(Readable.from(packed, { objectMode: false }), unpack, () => {}),
      { maxBytes, signal },
    )
    return { body: Readable.from(body, { objectMode: false }), contentLength: null }
  }
}

/** Some servers pack pictures although `identity` was asked for. Null: not packed; undefined: in a way that is not known. */
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
      : failed('The picture broke off on the way', cause)
  } finally {
    body.destroy()
  }
}

const tooLarge = (maxBytes: number) =>
  new PayloadTooLargeError('image_too_large', `The picture is larger than ${maxBytes} bytes`, {
    remedy: 'Use a smaller one, or raise MAX_UPLOAD_BYTES.',
  })
const failed = (message: string, cause?: unknown) =>
  new BadGatewayError('image_url_failed', message, {
    cause,
    remedy: 'Open the address in a browser; try again later, or upload the picture.',
  })
