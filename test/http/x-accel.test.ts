import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { startShop } from '../helpers/test-shop.ts'

longTest('with X_ACCEL a proxy is told the file after every check; ranges and 304 are answered here', async () => {
  const shop = await startShop({ environment: { X_ACCEL: '1' } })
  const store = await shop.addStore()
  const [photo, next] = (await store.list()).photos
  const whole = await store.download(photo!.id)
  const place = whole.headers.get('x-accel-redirect')!
  expect(await whole.text()).toBe('')
  expect(place).toMatch(/^\/_zinc_files\/originals\//)
  expect(existsSync(join(shop.dataDir, 'images', place.replace('/_zinc_files/', '')))).toBe(true)
  expect([whole.headers.get('x-checksum'), whole.headers.get('etag'), whole.headers.get('content-type')]).toEqual([
    photo!.checksum,
    `"${photo!.sha256}"`,
    photo!.content_type,
  ])
  const part = await store.download(photo!.id, '', { headers: { range: 'bytes=0-9', 'if-range': `"${photo!.sha256}"` } })
  expect([part.status, part.headers.get('x-accel-redirect'), (await part.arrayBuffer()).byteLength]).toEqual([206, null, 10])
  const matched = await store.download(photo!.id, '', { headers: { 'if-match': `"${photo!.sha256}"` } })
  expect([matched.status, matched.headers.get('x-accel-redirect'), (await matched.arrayBuffer()).byteLength]).toEqual([
    200,
    null,
    photo!.size,
  ])
  const same = await store.download(photo!.id, '', { headers: { 'if-none-match': `"${photo!.sha256}"` } })
  expect([same.status, same.headers.get('x-accel-redirect')]).toEqual([304, null])
  await rm(shop.services.store.localPath('originals', next!.sha256)!)
  const lost = await store.download(next!.id)
  expect([lost.status, lost.headers.get('x-accel-redirect')]).toEqual([404, null])
  const other = await shop.addStore()
  const foreign = await other.fetch(`/${photo!.id}/download/?store_id=${store.id}`)
  expect([foreign.status, foreign.headers.get('x-accel-redirect')]).toEqual([403, null])
})
