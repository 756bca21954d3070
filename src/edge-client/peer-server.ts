import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { createPeerVerifier } from './peer-auth.ts'
import { MAX_HAVE, PEER_PREFIX } from './peer-client.ts'

/** Uploads at once: a till also has other work, and its disk is slow. */
const MAX_UPLOADS = 8
const MAX_UPLOADS_PER_PEER = 2
const MAX_BODY_BYTES = 128 * 1024
/** The longest that a question may be held. */
const MAX_WAIT_MS = 5_000
/** A peer that reads nothing for this long is cut. */
const SOCKET_IDLE_MS = 20_000
const MAX_CONNECTIONS = 256

const HaveBody = z.object({ sha256: z.array(z.string().max(64)).max(MAX_HAVE), wait_ms: z.int().min(0).default(0) })

/** What this edge server can give its peers. */
export interface Shared {
  id: string
  key(): string | null
  scope(): string
  /** Path and size of a stored content; null: it is not here. */
  file(sha256: string): { path: string; size: number } | null
  /** Listed, but not stored yet. */
  expects(sha256: string): boolean
  /** Given to the line to head office, and not stored yet. */
  fetching(sha256: string): boolean
  /** Resolves shortly after one of these was stored, or after that time. */
  stored(hashes: ReadonlySet<string>, waitMs: number): Promise<void>
  lineBytes(): number
  /** A signed page, compressed; null: it is not here. */
  list(cursor: string): { gzip: Buffer; signature: string } | null
  /** This edge server is about to ask for that page itself. */
  expectsList(cursor: string): boolean
  /** A peer that proved the key listens on that port. */
  met(host: string, port: number): void
  /** A peer asked for something that is not listed here yet. */
  missed(): void
}

/** Serves the peer protocol (docs/edge-sharing.md) to those who prove the key of the store. */
export function createPeerServer(shared: Shared): Server {
  const verifier = createPeerVerifier({ key: shared.key })
  const uploads = new Map<string, number>()
  let all = 0

  async function blob(sha256: string, peer: string, response: ServerResponse): Promise<void> {
    const mine = uploads.get(peer) ?? 0
    if (all >= MAX_UPLOADS || mine >= MAX_UPLOADS_PER_PEER) return json(response, 503, {}, { 'retry-after': '1' })
    const found = shared.file(sha256)
    const handle: FileHandle | null = found && (await open(found.path).catch(() => null))
    if (!found || !handle) return json(response, 404, {})
    all++
    uploads.set(peer, mine + 1)
    try {
      if ((await handle.stat()).size !== found.size) return json(response, 404, {})
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': found.size })
      await pipeline(createReadStream('', { fd: handle, autoClose: false }), response)
    } finally {
      all--
      const left = (uploads.get(peer) ?? 1) - 1
      if (left > 0) uploads.set(peer, left)
      else uploads.delete(peer)
      await handle.close()
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request
    const body = method === 'POST' ? await bodyOf(request) : ''
    if (body === null) return json(response, 413, {})
    if (shared.key() === null) return json(response, 503, { code: 'no_key_yet' })
    const peer = verifier.verify(request.headers.authorization, { method, path, body })
    if (!peer) return json(response, 401, { code: 'proof_required' }, { 'www-authenticate': verifier.challenge() })
    proofs.set(response, peer.proof)
    const { pathname, searchParams } = new URL(path, 'http://peer')
    const route = pathname.startsWith(`${PEER_PREFIX}/`) ? pathname.slice(PEER_PREFIX.length) : ''
    if (method === 'GET' && route === '/hello') {
      const port = Number(searchParams.get('port'))
      if (Number.isInteger(port) && port > 0 && port < 65_536 && peer.id !== shared.id) shared.met(request.socket.remoteAddress ?? '', port)
      return json(response, 200, { id: shared.id, scope: shared.scope() })
    }
    if (method === 'POST' && route === '/have') {
      const read = HaveBody.safeParse(parsed(body))
      if (!read.success) return json(response, 400, {})
      const { sha256: asked, wait_ms } = read.data
      if (asked.some((sha256) => !shared.file(sha256) && !shared.expects(sha256))) shared.missed()
      if (wait_ms > 0 && !asked.some(shared.file)) await shared.stored(new Set(asked), Math.min(wait_ms, MAX_WAIT_MS))
      const held = asked.flatMap((sha256, n) => (shared.file(sha256) ? n : []))
      const fetching = asked.flatMap((sha256, n) => (!shared.file(sha256) && shared.fetching(sha256) ? n : []))
      return json(response, 200, { held, fetching, line_bytes: shared.lineBytes(), scope: shared.scope() })
    }
    if (method === 'GET' && route === '/lists') {
      const cursor = searchParams.get('cursor') ?? ''
      const page = shared.list(cursor)
      if (page) {
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'content-length': page.gzip.length,
          'x-list-signature': page.signature,
        })
        response.end(page.gzip)
        return
      }
      const expected = shared.expectsList(cursor)
      if (expected) shared.missed()
      return json(response, 404, { expected })
    }
    const [, sha256] = /^\/blobs\/([0-9a-f]{64})$/.exec(route) ?? []
    if (method === 'GET' && sha256 !== undefined) return blob(sha256, peer.id, response)
    return json(response, 404, {})
  }

  const server = createServer({ headersTimeout: 5_000, requestTimeout: 30_000, keepAliveTimeout: 20_000 }, (request, response) => {
    const writeHead = response.writeHead.bind(response)
    response.writeHead = ((status: number, headers: Record<string, string | number>) => {
      const proof = proofs.get(response)?.(status)
      return writeHead(status, { ...headers, ...(proof !== undefined && { 'x-peer-proof': proof }) })
    }) as typeof response.writeHead
    respond(request, response).catch(() => response.destroy())
  })
  const proofs = new WeakMap<ServerResponse, (status: number) => string>()
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(SOCKET_IDLE_MS)
  return server
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return null
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
