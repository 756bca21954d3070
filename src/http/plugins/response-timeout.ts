import fp from 'fastify-plugin'

/** A reader that takes nothing for this long is gone, or means harm. */
const IDLE_MS = 30_000

/**
 * Ends answers whose reader has stopped taking them: each would hold a socket, a file and a buffer for ever. Only what waits for the reader counts;
 * an answer that is quiet because there is nothing to say (events, a run that is waited for) may be as long as it likes.
 */
export const responseTimeout = fp<{ idleMs?: number }>(
  async (app, { idleMs = IDLE_MS }) => {
    app.addHook('onRequest', (request, reply, done) => {
      // Node's timer of a socket begins anew whenever any byte has gone out, not only when all have.
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
