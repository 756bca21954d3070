import type { FastifyReply } from 'fastify'

/**
 * Returns a signal that aborts when the client disconnects before its response is sent, so that no
 * work is done for it.
 */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const disconnected = new AbortController()
  const closed = () => {
    if (!reply.raw.writableFinished) disconnected.abort(new Error('the sender hung up'))
  }
  // A client that disconnected before this call emits no further event.
  if (reply.raw.closed) closed()
  else reply.raw.once('close', closed)
  return disconnected.signal
}
