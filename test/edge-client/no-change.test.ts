import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pull } from '../../src/edge-client/pull.ts'
import { openRecordingProxy } from '../helpers/recording-proxy.ts'
import { startShop } from '../helpers/test-shop.ts'

const REQUEST_LINE = /^[A-Z]+ \/\S* HTTP\/1\.1\r$/gm
const STATUS_LINE = /^HTTP\/1\.1 \d{3} [^\r\n]*\r$/gm

test('while nothing changes a pull is one request on the wire, answered with a body below 1,024 bytes', async () => {
  const shop = await startShop()
  const dir = await mkdtemp(join(tmpdir(), 'zinc-edge-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const transport = await openRecordingProxy(shop.url)
  onTestFinished(transport.close)
  // With an assortment and without: a store of few pictures must not pay for those that it does not
  // sell.
  for (const body of [{}, { variant: 'thumb', assortment: { in_stock: true } }]) {
    const store = await shop.addStore(body)
    const run = () =>
      pull({
        server: transport.url,
        storeId: store.id,
        token: store.token,
        dir,
        variant: null,
        verify: false,
        signal: new AbortController().signal,
      })
    expect((await run()).failed).toEqual([])
    transport.take()
    for (let n = 0; n < 3; n++) {
      expect(await run()).toMatchObject({ fetched: 0, removed: 0, requests: 1 })
      const { asked, answered } = transport.take()
      expect(asked.match(REQUEST_LINE)).toEqual([expect.stringMatching(/^GET \/api\/v1\/sync\/product-photos\/\?/)])
      expect(answered.match(STATUS_LINE)).toEqual(['HTTP/1.1 200 OK\r'])
      const response = answered.slice(answered.indexOf('\r\n\r\n') + 4)
      expect(JSON.parse(response)).toMatchObject({ status: 'success', data: { photos: [], has_more: false } })
      expect(response.length).toBeLessThan(1_024)
      expect(answered.length - response.length).toBeLessThan(1_500)
    }
    // One change: the list that names it, its bytes or its end, and the report.
    const [photo] = (await store.list()).photos
    await shop.send('DELETE', `/api/products/${photo!.product_id}/images/${photo!.id}`)
    expect(await run()).toMatchObject({ fetched: 0, removed: 1, requests: 2 })
    expect(transport.take().asked.match(REQUEST_LINE)).toHaveLength(2)
  }
})
