import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
  message: { type: string; timestamp: string; data: Record<string, unknown> }
}

/**
 * Somebody else's server that keeps what it gets; `respond` says with which status, 200 when left
 * out.
 */
export async function startReceiver(respond: (received: Received) => number | Promise<number> = () => 200) {
  const received: Received[] = []
  const receiver = { respond, received }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const one = { path: request.url ?? '', headers: request.headers, body, message: JSON.parse(body) as Received['message'] }
    received.push(one)
    const status = await receiver.respond(one)
    response.writeHead(status, { ...(status === 302 && { location: '/elsewhere' }) }).end(`status ${status}${'.'.repeat(2_000)}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  async function stop(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return Object.assign(receiver, {
    host,
    url: `http://${host}/hook`,
    /** As if it was killed, until `start`: open requests get no response. */
    stop,
    start: (): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    close: stop,
  })
}

/** Whether the public library of the specification accepts a message. */
export function isSigned({ headers, body }: Pick<Received, 'headers' | 'body'>, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>)
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}
