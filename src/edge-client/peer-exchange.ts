import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_HAVE, type PeerClient, PeerError } from './peer-client.ts'
import { ChecksumError } from './photo-files.ts'
import { rankedFor, type Sharing } from './sharing.ts'
import type { PendingDownload } from './state.ts'

/** Downloads from peers at once, together and from one of them. */
const DOWNLOADS = 6
const DOWNLOADS_PER_PEER = 2
/** Pause between two rounds, with and without progress. */
const BUSY_TICK_MS = 40
const IDLE_TICK_MS = 300
/** How long a photo waits for the responses of all peers before it is fetched from head office. */
const ASKED_MS = 5_000
/** How long a peer may hold a question until it can say yes. */
const HAVE_WAIT_MS = 1_500
/**
 * How long nothing may come from a peer that others wait for; longer while head office's bytes come
 * to any client, since its own may be behind them on the line, and while this one waits as well.
 */
const STALL_MS = 10_000
const BUSY_LINE_STALL_MS = 120_000
/** What a round takes at most; more is this machine's own delay, and no peer's. */
const LONGEST_ROUND_MS = 500
const EXCLUDE_MS = 10_000
const EXCLUDE_STALLED_MS = 60_000
const EXCLUDE_LIAR_MS = 600_000
/** Without head office: how long nothing may come from any peer until the pull ends. */
const OFFLINE_MS = 4_000

export interface PeerExchangeOptions {
  sharing: Sharing
  scope: string
  /** Whether this photo is still wanted, as listed. */
  isWanted(pending: PendingDownload): boolean
  /** Whether its bytes are stored here already. */
  adopt(pending: PendingDownload): Promise<boolean>
  /** Stores a photo from a peer. Throws ChecksumError, PeerError, DiskFailure. */
  store(pending: PendingDownload, bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** Fetches photos from head office. */
  toLine(pending: PendingDownload[]): void
  /** How much more may wait for the line. */
  lineRoom(): { photos: number; bytes: number }
  /** Bytes that came from head office to this client. */
  lineBytes(): number
  /** Whether this client waits for head office itself: then silence may be the line's. */
  waitsForLine(): boolean
  /** How long head office may take for a byte, as far as the limit and the line here tell. */
  slowestMsPerByte(): number
  signal: AbortSignal
}

export type PeerExchange = ReturnType<typeof createPeerExchange>

interface Item {
  pending: PendingDownload
  /** Who fetches it from head office; null: this client. */
  owner: PeerClient | null
  /** The set of peers for which `owner` was determined. */
  membership: string | null
  /** Peers that were asked whether they hold it. */
  asked: Set<PeerClient>
  adopted: boolean
  since: number
}

/**
 * Decides for each listed photo who fetches it from head office, and fetches the rest from peers.
 * For every content all clients agree on one, by rendezvous hashing over those that are there; who
 * does not deliver in time is left out, and the next one takes over.
 */
export function createPeerExchange(options: PeerExchangeOptions) {
  const { sharing, scope, isWanted, adopt, store, toLine, lineRoom, slowestMsPerByte, signal } = options
  const items = new Map<string, Item>()
  const active = new Set<string>()
  const holders = new Map<string, Set<PeerClient>>()
  /** Peers that have given a content to the line already, whoever's turn it is now. */
  const fetchers = new Map<string, Set<PeerClient>>()
  const watched = new Set<PeerClient>()
  /** The time for which rounds were made: on a busy machine it passes more slowly. */
  let elapsedMs = 0
  let roundAt = performance.now()
  /** Since when, by that time, nothing has come from a peer that this client waits for. */
  const waitingSince = new Map<PeerClient, number>()
  /** Bytes that came from head office to each client, and when, by that time, any did. */
  const lineBytes = new Map<PeerClient | null, number>()
  let lineBusyAt = Number.NEGATIVE_INFINITY
  let ended = false
  let offline = false
  let done = false
  let lastProgress = performance.now()
  let failure: unknown
  let wake: (() => void) | null = null
  const changed = () => wake?.()
  signal.addEventListener('abort', changed, { once: true })

  function begin(item: Item, peer: PeerClient): void {
    active.add(item.pending.id)
    peer.active++
    void download(item, peer)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => {
        active.delete(item.pending.id)
        peer.active--
        changed()
      })
  }

  async function download({ pending }: Item, peer: PeerClient): Promise<void> {
    const sha256 = pending.sha256 ?? ''
    try {
      await store(pending, await peer.blob(sha256, pending.size ?? 0, signal))
      items.delete(pending.id)
      peer.worked()
      waitingSince.delete(peer)
      lastProgress = performance.now()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof PeerError && error.reason === 'busy')) holders.get(sha256)?.delete(peer)
      if (error instanceof ChecksumError) peer.exclude(EXCLUDE_LIAR_MS, { distrust: true })
      else if (!(error instanceof PeerError)) throw error
      else if (error.reason === 'away' || error.reason === 'starting') peer.exclude(EXCLUDE_MS)
    }
  }

  function noteLineBytes(client: PeerClient | null, bytes: number): void {
    if (bytes === (lineBytes.get(client) ?? 0)) return
    lineBytes.set(client, bytes)
    lineBusyAt = elapsedMs
  }

  /** Leaves out a peer from which nothing has come for too long. */
  function waitFor(peer: PeerClient, slowest: number): void {
    const since = waitingSince.get(peer) ?? elapsedMs
    waitingSince.set(peer, since)
    const quietMs = elapsedMs - Math.max(since, lineBusyAt)
    if ((quietMs < STALL_MS || options.waitsForLine()) && elapsedMs - since < BUSY_LINE_STALL_MS) return
    if (elapsedMs - since < slowest) return
    waitingSince.delete(peer)
    peer.exclude(EXCLUDE_STALLED_MS, { distrust: true })
  }

  /** Whether every peer was asked for it, or did not respond in time. */
  const isAsked = ({ pending, asked, since }: Item, peers: PeerClient[]): boolean =>
    pending.sha256 === null || performance.now() - since > ASKED_MS || peers.every((peer) => asked.has(peer))

  /** Who fetches it: of those who do already the first in the order, or else whose turn it is. */
  function fetcherOf({ pending: { sha256 }, owner }: Item, fetching: PeerClient[]): PeerClient | null {
    const already = sha256 === null ? [] : fetching.filter((peer) => fetchers.get(sha256)?.has(peer))
    const clients = already.map((peer) => ({ id: peer.id() ?? '', peer }))
    return rankedFor(sha256 ?? '', clients)[0]?.peer ?? owner
  }

  /** What to ask a peer: everything once, and again what it fetches from head office for all. */
  function questionsFor(peer: PeerClient): { hashes: string[]; unasked: Item[] } {
    const hashes = new Set<string>()
    const unasked: Item[] = []
    for (const item of items.values()) {
      const { id, sha256 } = item.pending
      if (sha256 === null || active.has(id)) continue
      const isNew = !item.asked.has(peer)
      const fetches = item.owner === peer || fetchers.get(sha256)?.has(peer)
      if (!isNew && (!fetches || holders.get(sha256)?.has(peer))) continue
      hashes.add(sha256)
      if (isNew) unasked.push(item)
      if (hashes.size === MAX_HAVE) break
    }
    return { hashes: [...hashes], unasked }
  }

  /** Keeps asking one peer, which holds the question until it can say yes. */
  async function watch(peer: PeerClient): Promise<void> {
    while (!done && !signal.aborted && peer.isLive()) {
      const { hashes, unasked } = questionsFor(peer)
      if (hashes.length === 0) {
        await sleep(IDLE_TICK_MS, undefined, { ref: false })
        continue
      }
      const has = await peer.have(hashes, unasked.length > 0 ? 0 : HAVE_WAIT_MS)
      for (const item of unasked) item.asked.add(peer)
      for (const sha256 of has.held) holders.set(sha256, (holders.get(sha256) ?? new Set()).add(peer))
      for (const sha256 of hashes)
        if (has.fetching.has(sha256)) fetchers.set(sha256, (fetchers.get(sha256) ?? new Set()).add(peer))
        else fetchers.get(sha256)?.delete(peer)
      noteLineBytes(peer, has.lineBytes)
      if (has.held.size > 0 || unasked.length > 0) changed()
    }
  }

  function watchPeers(peers: PeerClient[]): void {
    for (const peer of peers) {
      if (watched.has(peer)) continue
      watched.add(peer)
      watch(peer)
        .catch((error: unknown) => {
          // A slow one may be working: `waitFor` leaves it out when nothing comes from it.
          if (!(error instanceof PeerError)) failure ??= error
          else if (error.reason !== 'slow') peer.exclude(EXCLUDE_MS)
        })
        .finally(() => {
          watched.delete(peer)
          changed()
        })
    }
  }

  /** Returns whether anything was begun. */
  async function round(): Promise<boolean> {
    await sharing.meetPeers(signal)
    const now = performance.now()
    elapsedMs += Math.min(now - roundAt, LONGEST_ROUND_MS)
    roundAt = now
    noteLineBytes(null, options.lineBytes())
    const peers = sharing.live()
    watchPeers(peers)
    const fetching = peers.filter((peer) => peer.scope() === scope)
    const clients = [{ id: sharing.id, peer: null }, ...fetching.map((peer) => ({ id: peer.id() ?? '', peer }))]
    const membership = clients
      .map(({ id }) => id)
      .sort()
      .join()
    const awaited = new Set<PeerClient>()
    const mine: PendingDownload[] = []
    const room = lineRoom()
    const msPerByte = slowestMsPerByte()
    let begun = false
    for (const item of items.values()) {
      signal.throwIfAborted()
      const { pending } = item
      const { id, sha256 } = pending
      if (active.has(id)) continue
      if (!isWanted(pending)) {
        items.delete(id)
        continue
      }
      if (!item.adopted) {
        item.adopted = true
        if (await adopt(pending)) {
          items.delete(id)
          begun = true
          continue
        }
      }
      if (sha256 !== null && item.membership !== membership) {
        const owner = rankedFor(sha256, clients)[0]?.peer ?? null
        // Others may hold or be fetching what was another's until now.
        if (item.membership !== null && owner !== item.owner) {
          item.asked.clear()
          item.since = now
        }
        item.owner = owner
        item.membership = membership
      }
      const here = sha256 === null ? [] : peers.filter((peer) => holders.get(sha256)?.has(peer))
      if (here.length > 0) {
        for (const peer of here) {
          awaited.add(peer)
          waitFor(peer, 0)
        }
        const [free] = here.filter((peer) => peer.active < DOWNLOADS_PER_PEER && peer.isLive()).sort((a, b) => a.active - b.active)
        if (free && active.size < DOWNLOADS) {
          begin(item, free)
          begun = true
        }
        continue
      }
      const fetcher = fetcherOf(item, fetching)
      if (fetcher) {
        awaited.add(fetcher)
        waitFor(fetcher, msPerByte * (pending.size ?? 0))
      } else if (!offline && room.photos > 0 && room.bytes > 0 && isAsked(item, peers)) {
        items.delete(id)
        mine.push(pending)
        room.photos--
        room.bytes -= pending.size ?? 0
      }
    }
    // Together, so that they can come as one archive.
    if (mine.length > 0) toLine(mine)
    for (const peer of waitingSince.keys()) if (!awaited.has(peer)) waitingSince.delete(peer)
    return begun || mine.length > 0
  }

  function add(pending: PendingDownload): void {
    items.set(pending.id, { pending, owner: null, membership: null, asked: new Set(), adopted: false, since: performance.now() })
    changed()
  }

  return {
    add,
    /** Something happened that may allow more. */
    changed,
    /** Nothing more is listed. */
    end(): void {
      ended = true
      changed()
    },
    /** Head office cannot be reached: what peers have is still fetched. */
    lineFailed(pending: Iterable<PendingDownload>): void {
      if (offline) return
      offline = true
      ended = true
      lastProgress = performance.now()
      for (const one of pending) if (items.get(one.id)?.pending !== one) add(one)
    },
    /** Resolves when every photo was stored or handed to the line. Throws what storing threw. */
    async run(): Promise<void> {
      try {
        for (;;) {
          signal.throwIfAborted()
          if (failure !== undefined) throw failure
          if (ended && items.size === 0) return
          if (offline && active.size === 0 && performance.now() - lastProgress > OFFLINE_MS) return
          const begun = items.size > 0 && (await round())
          const woken = new Promise<void>((resolve) => {
            wake = resolve
          })
          const stop = new AbortController()
          const waits = [sleep(items.size > 0 ? IDLE_TICK_MS : 5_000, undefined, { signal: stop.signal }).catch(() => {})]
          // Not after each single photo: a round looks at all of them.
          await Promise.race([begun ? sleep(BUSY_TICK_MS) : woken, ...waits])
          await sleep(BUSY_TICK_MS)
          stop.abort()
          wake = null
        }
      } finally {
        done = true
      }
    },
  }
}
