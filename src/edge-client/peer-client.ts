import { z } from 'zod'
import { type HttpResponse, sendRequest } from './http-request.ts'
import { createPeerProof } from './peer-auth.ts'

export const PEER_PREFIX = '/zinc-edge/1'
export const MAX_HAVE = 1_000

/** A peer that does not respond in this time is left out; a till may be busy with a sale. */
const RESPONSE_MS = 5_000
/** For a question that nobody waits for. */
const PATIENT_RESPONSE_MS = 15_000
/** A peer that sends nothing for this long has stalled; a till's disk may be busy for seconds. */
const IDLE_MS = 10_000
/**
 * Who is silent for this long has gone. Not sooner: its share would be fetched a second time, and
 * a till that is busy may respond after many seconds.
 */
const SILENCE_MS = 60_000
/** The slowest useful transfer between two machines of a shop, beyond the first seconds. */
const SLOWEST_BYTES_PER_SECOND = 16_000
const MAX_JSON_BYTES = 256 * 1024
const MAX_LIST_BYTES = 32 * 1024 * 1024

const Hello = z.object({ id: z.string().regex(/^[\w-]{1,64}$/), scope: z.string().max(100) })
const Have = z.object({
  /** Positions in the request. */
  held: z.array(z.int().min(0)).max(MAX_HAVE),
  /** Of the others, those that it is fetching from head office. */
  fetching: z.array(z.int().min(0)).max(MAX_HAVE).default([]),
  /** Bytes that came from head office since the process began: it grows while the peer works. */
  line_bytes: z.number(),
  scope: z.string().max(100),
})
const NotHere = z.object({ expected: z.boolean().default(false) })

export class PeerError extends Error {
  /**
   * `starting`: has no key yet | `busy`: try later | `missing`: does not have it | `slow`: did not
   * respond in time | `away`
   */
  readonly reason: 'starting' | 'busy' | 'missing' | 'slow' | 'away'
  constructor(reason: PeerError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export type PeerClient = ReturnType<typeof createPeerClient>

/** One peer by its address. Nothing that it says is trusted: bytes are hashed, lists are signed. */
export function createPeerClient(address: string, self: { id: string; port(): number; key(): string | null }) {
  const proof = createPeerProof(self)
  let id: string | null = null
  let scope = ''
  let seenAt = Number.NEGATIVE_INFINITY
  let excludedUntil = Number.NEGATIVE_INFINITY
  let exclusions = 0
  let distrusted = false

  async function request(
    method: string,
    path: string,
    { body = '', signal }: { body?: string; signal: AbortSignal },
  ): Promise<HttpResponse> {
    for (const last of [false, true]) {
      const authorized = proof.authorize({ method, path: `${PEER_PREFIX}${path}`, body })
      const response = await sendRequest(`http://${address}${PEER_PREFIX}${path}`, {
        method,
        signal,
        headers: { ...(authorized && { authorization: authorized.header }), ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body }),
      })
      if (response.status === 401 && !last && proof.challenged(response.header('www-authenticate'))) {
        response.body.resume()
        continue
      }
      if (response.status === 503 && response.header('retry-after') === null) {
        response.body.destroy()
        throw new PeerError('starting', `${address} has no key yet`)
      }
      if (!authorized?.verifies(response.status, response.header('x-peer-proof'))) {
        response.body.destroy()
        throw new PeerError('away', `${address} does not know the key of the store`)
      }
      return response
    }
    throw new PeerError('away', `${address} refuses the key of the store`)
  }

  /** Any failure of the network becomes a PeerError. */
  async function asked<T>(work: (signal: AbortSignal) => Promise<T>, waitMs = RESPONSE_MS): Promise<T> {
    const signal = AbortSignal.timeout(waitMs)
    try {
      return await work(signal)
    } catch (error) {
      if (error instanceof PeerError) throw error
      throw new PeerError(signal.aborted ? 'slow' : 'away', `${address} does not respond`, { cause: error })
    }
  }

  return {
    address,
    id: () => id,
    /** Which bytes it fetches from head office: peers of another scope never fetch ours. */
    scope: () => scope,
    /** Downloads from it that are in progress. */
    active: 0,
    isLive: (): boolean => id !== null && performance.now() - seenAt < SILENCE_MS && performance.now() > excludedUntil,
    isExcluded: (): boolean => performance.now() <= excludedUntil,
    /**
     * It lied, stalled or vanished: for a while nothing is expected of it, longer each time.
     * `distrust`: not even when it introduces itself again.
     */
    exclude(ms: number, { distrust = false }: { distrust?: boolean } = {}): void {
      excludedUntil = performance.now() + ms * 2 ** Math.min(5, exclusions++)
      distrusted = distrust
    },
    /** It introduced itself: one that was away is back. */
    greeted(): void {
      if (!distrusted) excludedUntil = Number.NEGATIVE_INFINITY
    },
    worked(): void {
      exclusions = 0
    },
    /** Introduces this client and learns who the peer is. Throws PeerError. */
    hello: (): Promise<string> =>
      asked(async (signal) => {
        const response = await request('GET', `/hello?port=${self.port()}`, { signal })
        const read = Hello.parse(JSON.parse(await textOf(response, MAX_JSON_BYTES)))
        ;({ scope } = read)
        id = read.id
        seenAt = performance.now()
        return id
      }),
    /**
     * Returns which of these contents it holds, and which it is fetching from head office; it may
     * hold the question for `waitMs` until it holds one. Throws PeerError.
     */
    have: (hashes: string[], waitMs: number): Promise<{ held: Set<string>; fetching: Set<string>; lineBytes: number }> =>
      asked(async (signal) => {
        const response = await request('POST', '/have', { body: JSON.stringify({ sha256: hashes, wait_ms: waitMs }), signal })
        const read = Have.parse(JSON.parse(await textOf(response, MAX_JSON_BYTES)))
        ;({ scope } = read)
        seenAt = performance.now()
        const at = (positions: number[]) => new Set(positions.flatMap((n) => hashes[n] ?? []))
        return { held: at(read.held), fetching: at(read.fetching), lineBytes: read.line_bytes }
      }, PATIENT_RESPONSE_MS + waitMs),
    /** Returns a page of the list as head office signed it, or whether to wait for it. */
    list: (cursor: string): Promise<{ body: string; signature: string } | { expected: boolean }> =>
      asked(async (signal) => {
        const response = await request('GET', `/lists?cursor=${encodeURIComponent(cursor)}`, { signal })
        if (response.status !== 200) return NotHere.parse(JSON.parse(await textOf(response, MAX_JSON_BYTES)))
        return { body: await textOf(response, MAX_LIST_BYTES), signature: response.header('x-list-signature') ?? '' }
      }),
    /** Streams a content; `size` bounds what is accepted, and its time. Throws PeerError. */
    async blob(sha256: string, size: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
      const stop = new AbortController()
      const alarm = setTimeout(() => stop.abort(), IDLE_MS)
      const deadline = performance.now() + 10_000 + (size * 1_000) / SLOWEST_BYTES_PER_SECOND
      const away = (cause: unknown) => {
        clearTimeout(alarm)
        signal.throwIfAborted()
        return cause instanceof PeerError
          ? cause
          : new PeerError(stop.signal.aborted ? 'slow' : 'away', `${address} stopped sending`, { cause })
      }
      const response = await request('GET', `/blobs/${sha256}`, { signal: AbortSignal.any([signal, stop.signal]) }).catch((error) => {
        throw away(error)
      })
      if (response.status !== 200) {
        clearTimeout(alarm)
        response.body.destroy()
        throw new PeerError(response.status === 503 ? 'busy' : 'missing', `${address} does not send ${sha256}`)
      }
      return (async function* () {
        let came = 0
        try {
          for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
            came += chunk.length
            if (came > size || performance.now() > deadline) throw new PeerError('away', `${address} sends too much or too slowly`)
            alarm.refresh()
            yield chunk
          }
          if (came < size) throw new PeerError('away', `${address} stopped sending`)
        } catch (cause) {
          throw away(cause)
        } finally {
          clearTimeout(alarm)
        }
      })()
    },
  }
}

async function textOf(response: HttpResponse, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new PeerError('away', 'The response is too large')
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
