import type { FastifyReply } from 'fastify'

/** Aborts when the other side hangs up before its answer is sent, so that nothing is worked on for nobody. */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const disconnected = new AbortController()
  const closed = () => {
    if (!reply.raw.writableFinished) disconnected.abort(new Error('the sender hung up'))
  }
  // Who hung up while something was looked up is gone already, and tells it no second time.
  if (reply.raw.closed) closed()
  else reply.raw.once('close', closed)
  return disconnected.signal
}
