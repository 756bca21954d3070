import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import tls from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createUrlFetcher, fetchImageUrl } from '../../src/images/fetch/fetch-url.ts'
import { selfSigned } from '../helpers/certificate.ts'

const HOST = 'shop.example'
const signal = AbortSignal.timeout(110_000)

async function listening(server: ReturnType<typeof createHttp>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const served = (certificate: { cert: string; key: string }, response: RequestListener) => listening(createHttps(certificate, response))

/**
 * What zinc gets from an address of the host, while this process trusts these certificates besides
 * the public authorities.
 */
async function fetcherTrusting(certs: string[]) {
  const before = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...before, ...certs])
  onTestFinished(() => tls.setDefaultCACertificates(before))
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const fetcher = createUrlFetcher({ allowlist: [HOST, '127.0.0.1'], maxBytes: 1_000_000, resolve })
  onTestFinished(() => fetcher[Symbol.asyncDispose]())
  return (url: string) =>
    fetchImageUrl(fetcher, url, signal).then(
      async ({ body }) => String(await buffer(body)),
      (error: { code: string }) => error.code,
    )
}

test('a redirect from https to https is followed, and one to http is refused without asking there', async () => {
  const certificate = selfSigned(HOST)
  const hits: string[] = []
  const plain = await listening(
    createHttp((request, reply) => {
      hits.push(request.url ?? '')
      reply.end('picture')
    }),
  )
  const secure = await served(certificate, (request, reply) => {
    const to = new URL(request.url ?? '/', 'https://x').searchParams.get('to')
    if (to === null) return reply.end('picture')
    return reply.writeHead(302, { location: to }).end()
  })
  const fetched = await fetcherTrusting([certificate.cert])
  const at = `https://${HOST}:${secure}`
  const via = (...hops: string[]) => hops.reduceRight((to, hop) => `${hop}/?to=${encodeURIComponent(to)}`)
  expect(await fetched(`${at}/a`)).toBe('picture')
  expect(await fetched(via(at, `${at}/a`))).toBe('picture')
  expect(await fetched(`http://${HOST}:${plain}/asked-for-itself`)).toBe('picture')
  expect(await fetched(via(at, `http://${HOST}:${plain}/a`))).toBe('image_url_blocked')
  expect(await fetched(via(at, at, `http://127.0.0.1:${plain}/a`))).toBe('image_url_blocked')
  expect(hits).toEqual(['/asked-for-itself'])
})

test('a certificate that nobody vouches for, of another host or out of date gives no picture', async () => {
  const past = { from: new Date(Date.now() - 9 * 86_400_000), until: new Date(Date.now() - 86_400_000) }
  const strange = selfSigned(HOST)
  const known = [selfSigned('other.example'), selfSigned(HOST, past), selfSigned(HOST)]
  const hits: string[] = []
  const response: RequestListener = (request, reply) => {
    hits.push(request.url ?? '')
    reply.end('picture')
  }
  const ports = await Promise.all([strange, ...known].map((it) => served(it, response)))
  const fetched = await fetcherTrusting(known.map((it) => it.cert))
  const responses = await Promise.all(ports.map((port, n) => fetched(`https://${HOST}:${port}/${n}`)))
  expect(responses).toEqual(['image_url_failed', 'image_url_failed', 'image_url_failed', 'picture'])
  expect(hits).toEqual(['/3'])
})
