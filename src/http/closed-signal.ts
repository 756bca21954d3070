import type { FastifyRequest } from 'fastify'

/** Aborts when the sender hangs up before the request is whole or the answer is sent, so that nothing is worked on for nobody. */
export function closedSignal(request: FastifyRequest): AbortSignal {
  const gone = new AbortController()
  request.raw.once('close', () => {
    if (!request.raw.complete) gone.abort(new Error('the sender hung up'))
  })
  request.raw.socket.once('close', () => gone.abort(new Error('the sender hung up')))
  return gone.signal
}
