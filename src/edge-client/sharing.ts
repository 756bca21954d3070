import { hash, randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EdgeSettings } from '../schemas/photo-sync.ts'
import { createListCache } from './list-cache.ts'
import { createPeerClient, type PeerClient, PeerError } from './peer-client.ts'
import { discoverPeers } from './peer-discovery.ts'
import { createPeerServer } from './peer-server.ts'
import { isSignedList } from './signatures.ts'

export const DEFAULT_PORT = 8020

/** More would be made up by someone in the network. */
const MAX_PEERS = 64
const REFRESH_MS = 3_000
/** How long a client that starts waits for others that are starting too. */
const STARTING_MS = 4_000
/** How long a first pull waits for the responses of mDNS. */
const DISCOVERY_MS = 1_500
/** How long a page of the list may take until somebody else asks head office for it. */
const LIST_WAIT_MS = 10_000
const LIST_POLL_MS = 150
const MAX_LIST_WAIT_MS = 30_000
const EXCLUDE_STALLED_MS = 60_000
const EXCLUDE_FORGER_MS = 600_000
/** A peer that has something new makes this client look for it, at most this often. */
const WAKE_EVERY_MS = 5_000
/** What is stored within this time is told to peers together. */
const TOGETHER_MS = 40

export interface SharingOptions {
  listen: { host: string; port: number }
  /** `host:port`, besides those that are found. */
  peers: string[]
  /** Announces this client in the local network and finds others there. */
  discover: boolean
  onWarning(message: string): void
}

/** What a pull shows to its peers, until the next one. */
export interface SharedPull {
  storeId: string
  /** Which bytes are fetched: the variant. */
  scope: string
  file(sha256: string): { path: string; size: number } | null
  expects(sha256: string): boolean
  fetching(sha256: string): boolean
  cursor(): string | null
  lineBytes(): number
}

export type Sharing = Awaited<ReturnType<typeof openSharing>>

/** The order in which clients are responsible for something (rendezvous hashing). */
export const rankedFor = <T extends { id: string }>(what: string, clients: T[]): T[] =>
  clients
    .map((client) => ({ client, weight: hash('sha256', `${what} ${client.id}`) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .map(({ client }) => client)

/**
 * Serves this client's photos to its peers and finds theirs, for as long as the process runs. A
 * port that is in use is only warned of: this client can still fetch from others.
 */
export async function openSharing({ listen, peers: given, discover, onWarning }: SharingOptions) {
  const id = randomUUID()
  let keys: NonNullable<EdgeSettings['sharing']> | null = null
  let pull: SharedPull | null = null
  const lists = createListCache()
  const arrivals = new EventEmitter<{ stored: [string] }>().setMaxListeners(0)
  const peers = new Map<string, PeerClient>()
  let port = 0
  const key = () => keys?.peer_key ?? null
  let wake: (() => void) | null = null
  let wokenAt = Number.NEGATIVE_INFINITY
  let pulling = false
  /** A peer that neither pulls nor can be woken only serves what it has. */
  const fetches = () => pulling || wake !== null

  function add(address: string): void {
    if (peers.has(address) || peers.size >= MAX_PEERS) return
    peers.set(address, createPeerClient(address, { id, port: () => port, key }))
  }
  function meet(host: string, peerPort: number): void {
    const ip = host.replace(/^::ffff:/, '')
    const address = `${ip.includes(':') ? `[${ip}]` : ip}:${peerPort}`
    add(address)
    peers.get(address)?.greeted()
  }

  const server = createPeerServer({
    id,
    key,
    scope: () => (fetches() ? (pull?.scope ?? '') : ''),
    file: (sha256) => pull?.file(sha256) ?? null,
    expects: (sha256) => pull?.expects(sha256) ?? false,
    fetching: (sha256) => pulling && (pull?.fetching(sha256) ?? false),
    stored: (hashes, waitMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          arrivals.off('stored', onStored)
          resolve()
        }
        let timer = setTimeout(done, waitMs).unref()
        const onStored = (sha256: string) => {
          if (!hashes.has(sha256)) return
          // More may follow from the same archive.
          arrivals.off('stored', onStored)
          clearTimeout(timer)
          timer = setTimeout(done, TOGETHER_MS).unref()
        }
        arrivals.on('stored', onStored)
      }),
    lineBytes: () => pull?.lineBytes() ?? 0,
    list: (cursor) => lists.find(cursor),
    expectsList: (cursor) => fetches() && pull !== null && (pull.cursor() ?? '') === cursor,
    met: meet,
    missed() {
      if (performance.now() - wokenAt < WAKE_EVERY_MS) return
      wokenAt = performance.now()
      wake?.()
    },
  })
  try {
    server.listen(listen.port, listen.host)
    await once(server, 'listening')
    const address = server.address()
    port = typeof address === 'object' && address ? address.port : 0
  } catch (error) {
    onWarning(`${listen.host}:${listen.port} cannot be used to share images: ${error instanceof Error ? error.message : error}`)
  }
  for (const address of given) add(address)
  let discovery: Disposable | null = null
  let discovering: Promise<unknown> = Promise.resolve()
  if (discover && port > 0) {
    discovery = discoverPeers({ id, port, onFound: meet })
    discovering = sleep(DISCOVERY_MS, undefined, { ref: false })
  }

  let meeting: Promise<void> | null = null
  let refreshedAt = Number.NEGATIVE_INFINITY
  async function firstMeeting(signal: AbortSignal): Promise<void> {
    await discovering
    const until = performance.now() + STARTING_MS
    while ((await refresh()) && performance.now() < until) await sleep(200, undefined, { signal })
  }

  /** Returns whether a peer is still without its key. */
  async function refresh(): Promise<boolean> {
    refreshedAt = performance.now()
    const seen = await Promise.all(
      [...peers.values()].map(async (peer) => {
        if (peer.isExcluded()) return null
        try {
          await peer.hello()
          return null
        } catch (error) {
          if (!(error instanceof PeerError)) throw error
          if (error.reason === 'away') peer.exclude(REFRESH_MS)
          return error.reason
        }
      }),
    )
    return seen.includes('starting')
  }

  /** One peer for each id: the same one may be known by several addresses. */
  function live(): PeerClient[] {
    const byId = new Map<string, PeerClient>()
    for (const peer of peers.values()) {
      const peerId = peer.id()
      if (peer.isLive() && peerId !== null && peerId !== id && !byId.has(peerId)) byId.set(peerId, peer)
    }
    return [...byId.values()]
  }

  function verified(cursor: string, page: { body: string; signature: string }): string | null {
    if (!keys || !pull || !isSignedList(keys.signing_key, pull.storeId, cursor, page.body, page.signature)) return null
    lists.add(cursor, page.body, page.signature)
    return page.body
  }

  return {
    id,
    port: () => port,
    live,
    /** The pull that begins: its photos are served from now on. */
    begin(next: SharedPull): void {
      pull = next
      pulling = true
      meeting = null
    },
    /** The pull has ended; what it stored is still served. */
    end(): void {
      pulling = false
    },
    /** A photo was stored: peers that wait for it are told. */
    stored(sha256: string): void {
      arrivals.emit('stored', sha256)
    },
    /** Head office's keys of the store; a new one when a token was revoked. */
    takeKeys(fresh: NonNullable<EdgeSettings['sharing']>): void {
      if (keys?.signing_key !== fresh.signing_key) lists.clear()
      keys = fresh
    },
    /**
     * Finds the peers that are there now, once for each pull; those that just start get a moment.
     * Later calls look again in the background.
     */
    meetPeers(signal: AbortSignal): Promise<void> {
      meeting ??= firstMeeting(signal)
      if (performance.now() - refreshedAt > REFRESH_MS) void refresh()
      return meeting
    },
    /**
     * Returns the text of a page that a peer has from head office; null: this client has to ask
     * head office. `wait`: for the peer whose turn it is, if it is about to ask.
     */
    async listFromPeers(cursor: string, { wait, signal }: { wait: boolean; signal: AbortSignal }): Promise<string | null> {
      const own = lists.read(cursor)
      if (own !== null) return own
      await this.meetPeers(signal)
      const began = performance.now()
      let turnBegan = began
      let turn: PeerClient | null = null
      for (;;) {
        const turns: { id: string; peer: PeerClient | null }[] = [{ id, peer: null }]
        const responses = await Promise.all(
          live().map(async (peer) => {
            try {
              const response = await peer.list(cursor)
              if ('expected' in response) {
                if (response.expected) turns.push({ id: peer.id() ?? '', peer })
                return null
              }
              const body = verified(cursor, response)
              // Forged: this peer is not worth asking for a while.
              if (body === null) peer.exclude(EXCLUDE_FORGER_MS, { distrust: true })
              return body
            } catch (error) {
              if (!(error instanceof PeerError)) throw error
              if (error.reason === 'away') peer.exclude(15_000)
              return null
            }
          }),
        )
        const found = responses.find((body) => body !== null)
        if (found) return found
        const [first] = rankedFor(`list ${cursor}`, turns)
        const now = performance.now()
        if (!wait || !first?.peer || now - began > MAX_LIST_WAIT_MS) return null
        if (first.peer !== turn) {
          turn = first.peer
          turnBegan = now
        } else if (now - turnBegan > LIST_WAIT_MS) turn.exclude(EXCLUDE_STALLED_MS, { distrust: true })
        await sleep(LIST_POLL_MS, undefined, { signal })
      }
    },
    /** A page came from head office: peers may have it. */
    keepList(cursor: string, { body, signature }: { body: string; signature: string | null }): void {
      if (signature !== null) verified(cursor, { body, signature })
    },
    /** Old pages lead nowhere any more: head office lists everything anew. */
    forgetLists: lists.clear,
    /** Resolves when a peer asks for something that is not listed here yet. */
    woken: (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        wake = () => {
          wake = null
          resolve()
        }
        signal.addEventListener('abort', wake, { once: true })
      }),
    async [Symbol.asyncDispose]() {
      discovery?.[Symbol.dispose]()
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}
