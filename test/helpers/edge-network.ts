import { readFile } from 'node:fs/promises'
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
  /**
   * Bytes that the clients' machines have taken: without those that wait in this line's own sockets,
   * which on loopback hold megabytes. Linux only.
   */
  delivered(): Promise<number>
  /** Connections refused while the line was cut. */
  refused(): number
  /** Cuts what is open, and refuses everything until it is called again with false. */
  cut(on: boolean): void
}

/** The one line of a shop to head office: real sockets, and every byte is counted. */
export async function openCountedLine(target: string): Promise<CountedLine> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const clients = new Set<Socket>()
  let down = 0
  let up = 0
  let refused = 0
  let isCut = false
  const server = createServer((client) => {
    if (isCut) {
      refused++
      client.destroy()
      return
    }
    clients.add(client)
    client.on('close', () => clients.delete(client))
    const upstream = createConnection({ host: hostname, port: Number(port) })
    client.on('data', (chunk) => {
      up += chunk.length
    })
    upstream.on('data', (chunk) => {
      down += chunk.length
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
    async delivered() {
      let unsent = 0
      for (const socket of clients) unsent += socket.writableLength
      const port = (typeof address === 'object' && address ? address.port : 0).toString(16).toUpperCase().padStart(4, '0')
      for (const line of (await readFile('/proc/net/tcp', 'utf8')).split('\n')) {
        const [, local = '', , , queues = ''] = line.trim().split(/\s+/)
        if (local.endsWith(`:${port}`)) unsent += Number.parseInt(queues.split(':')[0] ?? '', 16)
      }
      return down - unsent
    },
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
