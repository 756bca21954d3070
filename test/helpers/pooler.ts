import { createServer, type Socket } from 'node:net'
import pg from 'pg'

/** A connection to the server that has logged in, and the one client that has it. */
interface ServerLine {
  socket: Socket
  user: Socket | null
}

const READY = 'Z'.charCodeAt(0)
const IDLE = 'I'.charCodeAt(0)

/** Yields the type and body of each whole message; keeps the rest for the next bytes. */
function createReader(onMessage: (type: number, body: Buffer) => void) {
  let rest = Buffer.alloc(0)
  return (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1)
      onMessage(rest[0]!, rest.subarray(5, end))
      rest = rest.subarray(end)
    }
  }
}

/**
 * A connection pooler as PgBouncer is one, with as many connections to the server as `size`: in
 * session mode a client keeps its connection, in transaction mode it has one until its transaction
 * has ended. Clients are let in without a password.
 */
export async function startPooler(url: string, { mode, size }: { mode: 'session' | 'transaction'; size: number }) {
  const lines: ServerLine[] = []
  for (let n = 0; n < size; n++) {
    const client = new pg.Client(url)
    client.on('error', () => {}) // its socket is ours
    await client.connect()
    const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream
    socket.removeAllListeners('data')
    const line: ServerLine = { socket, user: null }
    const read = createReader((type, body) => {
      if (mode === 'transaction' && type === READY && body[0] === IDLE) release(line)
    })
    socket.on('data', (bytes: Buffer) => {
      line.user?.write(bytes)
      read(bytes)
    })
    lines.push(line)
  }
  /** The last one that was free is taken first, as PgBouncer does. */
  const free = [...lines]
  const waiting: (() => void)[] = []
  function release(line: ServerLine): void {
    line.user = null
    free.push(line)
    waiting.shift()?.()
  }
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    let begun = false
    const lineOf = () => lines.find(({ user }) => user === socket)
    const take = (): ServerLine | undefined => {
      const line = lineOf() ?? free.pop()
      if (line) line.user = socket
      return line
    }
    const send = (bytes: Buffer): void => {
      const line = take()
      if (line) line.socket.write(bytes)
      else waiting.push(() => send(bytes))
    }
    socket.on('data', (bytes: Buffer) => {
      if (begun) return send(bytes)
      begun = true // the startup packet; then: authentication is right, ready for a query
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, READY, 0, 0, 0, 5, IDLE]))
    })
    socket.on('close', () => {
      open.delete(socket)
      const line = lineOf()
      if (line) release(line)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const through = new URL(url)
  through.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: through.href,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      for (const { socket } of lines) socket.destroy()
    },
  }
}
