import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { addBlobs, addProducts } from '../helpers/feed-rows.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const opened = await openZinc()
  zinc = opened
  return opened.end
})

interface Answer {
  status: number
  body: {
    code: string
    detail: Record<string, unknown>
    data: { id: string; assortment: { skus?: string[]; categories?: string[] } | null }
    warnings?: { code: string; parameter: string; unknown: string[] }[]
  }
}
async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await zinc.call(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}
const total = async (id: string) =>
  ((await (await zinc.call(`/api/v1/sync/product-photos/?store_id=${id}`)).json()) as { data: { total: number } }).data.total

let filled = false
async function fill(): Promise<pg.Client> {
  const client = await connect(zinc.environment.DATABASE_URL!)
  if (!filled) {
    await addBlobs(client, 600)
    await addProducts(client, 600, { blobs: 600 })
  }
  filled = true
  return client
}

test('an assortment matches SKUs without case, blanks and invisible marks, and names unknown ones', async () => {
  const client = await fill()
  await client.query(`update product set sku = 'Ab-77' where sku = 'P7'`)
  await client.query(`update product set sku = 'AB-78' where sku = 'P8'`)
  await client.query(`update product set sku = 'ab-78' where sku = 'P9'`)
  await client.query(`update product set sku = 'Café 1' where sku = 'P10'`)
  await client.query(`update product set category = 'Home Goods' where sku in ('P21', 'P22')`)
  const given = ['p1', ' P2 ', '\u200fP3\u200e', 'P 4', 'P5', 'p5', 'AB-77', 'Ab-78', 'Cafe\u0301 1', 'no such', '  ']
  const made = await send('POST', '/api/v1/stores', {
    code: 'M1',
    name: 'M',
    assortment: { skus: given, categories: ['home goods ', 'None'] },
  })
  expect(made.status).toBe(201)
  expect(made.body.data.assortment).toEqual({
    skus: ['P1', 'P2', 'P3', 'P4', 'P5', 'Ab-77', 'Ab-78', 'Café 1', 'no such'],
    categories: ['Home Goods', 'None'],
  })
  expect(made.body.warnings).toEqual([
    {
      code: 'unknown_skus',
      parameter: 'assortment.skus',
      message: expect.stringContaining('Ab-78, no such'),
      unknown: ['Ab-78', 'no such'],
    },
    { code: 'unknown_categories', parameter: 'assortment.categories', message: expect.stringContaining('None'), unknown: ['None'] },
  ])
  expect(await total(made.body.data.id)).toBe(7 + 2)

  // Sent again as it was first written it is no change, and without unknown ones there is no
  // warning.
  const again = await send('PATCH', `/api/v1/stores/${made.body.data.id}`, {
    assortment: { skus: given, categories: ['HOME GOODS', 'None'] },
  })
  expect(again.body.data).toEqual(made.body.data)
  const known = await send('PATCH', `/api/v1/stores/${made.body.data.id}`, { assortment: { skus: ['p1'] } })
  expect([known.body.data.assortment, known.body.warnings]).toEqual([{ skus: ['P1'] }, undefined])

  // A list of nothing but blanks is no list: it would take every picture.
  const blank = await send('PATCH', `/api/v1/stores/${made.body.data.id}`, { assortment: { skus: [' ', '\u200b'] } })
  expect([blank.status, blank.body.code]).toEqual([400, 'bad_request'])
  expect(await total(made.body.data.id)).toBe(1)
})

test('an assortment that removes over a fifth and over 100 of a store’s photos needs a confirmation', async () => {
  await fill()
  const skus = Array.from({ length: 600 }, (_, n) => `P${n + 1}`).filter((sku) => !['P7', 'P8', 'P9', 'P10'].includes(sku))
  const { id } = (await send('POST', '/api/v1/stores', { code: 'B1', name: 'B', assortment: { skus: skus.slice(0, 550) } })).body.data
  const path = `/api/v1/stores/${id}`
  expect(await total(id)).toBe(550)

  const [before] = [(await send('GET', path)).body.data]
  for (const assortment of [
    { skus: skus.slice(0, 400) },
    { skus: ['p1'] },
    { skus: [] },
    { skus: skus.slice(0, 550), in_stock: true },
    { categories: ['C1'] },
  ]) {
    const refused = await send('PATCH', path, { assortment, name: 'not taken' })
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      409,
      'mass_delete_stopped',
      { removed: expect.any(Number), images: 550, remedy: expect.stringContaining('?confirm_removals=true') },
    ])
  }
  expect((await send('GET', path)).body.data).toEqual(before)
  expect(await total(id)).toBe(550)

  // 110 of 550 are a fifth and no more; 100 of 440 more than a fifth, but no more than a hundred.
  for (const [left, status] of [
    [440, 200],
    [340, 200],
    [220, 409],
  ] as const)
    expect([left, (await send('PATCH', path, { assortment: { skus: skus.slice(0, left) } })).status]).toEqual([left, status])
  expect((await send('PATCH', `${path}?confirm_removals=true`, { assortment: { skus: skus.slice(0, 220) } })).status).toBe(200)
  expect(await total(id)).toBe(220)
  // To sell more, or everything, takes nothing.
  expect((await send('PATCH', path, { assortment: null })).status).toBe(200)
  // From everything to a few is a mass removal as well.
  expect((await send('PATCH', path, { assortment: { skus: ['P1'] } })).body.code).toBe('mass_delete_stopped')
})
