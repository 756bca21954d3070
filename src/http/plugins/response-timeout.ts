import fp from 'fastify-plugin'

/** A client that reads nothing for this long is gone, or malicious. */
const IDLE_MS = 30_000

/**
 * Ends responses whose client has stopped reading: each would hold a socket, a file and a buffer
 * for ever. Only waiting for the client counts; a response that is silent because there is nothing
 * to send (events, waiting for a run) may take any time.
 */
export const responseTimeout = fp<{ idleMs?: number }>(
  async (app, { idleMs = IDLE_MS }) => {
    app.addHook('onRequest', (request, reply, done) => {
      // Node restarts a socket's timer whenever any byte was sent, not only when all were.
      reply.raw.setTimeout(idleMs, () => {
        const { socket } = reply.raw
        if (!socket) return
        if (socket.writableLength === 0) return void socket.setTimeout(idleMs)
        request.log.info('response aborted: client stopped reading')
        socket.destroy()
      })
      done()
    })
  },
  { name: 'slow-readers' },
)
