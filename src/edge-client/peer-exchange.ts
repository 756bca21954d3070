import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_HAVE, type PeerClient, PeerError } from './peer-client.ts'
import { ChecksumError } from './photo-files.ts'
import { rankedFor, type Sharing } from './sharing.ts'
import type { PendingDownload } from './state.ts'

/** Downloads from peers at once, together and from one of them. */
const DOWNLOADS = 6
const DOWNLOADS_PER_PEER = 2
/** Pause between two rounds of questions, with and without progress. */
const BUSY_TICK_MS = 40
const IDLE_TICK_MS = 300
/**
 * How long nothing may come from a peer that others wait for; longer where it says that it is
 * working, which it may only pretend.
 */
const STALL_MS = 10_000
const WORKING_STALL_MS = 30_000
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
  /** How long head office may take for this photo on a line with a limit. */
  slowestMs(pending: PendingDownload): number
  signal: AbortSignal
}

export type PeerExchange = ReturnType<typeof createPeerExchange>

/**
 * Decides for each listed photo who fetches it from head office, and fetches the rest from peers.
 * For every content all clients agree on one, by rendezvous hashing over those that are there; who
 * does not deliver in time is left out, and the next one takes over.
 */
export function createPeerExchange(options: PeerExchangeOptions) {
  const { sharing, scope, isWanted, adopt, store, toLine, lineRoom, slowestMs, signal } = options
  const waiting = new Map<string, PendingDownload>()
  const active = new Set<string>()
  const adopted = new WeakSet<PendingDownload>()
  /** Since when nothing has come from a peer that this client waits for. */
  const waitingSince = new Map<PeerClient, number>()
  const lineBytes = new Map<PeerClient, { bytes: number; at: number }>()
  let ended = false
  let offline = false
  let lastProgress = performance.now()
  let failure: unknown
  let wake: (() => void) | null = null
  const changed = () => wake?.()
  signal.addEventListener('abort', changed, { once: true })

  function begin(pending: PendingDownload, peer: PeerClient): void {
    active.add(pending.id)
    peer.active++
    void download(pending, peer)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => {
        active.delete(pending.id)
        peer.active--
        changed()
      })
  }

  async function download(pending: PendingDownload, peer: PeerClient): Promise<void> {
    try {
      await store(pending, await peer.blob(pending.sha256 ?? '', pending.size ?? 0, signal))
      waiting.delete(pending.id)
      peer.worked()
      waitingSince.delete(peer)
      lastProgress = performance.now()
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ChecksumError) peer.exclude(EXCLUDE_LIAR_MS, { distrust: true })
      else if (!(error instanceof PeerError)) throw error
      else if (error.reason === 'away' || error.reason === 'starting') peer.exclude(EXCLUDE_MS)
    }
  }

  /** Leaves out a peer from which nothing has come for too long. */
  function waitFor(peer: PeerClient, slowest: number): void {
    const now = performance.now()
    const since = waitingSince.get(peer) ?? now
    waitingSince.set(peer, since)
    const working = now - (lineBytes.get(peer)?.at ?? 0) < STALL_MS
    if (now - since < Math.max(slowest, working ? WORKING_STALL_MS : STALL_MS)) return
    waitingSince.delete(peer)
    peer.exclude(EXCLUDE_STALLED_MS, { distrust: true })
  }

  async function ask(peers: PeerClient[], hashes: string[]): Promise<Map<PeerClient, Set<string>>> {
    const held = new Map<PeerClient, Set<string>>()
    await Promise.all(
      peers.map(async (peer) => {
        try {
          const has = await peer.have(hashes)
          held.set(peer, has.held)
          if (has.lineBytes !== lineBytes.get(peer)?.bytes) lineBytes.set(peer, { bytes: has.lineBytes, at: performance.now() })
        } catch (error) {
          if (!(error instanceof PeerError)) throw error
          peer.exclude(EXCLUDE_MS)
        }
      }),
    )
    return held
  }

  /** Returns whether anything was begun. */
  async function round(): Promise<boolean> {
    const batch: PendingDownload[] = []
    for (const pending of waiting.values()) {
      if (!isWanted(pending)) waiting.delete(pending.id)
      else if (!active.has(pending.id)) batch.push(pending)
      if (batch.length === MAX_HAVE) break
    }
    await sharing.meetPeers(signal)
    const held = await ask(sharing.live(), [...new Set(batch.flatMap(({ sha256 }) => sha256 ?? []))])
    const peers = sharing.live()
    const clients = [
      { id: sharing.id, peer: null },
      ...peers.filter((peer) => peer.scope() === scope).map((peer) => ({ id: peer.id() ?? '', peer })),
    ]
    let begun = false
    const mine: PendingDownload[] = []
    const room = lineRoom()
    const awaited = new Set<PeerClient>()
    for (const pending of batch) {
      signal.throwIfAborted()
      if (!isWanted(pending)) continue
      if (!adopted.has(pending)) {
        adopted.add(pending)
        if (await adopt(pending)) {
          waiting.delete(pending.id)
          begun = true
          continue
        }
      }
      const { sha256 } = pending
      const holders = sha256 === null ? [] : peers.filter((peer) => held.get(peer)?.has(sha256) && peer.isLive())
      if (holders.length > 0) {
        const [free] = holders.filter((peer) => peer.active < DOWNLOADS_PER_PEER).sort((a, b) => a.active - b.active)
        for (const peer of holders) {
          awaited.add(peer)
          waitFor(peer, 0)
        }
        if (free?.isLive() && active.size < DOWNLOADS) {
          begin(pending, free)
          begun = true
        }
        continue
      }
      const turn = sha256 === null ? null : rankedFor(sha256, clients).find(({ peer }) => peer === null || peer.isLive())?.peer
      if (turn) {
        awaited.add(turn)
        waitFor(turn, slowestMs(pending))
      } else if (!offline && room.photos > 0 && room.bytes > 0) {
        waiting.delete(pending.id)
        mine.push(pending)
        room.photos--
        room.bytes -= pending.size ?? 0
      }
    }
    // Together, so that they can come as one archive.
    if (mine.length > 0) toLine(mine)
    for (const peer of waitingSince.keys()) if (!awaited.has(peer)) waitingSince.delete(peer)
    // The next round looks at others first.
    if (waiting.size > MAX_HAVE)
      for (const pending of batch) {
        if (!waiting.delete(pending.id)) continue
        waiting.set(pending.id, pending)
      }
    return begun || mine.length > 0
  }

  return {
    add(pending: PendingDownload): void {
      waiting.set(pending.id, pending)
      changed()
    },
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
      for (const one of pending) if (!active.has(one.id)) waiting.set(one.id, one)
      changed()
    },
    /** Resolves when every photo was stored or handed to the line. Throws what storing threw. */
    async run(): Promise<void> {
      for (;;) {
        signal.throwIfAborted()
        if (failure !== undefined) throw failure
        if (ended && waiting.size === 0 && active.size === 0) return
        if (offline && active.size === 0 && performance.now() - lastProgress > OFFLINE_MS) return
        const begun = waiting.size > active.size && (await round())
        const next = Promise.withResolvers<void>()
        wake = next.resolve
        const quiet = waiting.size === active.size && !offline
        const tick = new AbortController()
        const pause = sleep(begun ? BUSY_TICK_MS : IDLE_TICK_MS, undefined, { signal: tick.signal }).catch(() => {})
        await (quiet ? next.promise : Promise.race([next.promise, pause]))
        tick.abort()
        wake = null
      }
    },
  }
}
