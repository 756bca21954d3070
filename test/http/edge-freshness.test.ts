import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { createTestStore, startShop } from '../helpers/test-shop.ts'

test('an unchanged list is answered 304, and a change is seen immediately on every instance', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  // Both give out the same addresses of pictures, as instances behind one name do.
  const elsewhere = createTestStore(await startSecondInstance(shop, { PUBLIC_URL: shop.url }), store)
  const first = await store.fetch(`/?store_id=${store.id}`)
  const etag = first.headers.get('etag')!
  expect([first.headers.get('cache-control'), first.headers.get('vary')]).toEqual(['private, no-cache', 'Authorization'])
  const again = (where: typeof store) => where.fetch(`/?store_id=${store.id}`, { headers: { 'if-none-match': etag } })
  for (const where of [store, elsewhere]) {
    const response = await again(where)
    // A length that is not the whole answer's would be believed by a cache in between.
    expect([response.status, await response.text(), response.headers.get('content-length')]).toEqual([304, '', null])
  }
  const [photo] = ((await first.json()) as { data: { photos: { id: string; product_id: string }[] } }).data.photos
  await shop.send('DELETE', `/api/products/${photo!.product_id}/images/${photo!.id}`)
  for (const where of [elsewhere, store]) expect((await again(where)).status).toBe(200)
  expect((await elsewhere.download(photo!.id)).status).toBe(410)
})

longTest('a revoked token is refused immediately there, and within a second by other instances', async () => {
  const shop = await startShop({ empty: true })
  const store = await shop.addStore()
  const elsewhere = createTestStore(await startSecondInstance(shop), store)
  const status = async (where: typeof store) => (await where.fetch(`/digest?store_id=${store.id}`)).status
  expect([await status(store), await status(elsewhere)]).toEqual([200, 200])
  await shop.send('DELETE', `/api/v1/stores/${store.id}/tokens/${store.tokenId}`)
  const revoked = performance.now()
  expect(await status(store)).toBe(401)
  await pause(Math.max(0, 1_000 - (performance.now() - revoked)))
  expect(await status(elsewhere)).toBe(401)
})

test('an edge token has a limit of requests of its own, and learns when to come again', async () => {
  const shop = await startShop({ empty: true, environment: { API_REQUESTS_PER_MINUTE: '20' } })
  const store = await shop.addStore()
  const statuses = new Set<number>()
  let last: Response | undefined
  for (let n = 0; n < 230 && !statuses.has(429); n++) {
    last = await store.fetch(`/digest?store_id=${store.id}`)
    await last.arrayBuffer()
    statuses.add(last.status)
  }
  expect([...statuses]).toEqual([200, 429])
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
})

longTest('fifty requests on one kept connection leave nothing behind on it', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const { photos } = await store.list()
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(`${warning.name}: ${warning.message}`)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const sockets = new Set<unknown>()
  const ask = (method: string, path: string, body?: object) =>
    new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${store.token}`, ...(body && { 'content-type': 'application/json' }) }
      const asked = request(`${shop.url}/api/v1/sync/product-photos${path}`, { method, agent, headers }, (response) => {
        sockets.add(response.socket)
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      asked.on('error', reject).end(body && JSON.stringify(body))
    })
  for (let n = 0; n < 50; n++) {
    const photo = photos[n % photos.length]!
    expect(
      n % 3 === 0
        ? await ask('POST', '/archive/', { store_id: store.id, photo_ids: [photo.id] })
        : await ask('GET', n % 3 === 1 ? `/${photo.id}/download/?store_id=${store.id}` : `/?store_id=${store.id}`),
    ).toBe(200)
  }
  await pause(0)
  expect(sockets.size).toBe(1)
  expect(warnings).toEqual([])
})
