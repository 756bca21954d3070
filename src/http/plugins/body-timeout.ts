import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { say } from '../../messages/say.ts'
import { writeRawError } from '../raw-error-response.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes large bodies: they may take as long as they like while they keep coming at a human pace. It counts their bytes itself. */
    largeBody?: boolean
  }
}

export interface BodyTimeouts {
  /** A body that is no upload must be here by then, and what is left of any body this long after its answer. */
  bodyWithinMs: number
  /** An upload may take as long as it likes, at this pace or faster, looked at over each of these spans. */
  uploadBytesPerSecond: number
  uploadSpanMs: number
  lookEveryMs: number
}
const PATIENCE: BodyTimeouts = { bodyWithinMs: 30_000, uploadBytesPerSecond: 10_000, uploadSpanMs: 10_000, lookEveryMs: 1_000 }

interface Arriving {
  request: FastifyRequest
  reply: FastifyReply
  socket: Socket
  since: number
  upload: boolean
  /** When the answer was whole: nobody reads what still comes, but a sender must get to the answer. */
  answered: number | null
  /** What the socket had read when the running span began. */
  span: { at: number; bytes: number }
}

/**
 * Ends requests whose body trickles in, with 408. Node's own `requestTimeout` knows one time for all, which would cut a good upload over a slow line;
 * slow headers and idle sockets are Node's (headersTimeout, keepAliveTimeout).
 */
export const bodyTimeout = fp<{ bodyTimeouts?: BodyTimeouts }>(
  async (app, { bodyTimeouts = PATIENCE }) => {
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
          // One that was answered already (no token) only still sends: it gets no second answer.
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
  // A body that nobody may send (no token) gets no patience beyond that of a small one.
  if (!one.upload || one.request.identity === null) return now - one.since > bodyWithinMs
  if (now - one.span.at < uploadSpanMs) return false
  const pace = (one.socket.bytesRead - one.span.bytes) / ((now - one.span.at) / 1000)
  one.span = { at: now, bytes: one.socket.bytesRead }
  // While we hold the sender back ourselves (a queue, a busy disk), its pace says nothing.
  const { raw } = one.request
  return pace < uploadBytesPerSecond && raw.readableLength === 0 && raw.readableFlowing !== null && !raw.isPaused()
}
