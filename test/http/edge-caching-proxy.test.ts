import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { times } from '../helpers/long.ts'
import { createTestStore, startShop } from '../helpers/test-shop.ts'

interface Kept {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** The request's values of what `Vary` names. */
  varied: string[]
}

const valuesOf = (headers: IncomingHttpHeaders, vary: string) =>
  vary
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((name) => name !== '')
    .map((name) => `${name}=${headers[name] ?? ''}`)

/**
 * A shared cache between zinc and the edge servers. It keeps every 200 to a GET that it may, takes
 * an hour for granted when nothing is said, and obeys
 * what it is told to obey: many a proxy was set up to overlook one of the two.
 */
async function openCache(target: string, { cacheControl, vary }: { cacheControl: boolean; vary: boolean }) {
  const kept = new Map<string, Kept[]>()
  let hits = 0
  const server = createServer((asked, reply) => {
    const url = asked.url ?? '/'
    const known = kept
      .get(url)
      ?.find((one) => !vary || valuesOf(asked.headers, String(one.headers.vary ?? '')).join() === one.varied.join())
    if (asked.method === 'GET' && known) {
      hits++
      return void reply.writeHead(known.status, known.headers).end(known.body)
    }
    const onward = request(`${target}${url}`, { method: asked.method, headers: asked.headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (chunk: Buffer) => parts.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(parts)
        const mayKeep = !cacheControl || !/no-store|private|no-cache/.test(response.headers['cache-control'] ?? '')
        if (asked.method === 'GET' && response.statusCode === 200 && mayKeep) {
          const varied = valuesOf(asked.headers, String(response.headers.vary ?? ''))
          kept.set(url, [...(kept.get(url) ?? []), { status: 200, headers: response.headers, body, varied }])
        }
        reply.writeHead(response.statusCode ?? 502, response.headers).end(body)
      })
    })
    asked.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, hits: () => hits }
}

const CACHES = [
  { cacheControl: true, vary: false },
  { cacheControl: true, vary: true },
  { cacheControl: false, vary: true },
]
test.for(CACHES.slice(0, times(1, CACHES.length)))(
  'behind a shared cache that obeys %o, no store gets what another one asked for',
  async (obeys) => {
    const shop = await startShop()
    const [one, other] = [await shop.addStore({ variant: 'thumb' }), await shop.addStore({ variant: 'medium' })]
    const cache = await openCache(shop.url, obeys)
    const [x, y] = [createTestStore(cache.url, one), createTestStore(cache.url, other)]
    const { photos } = await one.list()
    const photo = photos[0]!
    const addresses = [
      `/?store_id=${one.id}`,
      `/?store_id=${one.id}&cursor=${(await one.list('&limit=5')).next_cursor}`,
      `/digest?store_id=${one.id}`,
      `/${photo.id}/download/?store_id=${one.id}`,
      `/${photo.id}/download/?store_id=${one.id}&variant=original`,
    ]
    for (const address of addresses) {
      const mine = await x.fetch(address)
      expect(mine.status).toBe(200)
      const bytes = Buffer.from(await mine.arrayBuffer())
      for (const path of [address, address]) {
        const foreign = await y.fetch(path)
        expect([path, foreign.status]).toEqual([path, 403])
        expect(Buffer.from(await foreign.arrayBuffer()).equals(bytes)).toBe(false)
        const nobody = await fetch(`${cache.url}/api/v1/sync/product-photos${path}`)
        expect(nobody.status).toBe(401)
      }
      // And the one whose it is gets its own again.
      expect(Buffer.from(await (await x.fetch(address)).arrayBuffer()).equals(bytes)).toBe(true)
    }
    // The cache does keep what it may: else this would prove nothing.
    if (!obeys.cacheControl) expect(cache.hits()).toBeGreaterThan(0)

    // Where the cache obeys, a revoked token is refused although its answers were asked for before.
    await shop.send('DELETE', `/api/v1/stores/${one.id}/tokens/${one.tokenId}`)
    if (obeys.cacheControl) for (const address of addresses) expect((await x.fetch(address)).status).toBe(401)
  },
)
