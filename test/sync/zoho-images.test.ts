import { createHash } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { GRANTED_SCOPES } from '../../src/zoho-simulator/scopes.ts'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

interface Image {
  id: string
  sha256: string
  is_primary: boolean
  filename: string
  image_source: { kind: string; document_id?: string }
}
let zinc: TestZinc
let items: { item_id: string; image_document_id: string }[]
beforeAll(async () => {
  const held = await openZinc({ scopes: [...GRANTED_SCOPES, 'ZohoInventory.items.UPDATE'] })
  zinc = held
  await zinc.sync('?sync_images=true')
  items = zinc.zoho.items().filter((it) => it.image_document_id !== '')
  return held.end
})
const gallery = async (itemId: string) =>
  ((await (await zinc.call(`/api/products/zoho:${itemId}/images`)).json()) as { data: Image[] }).data
async function fetchGallery(body: object = {}) {
  const reply = await zinc.call('/api/media/gallery/fetch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { run_id } = (await reply.json()) as { run_id: string }
  const run = await zinc.services.runs.wait(run_id, AbortSignal.timeout(60_000))
  return { state: run.state, ...(run.statistics as Record<string, number>) }
}
const document = (n: number) => ({ document_id: `46000000009900000${n}`, file_name: `side ${n}.jpg`, image_seed: 9_000 + n })

test('further pictures come once, in order, with their calls stated, and go when Zoho removes them', async () => {
  const [a, b] = [items[0]!, items[1]!]
  zinc.zoho.edit(a.item_id, { gallery: [document(1), document(2)] })
  zinc.zoho.edit(b.item_id, { gallery: [document(3), { document_id: '460000000099000009', file_name: 'manual.pdf', image_seed: 1 }] })
  const plan = (await (await zinc.call('/api/media/gallery/plan')).json()) as { data: object }
  expect(plan.data).toEqual({ items: items.length, detail_calls: 1, stored: 0 })
  const before = { ...zinc.zoho.counters }
  expect(await fetchGallery({ dry_run: true })).toMatchObject({ state: 'success', found: 3, downloaded: 3 })
  expect([zinc.zoho.counters.details - before.details, zinc.zoho.counters.images - before.images]).toEqual([1, 0])
  expect(await fetchGallery()).toMatchObject({ state: 'success', downloaded: 3, failed: 0 })
  expect([zinc.zoho.counters.details - before.details, zinc.zoho.counters.images - before.images]).toEqual([2, 3])
  expect((await gallery(a.item_id)).map((it) => [it.filename, it.is_primary])).toEqual([
    [expect.any(String), true],
    ['side 1.jpg', false],
    ['side 2.jpg', false],
  ])
  expect(await fetchGallery()).toMatchObject({ downloaded: 0, removed: 0 })
  // The item sync knows nothing of them and leaves them alone.
  await zinc.sync('?sync_images=true&mode=full')
  expect(await gallery(a.item_id)).toHaveLength(3)
  zinc.zoho.edit(a.item_id, { gallery: [document(2)] })
  expect(await fetchGallery()).toMatchObject({ downloaded: 0, removed: 1 })
  expect((await gallery(a.item_id)).map((it) => it.filename).slice(1)).toEqual(['side 2.jpg'])
})

test('further images stay while their list is absent or one of its entries cannot be read', async () => {
  const [item, other] = [items[4]!, items[5]!]
  zinc.zoho.edit(item.item_id, { gallery: [document(5), document(6)] })
  zinc.zoho.edit(other.item_id, { gallery: [document(7)] })
  expect(await fetchGallery()).toMatchObject({ downloaded: 3 })
  const before = await gallery(item.item_id)
  // An upload that is under way: the entry has no id yet. The readable new one beside it comes all
  // the same.
  zinc.zoho.edit(item.item_id, { gallery: [document(8), { document_id: '', file_name: 'uploading', image_seed: 1 }] })
  expect(await fetchGallery()).toMatchObject({ state: 'partial', removed: 0, unreadable: 1, downloaded: 1 })
  expect((await gallery(item.item_id)).map((it) => it.id)).toEqual(expect.arrayContaining(before.map((it) => it.id)))
  zinc.zoho.toggles.detailDocuments = 'absent'
  expect(await fetchGallery()).toMatchObject({ state: 'success', removed: 0, without_list: items.length })
  zinc.zoho.toggles.detailDocuments = 'list'
  expect(await gallery(other.item_id)).toHaveLength(2)
  zinc.zoho.edit(item.item_id, { gallery: [document(8)] })
  expect(await fetchGallery()).toMatchObject({ state: 'success', removed: 2 })
})

test('our own picture goes to Zoho when asked, first dry, and does not come back as an echo', async () => {
  const item = items[3]!
  const path = `/api/products/zoho:${item.item_id}/images`
  const send = async (query = '') => {
    const reply = await zinc.call(`${path}/send-to-zoho${query}`, { method: 'POST' })
    return { ...((await reply.json()) as { code?: string; data?: Record<string, unknown> }), status: reply.status }
  }
  expect(await send()).toMatchObject({ status: 409, code: 'image_from_zoho' })
  const bytes = await drawnImage('jpeg')
  await zinc.call(`${path}/upload`, { method: 'POST', body: imageForm([bytes], { is_primary: 'true' }) })
  const images = zinc.zoho.counters.images
  expect(await send('?dry_run=true')).toMatchObject({ status: 200, data: { sent: false, calls: 2, size: bytes.length } })
  expect(zinc.zoho.counters.images).toBe(images)
  const sent = await send()
  expect(sent).toMatchObject({ status: 200, data: { sent: true } })
  expect(zinc.zoho.items().find((it) => it.item_id === item.item_id)?.image_document_id).toBe(sent.data?.document_id)
  expect((await gallery(item.item_id)).map((it) => it.sha256)).toEqual([createHash('sha256').update(bytes).digest('hex')])
  const fetched = () => zinc.zoho.counters.perImage.get(item.item_id)
  const after = fetched()
  expect(await zinc.sync('?sync_images=true')).toMatchObject({ status: 'success' })
  expect([fetched(), (await gallery(item.item_id)).length]).toEqual([after, 1])
})

test('further images are recognised by their bytes; documents are skipped, other formats reported', async () => {
  const item = items[2]!
  const names = ['IMG_1.jfif', 'model v1.25', 'front view', 'x.heic', 'manual.pdf', 'Offer.DOCX ', 'turn.mp4', 'all.zip']
  zinc.zoho.edit(item.item_id, {
    gallery: names.map((file_name, n) => ({ document_id: `46000000009980000${n}`, file_name, image_seed: 9_100 + n })),
  })
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(200)])
  zinc.zoho.fail({ path: /documents\/460000000099800003/, status: 200, body: heic, times: 10 })
  try {
    expect(await fetchGallery()).toMatchObject({ state: 'partial', downloaded: 3, failed: 1 })
  } finally {
    zinc.zoho.clearFaults()
  }
  expect((await gallery(item.item_id)).map((it) => it.filename).slice(1)).toEqual(names.slice(0, 3))
  const failures = await zinc.services.db.failure.findMany({ where: { zoho_item_id: item.item_id, stage: 'image', resolved_at: null } })
  expect(failures.map((it) => it.code)).toEqual(['unsupported_format'])
})
