import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

/** What a filter does with one request: answers itself and returns true, or lets it through. */
export type Filter = (request: IncomingMessage & { url: string }, response: ServerResponse) => boolean

export interface FilterProxy {
  url: string
  /** Paths of the requests that came, without their queries. */
  paths: string[]
  /** What is done with each request; null: nothing. */
  filter: Filter | null
  /** What becomes of an answer that is let through; null: nothing. */
  alter: ((path: string, headers: Record<string, unknown>, body: Buffer) => { headers: Record<string, unknown>; body: Buffer }) | null
}

/** A proxy that reads HTTP on its way to `target`, as filters and portals do. */
export async function openFilterProxy(target: string): Promise<FilterProxy> {
  const to = new URL(target)
  const proxy: FilterProxy = { url: '', paths: [], filter: null, alter: null }
  const server = createServer((given, response) => {
    const incoming = given as IncomingMessage & { url: string }
    proxy.paths.push(incoming.url.split('?')[0]!)
    if (proxy.filter?.(incoming, response)) return void incoming.resume()
    const forward = request(
      { host: to.hostname, port: to.port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (reply) => {
        if (!proxy.alter) return void reply.pipe(response.writeHead(reply.statusCode ?? 502, reply.headers))
        const chunks: Buffer[] = []
        reply.on('data', (chunk: Buffer) => chunks.push(chunk))
        reply.on('end', () => {
          const altered = proxy.alter!(incoming.url, { ...reply.headers }, Buffer.concat(chunks))
          response.writeHead(reply.statusCode ?? 502, altered.headers as Record<string, string>).end(altered.body)
        })
      },
    )
    forward.on('error', () => response.destroy())
    incoming.pipe(forward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  proxy.url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return proxy
}

export const blockPage = (response: ServerResponse, status = 200): true => {
  response.writeHead(status, { 'content-type': 'text/html' }).end('<html><body>File type blocked by policy</body></html>'.padEnd(4_000))
  return true
}
