import { createConnection, createServer, type Socket } from 'node:net'

export interface RecordingProxy {
  url: string
  /** What went over the line since the last call, each way, connections one after the other. */
  take(): { asked: string; answered: string }
  close(): Promise<void>
}

/** A TCP line to `target` that keeps every byte of both ways. */
export async function openRecordingProxy(target: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let taken: { asked: Buffer[]; answered: Buffer[] }[] = []
  const server = createServer((client) => {
    const upstream = createConnection({ host: hostname, port: Number(port) })
    /** One entry a connection, and a fresh one after each `take`. */
    let kept: (typeof taken)[number] | undefined
    const keep = (way: 'asked' | 'answered') => (chunk: Buffer) => {
      if (!kept || !taken.includes(kept)) {
        kept = { asked: [], answered: [] }
        taken.push(kept)
      }
      kept[way].push(chunk)
    }
    client.on('data', keep('asked')).pipe(upstream)
    upstream.on('data', keep('answered')).pipe(client)
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
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    take() {
      const text = (way: 'asked' | 'answered') => Buffer.concat(taken.flatMap((one) => one[way])).toString('latin1')
      const both = { asked: text('asked'), answered: text('answered') }
      taken = []
      return both
    },
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
