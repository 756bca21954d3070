import { beforeAll, expect, test } from 'vitest'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'
import { rawZipOf, zipOf } from '../helpers/zip.ts'

interface Plan {
  id: string
  matched: { name: string; sku: string; is_primary: boolean }[]
  ambiguous: { name: string; code: string }[]
  unmatched: { name: string }[]
  unreadable: { name: string; code: string }[]
}

let zinc: TestZinc
let image: Buffer
const PRODUCTS = ['أ-100', 'ب-200', 'ROW-9', 'Ab-77', 'AB 77', 'CD 12', 'فأرة', 'ÉTÉ', 'FRONT', 'HAS-ONE', 'ZERO-1']
beforeAll(async () => {
  const held = await openZinc({ items: [] })
  zinc = held
  image = await drawnImage()
  await zinc.services.db.product.createMany({ data: PRODUCTS.map((sku) => ({ name: sku, sku })) })
  return held.end
})

async function preview(zip: Buffer): Promise<Plan> {
  const reply = await zinc.call('/api/products/images/import/preview', { method: 'POST', body: imageForm([zip]) })
  const body = (await reply.json()) as { data: Plan; code?: string }
  if (reply.status !== 201) throw new Error(`${reply.status} ${body.code}`)
  return body.data
}
const rawZip = (...names: Buffer[]) => rawZipOf(names.map((name) => ({ name, bytes: image })))
const arabic = (bytes: number[], rest: string) => Buffer.concat([Buffer.from(bytes), Buffer.from(rest)])

test.each([
  ['UTF-8 without its mark', Buffer.from('أ-100/1.png'), 'أ-100/1.png', 'أ-100'],
  ['UTF-8 without its mark, accents apart', Buffer.from('أ-100/1.png'.normalize('NFD')), 'أ-100/1.png'.normalize('NFD'), 'أ-100'],
  ['code page 1256', arabic([0xc3], '-100/1.png'), 'أ-100/1.png', 'أ-100'],
  ['code page 720', arabic([0x9a], '-100/1.png'), 'أ-100/1.png', 'أ-100'],
  ['code page 1256, a whole word', arabic([0xdd, 0xc3, 0xd1, 0xc9], '.png'), 'فأرة.png', 'فأرة'],
  ['code page 720, backslashes', arabic([0xa0], '-200\\1.png'), 'ب-200/1.png', 'ب-200'],
  ['code page 437', arabic([0x90, 0x54, 0x90], '/1.png'), 'ÉTÉ/1.png', 'ÉTÉ'],
])('a name in a ZIP in %s finds its product', async (_, names, name, sku) => {
  const { matched, unmatched } = await preview(rawZip(names))
  expect([matched.map((it) => [it.name, it.sku]), unmatched]).toEqual([[[name, sku]], []])
})

test('an Arabic name that no product has is shown in Arabic letters', async () => {
  const { unmatched } = await preview(rawZip(arabic([0xdd, 0xc3, 0xd1], '/1.png'), arabic([0xac, 0xe1], '/1.png')))
  expect(unmatched.map((it) => it.name)).toEqual(['فأر/1.png', 'شط/1.png'])
})

test('a ZIP with bytes before or behind it is read, and one that is cut is not', async () => {
  const zip = await zipOf({ 'ROW-9/1.png': image })
  const raw = rawZip(Buffer.from('ROW-9/1.png'))
  const stub = Buffer.from('MZ this program unpacks itself PK\x05\x06 or not')
  for (const bytes of [
    Buffer.concat([zip, Buffer.from('\r\n')]),
    Buffer.concat([raw, Buffer.alloc(200_000, 10)]),
    Buffer.concat([stub, zip]),
    Buffer.concat([stub, raw, Buffer.from('\n')]),
  ]) {
    const plan = await preview(bytes)
    expect(plan.matched.map((it) => it.sku)).toEqual(['ROW-9'])
    expect(plan.unreadable).toEqual([])
  }
  const { matched } = await preview(Buffer.concat([stub, zip, Buffer.from('\r\n')]))
  expect(matched).toHaveLength(1)
  await expect(preview(Buffer.concat([zip.subarray(0, -23), Buffer.from('\r\n')]))).rejects.toThrow('400 not_a_zip')
  await expect(preview(Buffer.concat([stub, rawZip(Buffer.from('../evil.png'))]))).rejects.toThrow('400 unsafe_path')
})

test('a SKU is found without regard to case, blanks and invisible marks when exactly one product fits', async () => {
  const plan = await preview(
    await zipOf({
      'row-9/a.png': image,
      'cd12/a.png': image,
      ' Cd\u200f 12 .png': image,
      'AB77/a.png': image,
      'Ab-77/a.png': image,
      'row9/a.png': image,
    }),
  )
  expect(plan.matched.map((it) => [it.name, it.sku]).sort()).toEqual(
    [
      ['row-9/a.png', 'ROW-9'],
      ['cd12/a.png', 'CD 12'],
      [' Cd\u200f 12 .png', 'CD 12'],
      ['AB77/a.png', 'AB 77'],
      ['Ab-77/a.png', 'Ab-77'],
    ].sort(),
  )
  expect(plan.unmatched.map((it) => it.name)).toEqual(['row9/a.png'])
  // Two that differ in case alone: to the letter is right, anything else fits both.
  await zinc.services.db.product.create({ data: { name: 'twin', sku: 'row-9' } })
  const twins = await preview(await zipOf({ 'ROW-9/a.png': image, 'Row-9/a.png': image }))
  expect([twins.matched.map((it) => it.sku), twins.ambiguous]).toEqual([
    ['ROW-9'],
    [expect.objectContaining({ name: 'Row-9/a.png', code: 'ambiguous_sku' })],
  ])
})

test('the front comes first: front, main, number 1, then as the files lie in the ZIP; the preview shows it', async () => {
  const different = await Promise.all(Array.from({ length: 6 }, () => drawnImage()))
  const order = ['z.png', '10.png', 'photo_1.png', 'FRONT/Main view.png', 'b-front.PNG', 'frontier.png']
  const zip = await zipOf(Object.fromEntries(order.map((name, n) => [name.startsWith('FRONT/') ? name : `FRONT/${name}`, different[n]!])))
  const plan = await preview(zip)
  const sorted = ['b-front.PNG', 'Main view.png', 'photo_1.png', 'z.png', '10.png', 'frontier.png']
  expect(plan.matched.map((it) => [it.name, it.is_primary])).toEqual(sorted.map((name, n) => [`FRONT/${name}`, n === 0]))
  const reply = await zinc.call(`/api/products/images/import/${plan.id}`, { method: 'POST' })
  await zinc.services.runs.wait(((await reply.json()) as { run_id: string }).run_id, AbortSignal.timeout(60_000))
  const { data } = (await (await zinc.call('/api/products/sku:FRONT')).json()) as {
    data: { images: { filename: string; is_primary: boolean }[] }
  }
  expect(data.images.map((it) => [it.filename, it.is_primary])).toEqual(sorted.map((name, n) => [name, n === 0]))
  // A product that has a picture keeps it as its main one.
  expect((await preview(await zipOf({ 'FRONT/front.png': image }))).matched.map((it) => it.is_primary)).toEqual([false])
  // What is no picture is first of nothing.
  const mixed = await preview(await zipOf({ 'HAS-ONE/front.png': Buffer.from('<html>'), 'HAS-ONE/x.png': image }))
  expect([mixed.matched.map((it) => [it.name, it.is_primary]), mixed.unreadable.length]).toEqual([[['HAS-ONE/x.png', true]], 1])
})
