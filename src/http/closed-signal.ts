import type { FastifyReply } from 'fastify'

/** Aborts when the other side hangs up before its answer is sent, so that nothing is worked on for nobody. */
export function closedSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the sender hung up'))
  })
  return gone.signal
}
