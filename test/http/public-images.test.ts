import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

interface Shown {
  data: { id: string; zoho_item_id: string; image_url: string; images: { sha256: string }[] }[]
}
const sha256 = async (response: Response) =>
  createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex')

test('with PUBLIC_IMAGES a picture has an address open to anybody that outlives its format and version', async () => {
  const { call, url, services } = await startZinc({ synced: true, environment: { PUBLIC_IMAGES: '1' } })
  const { data } = (await (await call('/api/products?has_image=true&status=active&limit=2')).json()) as Shown
  const [product, other] = data
  const address = `${url}/images/${product!.zoho_item_id}.jpg`
  const version = product!.images[0]!.sha256.slice(0, 16)
  expect(product!.image_url).toBe(`${address}?v=${version}`)

  const present = await fetch(product!.image_url)
  expect([present.status, present.headers.get('cache-control'), await sha256(present)]).toEqual([
    200,
    'public, max-age=31536000, immutable',
    product!.images[0]!.sha256,
  ])
  for (const kept of [address, `${address}?v=0123456789abcdef`, address.replace('.jpg', '.png')]) {
    const response = await fetch(kept)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
    expect(await sha256(response)).toBe(product!.images[0]!.sha256)
    expect((await fetch(kept, { headers: { 'if-none-match': response.headers.get('etag')! } })).status).toBe(304)
  }
  expect((await fetch(`${address}?variant=thumb`, { headers: { accept: 'image/webp' } })).headers.get('content-type')).toBe('image/webp')

  const { db } = services
  await db.product.update({ where: { id: product!.id }, data: { status: 'inactive' } })
  await db.product.update({ where: { id: other!.id }, data: { deleted_at: new Date() } })
  for (const { zoho_item_id, id } of [product!, other!])
    for (const name of [zoho_item_id, id]) expect((await fetch(`${url}/images/${name}.jpg`)).status).toBe(404)
})

test('without PUBLIC_IMAGES that address needs a login, and no cache may give it to others', async () => {
  const { call, url } = await startZinc({ synced: true })
  const { data } = (await (await call('/api/products?has_image=true&limit=1')).json()) as Shown
  const path = `/images/${data[0]!.zoho_item_id}.jpg`
  expect((await fetch(`${url}${path}`)).status).toBe(401)
  const response = await call(path)
  expect(await sha256(response)).toBe(data[0]!.images[0]!.sha256)
  expect(response.headers.get('cache-control')).toBe('private, no-cache')
  expect(response.headers.get('vary')).toContain('Authorization')
})
