import { expect } from 'vitest'
import { parseRateLimit } from '../../src/schemas/rate-limit.ts'
import { edgeFolder, puller } from '../helpers/edge-folder.ts'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

longTest('a limit that head office sets for a store holds for its edge server, by the lower of both', async () => {
  const shop = await startShop()
  const store = await shop.addStore()
  const send = (body: object) => shop.send('PATCH', `/api/v1/stores/${store.id}`, body)
  expect(await send({ rate_limit: 'fast' })).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect((await send({ rate_limit: '08:00,1k 07:59,0' })).body.data).toMatchObject({ rate_limit: '08:00,1k 07:59,0' })
  const { photos } = await store.list()
  const bytes = photos.reduce((sum, photo) => sum + photo.size, 0)
  // So that what there is takes two seconds.
  const rate = Math.ceil(bytes / 2)
  await send({ rate_limit: String(rate) })
  const seconds = async (limit: string) => {
    const began = performance.now()
    const dir = await edgeFolder()
    expect(await puller(store, shop.url, dir)({ rateLimit: parseRateLimit(limit) })).toMatchObject({ failed: [], fetched: photos.length })
    return (performance.now() - began) / 1_000
  }
  expect(await seconds(String(rate * 100))).toBeGreaterThan(1.5)
  await send({ rate_limit: null })
  expect(await seconds(String(rate))).toBeGreaterThan(1.5)
})
