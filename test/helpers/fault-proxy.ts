import { createConnection, createServer, type Socket } from 'node:net'

export interface LineOptions {
  /** One way. */
  delayMs?: number
  /** Towards the client, shared by all connections as on a real line. */
  bytesPerSecond?: number
  /** Every connection is cut this often. */
  cutEveryMs?: number
}

export interface FaultProxy {
  url: string
  /** Bytes that went to the client. */
  bytes(): number
  cuts(): number
  /** Cuts whatever is open now. */
  cut(): void
  /**
   * From now on takes everything and brings nothing, without a word to either side; `false`: for
   * connections made from then on it works again.
   */
  swallow(on: boolean): void
  close(): Promise<void>
}

/** How much may be on its way at once for one connection, like a socket's buffers. */
const WINDOW_BYTES = 256 * 1024
const PACKET_BYTES = 1_460

/**
 * A TCP line to `target` that is slow, far away, or cut again and again. A real one: sockets on
 * loopback, no fake in the program.
 */
export async function openFaultProxy(target: string, { delayMs = 0, bytesPerSecond, cutEveryMs }: LineOptions = {}): Promise<FaultProxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let bytes = 0
  let cuts = 0
  /** When the line has sent what was given to it so far. */
  let freeAt = 0

  let swallowing = false
  /**
   * What went through while the line swallowed is lost: such a connection never works again, and
   * nobody says so.
   */
  const dead = new Set<Socket>()

  function carry(from: Socket, to: Socket, { slow }: { slow: boolean }): void {
    let under = 0
    /** A slow line brings a large write bit by bit: what came before a cut has come. */
    const most = slow && bytesPerSecond ? Math.max(PACKET_BYTES, Math.ceil(bytesPerSecond / 50)) : Number.POSITIVE_INFINITY
    /**
     * In the order in which it came: a timer for each piece would let a busy machine deliver one
     * before the piece in front of it. Null: the end.
     */
    const underWay: { chunk: Buffer | null; arrives: number }[] = []
    function deliver(): void {
      for (let next = underWay[0]; next; next = underWay[0]) {
        const wait = next.arrives - performance.now()
        if (wait > 0) {
          setTimeout(deliver, wait)
          return
        }
        underWay.shift()
        hand(next.chunk)
      }
    }
    function hand(chunk: Buffer | null): void {
      under -= chunk?.length ?? 0
      if (under <= WINDOW_BYTES) from.resume()
      if (to.destroyed) return
      if (chunk === null) {
        to.end()
        return
      }
      if (slow) bytes += chunk.length
      to.write(chunk)
    }
    function send(chunk: Buffer | null, arrives: number): void {
      underWay.push({ chunk, arrives })
      if (underWay.length === 1) setTimeout(deliver, Math.max(0, arrives - performance.now()))
    }
    from.on('data', (chunk: Buffer) => {
      if (swallowing) dead.add(from).add(to)
      if (dead.has(from)) return
      under += chunk.length
      if (under > WINDOW_BYTES) from.pause()
      const now = performance.now()
      for (let at = 0; at < chunk.length; at += most) {
        const packet = chunk.subarray(at, at + most)
        if (slow && bytesPerSecond) freeAt = Math.max(freeAt, now) + (packet.length * 1000) / bytesPerSecond
        send(packet, (slow && bytesPerSecond ? freeAt : now) + delayMs)
      }
    })
    from.on('end', () => send(null, Math.max(slow ? freeAt : 0, performance.now()) + delayMs))
    from.on('error', () => to.destroy())
    from.on('close', () => {
      open.delete(from)
      setTimeout(() => to.destroy(), delayMs + Math.max(0, freeAt - performance.now()) + 50)
    })
    open.add(from)
  }

  const server = createServer((client) => {
    const upstream = createConnection({ host: hostname, port: Number(port) })
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    carry(client, upstream, { slow: false })
    carry(upstream, client, { slow: true })
  })
  const cut = () => {
    if (open.size > 0) cuts++
    freeAt = 0 // what was on its way is lost, and holds up nothing
    for (const socket of open) socket.destroy()
  }
  const timer = cutEveryMs === undefined ? undefined : setInterval(cut, cutEveryMs)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const close = async () => {
    clearInterval(timer)
    for (const socket of open) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    bytes: () => bytes,
    cuts: () => cuts,
    cut,
    swallow: (on) => {
      swallowing = on
    },
    close,
  }
}
