import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { say } from '../../messages/say.ts'
import { writeRawError } from '../raw-error-response.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The route accepts large bodies: they may take any time while they keep arriving at a
     * reasonable rate. It counts their bytes itself.
     */
    largeBody?: boolean
  }
}

export interface BodyTimeouts {
  /**
   * A body that is no upload must arrive within this time, and the rest of any body within this
   * time after its response.
   */
  bodyWithinMs: number
  /** An upload may take any time at this rate or faster, measured over each of these spans. */
  uploadBytesPerSecond: number
  uploadSpanMs: number
  lookEveryMs: number
}
const BODY_TIMEOUTS: BodyTimeouts = { bodyWithinMs: 30_000, uploadBytesPerSecond: 10_000, uploadSpanMs: 10_000, lookEveryMs: 1_000 }

interface Arriving {
  request: FastifyRequest
  reply: FastifyReply
  socket: Socket
  since: number
  upload: boolean
  /**
   * When the response was complete: nothing reads the rest of the body, but the sender must be able
   * to reach the response.
   */
  answered: number | null
  /** What the socket had read when the present span began. */
  span: { at: number; bytes: number }
}

/**
 * Ends requests whose body arrives too slowly, with 408. Node's own `requestTimeout` is one limit
 * for all, which would cut a good upload over a slow connection; slow headers and idle sockets are
 * left to Node (headersTimeout, keepAliveTimeout).
 */
export const bodyTimeout = fp<{ bodyTimeouts?: BodyTimeouts }>(
  async (app, { bodyTimeouts = BODY_TIMEOUTS }) => {
    const arriving = new Map<IncomingMessage, Arriving>()

    app.addHook('onRequest', (request, reply, done) => {
      const { raw } = request
      if (raw.complete || (raw.headers['transfer-encoding'] === undefined && !Number(raw.headers['content-length'] ?? 0))) return done()
      const now = performance.now()
      const upload = request.routeOptions.config.largeBody === true
      arriving.set(raw, {
        request,
        reply,
        socket: raw.socket,
        since: now,
        upload,
        answered: null,
        span: { at: now, bytes: raw.socket.bytesRead },
      })
      const forget = () => arriving.delete(raw)
      raw.once('end', forget).once('close', forget)
      done()
    })

    const timer = setInterval(() => {
      const now = performance.now()
      for (const [raw, one] of arriving) {
        if (raw.complete) arriving.delete(raw)
        else if (isTooSlow(one, now, bodyTimeouts)) {
          arriving.delete(raw)
          one.request.log.info('request aborted: body timeout')
          const failure = { status: 408, ...say('request_timeout'), requestId: one.request.id }
          // A request with a response already (no token) only still sends: it gets no second
          // response.
          if (!one.reply.raw.headersSent) writeRawError(one.socket, failure)
          one.socket.destroySoon()
        }
      }
    }, bodyTimeouts.lookEveryMs)
    timer.unref()
    app.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'slow-requests' },
)

function isTooSlow(one: Arriving, now: number, { bodyWithinMs, uploadBytesPerSecond, uploadSpanMs }: BodyTimeouts): boolean {
  if (one.reply.raw.writableFinished) one.answered ??= now
  if (one.answered !== null) return now - one.answered > bodyWithinMs
  // A body without permission (no token) gets no more time than a small one.
  if (!one.upload || one.request.identity === null) return now - one.since > bodyWithinMs
  if (now - one.span.at < uploadSpanMs) return false
  const pace = (one.socket.bytesRead - one.span.bytes) / ((now - one.span.at) / 1000)
  one.span = { at: now, bytes: one.socket.bytesRead }
  // While the server itself holds the sender back (a queue, a busy disk), its rate means nothing.
  const { raw } = one.request
  return pace < uploadBytesPerSecond && raw.readableLength === 0 && raw.readableFlowing !== null && !raw.isPaused()
}
