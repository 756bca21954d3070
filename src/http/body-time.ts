import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes large bodies: they may take as long as they like while they keep coming at a human pace. */
    largeBody?: boolean
  }
}

const WHOLE_MS = 30_000
const LOOK_EVERY_MS = 10_000
/** Slower than a bad mobile line: that is somebody holding a socket. */
const MIN_BYTES_PER_LOOK = 20 * 1024

/**
 * Bounds the time of request bodies. Node's own limit is one for all routes and would cut an honest upload over a slow line,
 * so it is only the last resort; here small bodies have 30 seconds and large ones must keep moving.
 */
export const bodyTime = fp(
  async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const { raw } = request
      if (raw.complete || (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined)) return
      const large = request.routeOptions.config.largeBody === true
      let seen = raw.socket.bytesRead
      const timer = setInterval(
        () => {
          if (raw.complete) return stop()
          const moved = raw.socket.bytesRead - seen
          seen = raw.socket.bytesRead
          // While we hold the sender back ourselves (a queue, a busy disk), its pace says nothing.
          if (large && (moved >= MIN_BYTES_PER_LOOK || raw.isPaused() || raw.readableFlowing === null)) return
          stop()
          reply.raw.once('finish', () => raw.destroy())
          reply.header('connection', 'close').send(Object.assign(new Error('The request did not arrive in time'), { statusCode: 408 }))
        },
        large ? LOOK_EVERY_MS : WHOLE_MS,
      ).unref()
      const stop = () => clearInterval(timer)
      raw.once('close', stop)
      raw.once('end', stop)
    })
  },
  { name: 'body-time' },
)
