import { beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import type { MediaImage, MediaImagesResponse } from '../../src/schemas/media.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

type Page = z.infer<typeof MediaImagesResponse>
let zinc: TestZinc
let all: MediaImage[]

const list = async (query = '') => (await (await zinc.call(`/api/media/images?${query}`)).json()) as Page
const ids = async (query: string) => (await list(`limit=200&${query}`)).data.map(({ id }) => id)
const send = async (path: string, body: object) => {
  const response = await zinc.call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as { status: string; data: { id: string; status: string }[] } }
}

beforeAll(async () => {
  const held = await openZinc({ synced: true })
  zinc = held
  const products = (await list('limit=200')).data.map(({ product }) => product.id)
  // Two products with the same bytes, uploaded last.
  const image = await drawnImage()
  for (const id of products.slice(0, 2))
    await zinc.call(`/api/products/${id}/images/upload`, { method: 'POST', body: imageForm([image], {}, 'twin.png') })
  all = (await list('limit=200')).data
  return held.end
})

test('the library has each image once over its pages, the newest first, with its product', async () => {
  const seen: MediaImage[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await list(`limit=7${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.data)
    cursor = page.next_cursor
  }
  expect(seen.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  expect(new Set(seen.map(({ id }) => id)).size).toBe(22)
  expect((await list('total=true&limit=1')).total).toBe(22)
  expect(seen.slice(0, 2).map(({ filename }) => filename)).toEqual(['twin.png', 'twin.png'])
  const { url, product } = seen[1]!
  expect((await zinc.call(new URL(url!).pathname)).status).toBe(200)
  expect((await zinc.call(`/api/products/${product.id}`)).status).toBe(200)
})

test('its filters find what they name', async () => {
  const { db } = zinc.services
  const is = (wanted: (image: MediaImage) => boolean) => all.filter(wanted).map(({ id }) => id)
  await db.blob.update({ where: { sha256: all[5]!.sha256 }, data: { damaged: true } })
  expect(await ids('damaged=true')).toEqual(is(({ sha256 }) => sha256 === all[5]!.sha256))
  expect(await ids('source=upload')).toEqual(is(({ image_source }) => image_source.kind === 'upload'))
  expect(await ids('duplicates=true')).toEqual(is(({ filename }) => filename === 'twin.png'))
  const side = Math.max(all[0]!.width, all[0]!.height)
  expect(await ids(`max_side=${side}`)).toEqual(is(({ width, height }) => Math.max(width, height) <= side))
  const { size } = [...all].sort((a, b) => b.size - a.size)[3]!
  expect(await ids(`min_bytes=${size}`)).toEqual(is((image) => image.size >= size))
  // Bytes that another product still shows are used.
  await send('/api/products/images/delete', { ids: [all[0]!.id, all[4]!.id] })
  expect(await ids('unused=true')).toEqual([all[4]!.id])
  await send('/api/products/images/restore', { ids: [all[0]!.id, all[4]!.id] })
  expect(await ids('unused=true')).toEqual([])
  for (const query of ['source=fax', 'cursor=x', 'limit=0', 'damaged=perhaps'])
    expect((await zinc.call(`/api/media/images?${query}`)).status, query).toBe(400)
})

test('many alt texts are set at once, or filled from names where there is none; a failure stays alone', async () => {
  const [a, b, c] = all.filter(({ product }) => product.name_ar !== null) as [MediaImage, MediaImage, MediaImage]
  const nobody = '00000000-0000-4000-8000-000000000000'
  const set = await send('/api/products/images/alt-text', { ids: [a.id, nobody], alt_en: 'By hand' })
  expect([set.status, set.body.status, set.body.data.map(({ status }) => status)]).toEqual([200, 'partial', ['done', 'failed']])
  const filled = await send('/api/products/images/alt-text', { ids: [a.id, b.id], from_product_name: true })
  expect(filled.body.status).toBe('success')
  const after = new Map((await list('limit=200')).data.map((image) => [image.id, image]))
  expect(after.get(a.id)).toMatchObject({ alt_en: 'By hand', alt_ar: a.product.name_ar, version: a.version })
  expect(after.get(b.id)).toMatchObject({ alt_en: b.product.name_en, alt_ar: b.product.name_ar })
  expect(await ids('without_alt=true')).not.toContain(b.id)
  expect(await ids('without_alt=true')).toContain(c.id)
  for (const body of [{ ids: [a.id] }, { ids: [a.id], alt_en: 'x', from_product_name: true }, { ids: [], alt_en: 'x' }])
    expect((await send('/api/products/images/alt-text', body)).status).toBe(400)
})
