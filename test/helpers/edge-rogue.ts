import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'
import { createPeerVerifier } from '../../src/edge-client/peer-auth.ts'

export interface RogueOptions {
  /** Its address; each rogue needs one of its own. */
  host: string
  /** What it sends for a content; null: it holds nothing, and fetches nothing either. */
  blob(sha256: string): Buffer | null
  /** Answers with a page that head office did not sign. */
  forgesLists?: boolean
}

/** A peer that knows the key and answers as it likes. Returns `host:port`. */
export async function openRogue(key: string, { host, blob, forgesLists = false }: RogueOptions): Promise<string> {
  const verifier = createPeerVerifier({ key: () => key })
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const chunk of request) parts.push(chunk)
    const body = Buffer.concat(parts).toString()
    const { method = '', url = '' } = request
    const peer = verifier.verify(request.headers.authorization, { method, path: url, body })
    if (!peer) {
      response.writeHead(401, { 'www-authenticate': verifier.challenge() }).end()
      return
    }
    const respond = (status: number, content: Buffer | object, headers = {}) =>
      response
        .writeHead(status, { ...headers, 'x-peer-proof': peer.proof(status) })
        .end(Buffer.isBuffer(content) ? content : JSON.stringify(content))
    if (url.includes('/hello')) respond(200, { id: `rogue-${host.replaceAll('.', '-')}`, scope: 'default' })
    else if (url.includes('/have')) {
      const { sha256 } = JSON.parse(body) as { sha256: string[] }
      respond(200, { held: sha256.flatMap((one, n) => (blob(one) ? n : [])), line_bytes: 1, scope: 'default' })
    } else if (url.includes('/lists')) {
      const page = { status: 'success', data: { photos: [], total: 0, has_more: false, next_cursor: 'x' } }
      if (forgesLists) respond(200, page, { 'x-list-signature': 'forged' })
      else respond(404, { expected: false })
    } else {
      const bytes = blob(url.slice(-64))
      if (bytes) respond(200, bytes)
      else respond(404, {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `${host}:${typeof address === 'object' && address ? address.port : 0}`
}
