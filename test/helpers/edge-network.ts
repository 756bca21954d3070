import { createConnection, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { PullOptions, PullResult } from '../../src/edge-client/pull.ts'
import { DEFAULT_PORT, openSharing, type Sharing } from '../../src/edge-client/sharing.ts'
import { edgeFolder, puller } from './edge-folder.ts'
import type { TestStore } from './test-shop.ts'

export interface CountedLine {
  url: string
  /** Bytes to the clients, and from them. */
  down(): number
  up(): number
  /** Resolves when so many bytes have come to the clients. */
  carried(bytes: number): Promise<void>
  /** Connections refused while the line was cut. */
  refused(): number
  /** Cuts what is open, and refuses everything until it is called again with false. */
  cut(on: boolean): void
}

/** The one line of a shop to head office: real sockets, and every byte is counted. */
export async function openCountedLine(target: string): Promise<CountedLine> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let down = 0
  let up = 0
  let refused = 0
  let isCut = false
  const waiting = new Set<{ bytes: number; resolve(): void }>()
  const server = createServer((client) => {
    if (isCut) {
      refused++
      client.destroy()
      return
    }
    const upstream = createConnection({ host: hostname, port: Number(port) })
    client.on('data', (chunk) => {
      up += chunk.length
    })
    upstream.on('data', (chunk) => {
      down += chunk.length
      for (const one of waiting) {
        if (down < one.bytes) continue
        waiting.delete(one)
        one.resolve()
      }
    })
    client.pipe(upstream)
    upstream.pipe(client)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    down: () => down,
    up: () => up,
    carried: (bytes) =>
      new Promise((resolve) => {
        if (down >= bytes) resolve()
        else waiting.add({ bytes, resolve })
      }),
    refused: () => refused,
    cut(on) {
      isCut = on
      if (on) for (const socket of open) socket.destroy()
    },
  }
}

export interface EdgeClient {
  dir: string
  sharing: Sharing
  address: string
  pull(more?: Partial<PullOptions>): Promise<PullResult>
  close(): Promise<void>
}

/** A client on its own loopback address that shares with `peers`. */
export async function openEdgeClient(
  store: TestStore,
  server: string,
  { host, port = 0, peers = [], dir }: { host: string; port?: number; peers?: string[]; dir?: string },
): Promise<EdgeClient> {
  const folder = dir ?? (await edgeFolder())
  const sharing = await openSharing({
    listen: { host, port },
    peers,
    discover: false,
    onWarning(message) {
      throw new Error(message)
    },
  })
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await sharing[Symbol.asyncDispose]()
  }
  onTestFinished(close)
  return {
    dir: folder,
    sharing,
    address: `${host}:${sharing.port()}`,
    pull: (more = {}) => puller(store, server, folder)({ share: { always: true, open: async () => sharing }, ...more }),
    close,
  }
}

/** Clients that know each other, on addresses of their own: `127.0.{net}.1`, `127.0.{net}.2` … */
export function openEdgeClients(store: TestStore, server: string, { net, count }: { net: number; count: number }): Promise<EdgeClient[]> {
  const hosts = Array.from({ length: count }, (_, n) => `127.0.${net}.${n + 1}`)
  return Promise.all(
    hosts.map((host) =>
      openEdgeClient(store, server, {
        host,
        port: DEFAULT_PORT,
        peers: hosts.filter((other) => other !== host).map((other) => `${other}:${DEFAULT_PORT}`),
      }),
    ),
  )
}
