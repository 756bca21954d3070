import { createConnection, createServer, type Socket } from 'node:net'

export interface LineOptions {
  /** One way. */
  delayMs?: number
  /** Towards the client, shared by all connections as on a real line. */
  bytesPerSecond?: number
  /** Every connection is cut this often. */
  cutEveryMs?: number
}

export interface BadLine {
  url: string
  /** Bytes that went to the client. */
  bytes(): number
  cuts(): number
  /** Cuts whatever is open now. */
  cut(): void
  /** From now on takes everything and brings nothing, without a word to either side; `false`: for connections made from then on it works again. */
  swallow(on: boolean): void
  close(): Promise<void>
}

/** How much may be on its way at once for one connection, like a socket's buffers. */
const WINDOW_BYTES = 256 * 1024

/** A TCP line to `target` that is slow, far away, or cut again and again. A real one: sockets on loopback, no fake in the program. */
export async function openBadLine(target: string, { delayMs = 0, bytesPerSecond, cutEveryMs }: LineOptions = {}): Promise<BadLine> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let bytes = 0
  let cuts = 0
  /** When the line has sent what was given to it so far. */
  let freeAt = 0

  let swallowing = false
  /** What went through while the line swallowed is lost: such a connection never works again, and nobody says so. */
  const dead = new Set<Socket>()

  function carry(from: Socket, to: Socket, { slow }: { slow: boolean }): void {
    let under = 0
    from.on('data', (chunk: Buffer) => {
      if (swallowing) dead.add(from).add(to)
      if (dead.has(from)) return
      const now = performance.now()
      let arrives = now + delayMs
      if (slow && bytesPerSecond) {
        freeAt = Math.max(freeAt, now) + (chunk.length * 1000) / bytesPerSecond
        arrives = freeAt + delayMs
      }
      under += chunk.length
      if (under > WINDOW_BYTES) from.pause()
      setTimeout(() => {
        under -= chunk.length
        if (under <= WINDOW_BYTES) from.resume()
        if (to.destroyed) return
        if (slow) bytes += chunk.length
        to.write(chunk)
      }, arrives - now)
    })
    from.on('end', () => setTimeout(() => to.end(), delayMs + Math.max(0, slow && bytesPerSecond ? freeAt - performance.now() : 0)))
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
