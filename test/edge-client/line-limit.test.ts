import { beforeAll, expect } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { edgeFolder, puller } from '../helpers/edge-folder.ts'
import { type CountedLine, openCountedLine } from '../helpers/edge-network.ts'
import { noisyImage } from '../helpers/images.ts'
import { longTestOnLinux } from '../helpers/long.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

const MINUTE_S = 60

let zinc: TestZinc
let store: TestStore
beforeAll(async () => {
  if (process.env.ZINC_LONG !== '1') return
  const opened = await openZinc({
    // More than a minute at the highest rate.
    items: createSeed({ count: 400, allImages: true }),
    imageOf: noisyImage,
    environment: { ZOHO_REQUESTS_PER_MINUTE: '0' },
    limits: { perMinute: 100_000, perDay: 100_000 } as never,
  })
  zinc = opened
  expect((await zinc.sync('?sync_images=true')).status).toBe('success')
  const send = async (path: string, body: object) => {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    return ((await (await zinc.call(path, init)).json()) as { data: { id: string; token: string } }).data
  }
  const { id } = await send('/api/v1/stores', { code: 'L1', name: 'Limited' })
  const { token, id: tokenId } = await send(`/api/v1/stores/${id}/tokens`, { name: 'test' })
  store = createTestStore(zinc.url, { id, token, tokenId })
  return opened.end
})

const until = (line: CountedLine, bytes: number) => waitFor(async () => (await line.delivered()) >= bytes)

longTestOnLinux.for([50_000, 120_000, 250_000])(
  'over a minute the line carries the limit of %i bytes a second within 5 %%',
  async (rate) => {
    const line = await openCountedLine(zinc.url)
    const stop = new AbortController()
    const pulling = puller(
      store,
      line.url,
      await edgeFolder(),
    )({
      rateLimit: [{ fromMinute: 0, bytesPerSecond: rate }],
      signal: stop.signal,
    })
    const ended = pulling.catch(() => {})
    // What the sockets hold at the beginning is no part of the minute.
    await until(line, Math.max(rate * 10, 1_500_000))
    const began = performance.now()
    const before = await line.delivered()
    await until(line, before + rate * MINUTE_S)
    const measured = (((await line.delivered()) - before) * 1_000) / (performance.now() - began)
    stop.abort()
    await ended
    console.log(JSON.stringify({ rate, measured, ratio: measured / rate }))
    expect(Math.abs(measured / rate - 1)).toBeLessThan(0.05)
  },
)
