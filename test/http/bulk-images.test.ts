import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { beforeAll, expect, test } from 'vitest'
import { drawnImage, imageForm } from '../helpers/images.ts'
import { longTest } from '../helpers/long.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

interface ProductRow {
  id: string
  zoho_item_id: string
  images: { id: string; sha256: string; is_primary: boolean; version: number }[]
}
interface Many {
  status: string
  code?: string
  run_id?: string
  data: { id: string; status: string; code?: string; restore_until?: string }[]
}

let zinc: TestZinc
let products: ProductRow[]
const signal = AbortSignal.timeout(110_000)

beforeAll(async () => {
  const held = await openZinc({ synced: true })
  zinc = held
  products = await read<ProductRow[]>('/api/products?limit=500')
  return held.end
})

const read = async <T>(path: string): Promise<T> => ((await (await zinc.call(path)).json()) as { data: T }).data
const product = (id: string) => read<ProductRow>(`/api/products/${id}`)
const post = async (verb: string, body: unknown) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const reply = await zinc.call(`/api/products/images/${verb}`, init)
  return { status: reply.status, body: (await reply.json()) as Many }
}
const upload = (id: string, image: Buffer) => zinc.call(`/api/products/${id}/images/upload`, { method: 'POST', body: imageForm([image]) })
const inView = async (id: string) => (await readdir(join(zinc.dataDir, 'images', 'item'))).some((file) => file.startsWith(id))

test('many pictures are deleted and restored in one request; failures leave the others alone', async () => {
  const [a, b] = products.filter((it) => it.images.length > 0) as [ProductRow, ProductRow]
  await upload(a.id, await drawnImage())
  const pair = (await product(a.id)).images
  const unknown = randomUUID()
  const ids = [pair[0]!.id, unknown, b.images[0]!.id]
  const disconnected = await post('delete', { ids: [...ids, b.images[0]!.id] })
  expect([disconnected.status, disconnected.body.status]).toEqual([200, 'partial'])
  expect(disconnected.body.data.map((it) => [it.id, it.status, it.code])).toEqual([
    [ids[0], 'done', undefined],
    [unknown, 'failed', 'image_not_found'],
    [ids[2], 'done', undefined],
  ])
  expect(new Date(disconnected.body.data[0]!.restore_until!).getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000)
  expect((await product(a.id)).images.map((it) => [it.id, it.is_primary])).toEqual([[pair[1]!.id, true]])
  expect((await product(b.id)).images).toEqual([])
  expect([await inView(a.zoho_item_id), await inView(b.zoho_item_id)]).toEqual([true, false])
  const noted = await zinc.services.db.auditEntry.findMany({ where: { action: 'image.delete' }, select: { target: true } })
  expect(noted.map((it) => it.target).sort()).toEqual([`product:${a.id}`, `product:${b.id}`].sort())
  expect((await post('delete', { ids })).body.data.map((it) => it.code)).toEqual(Array(3).fill('image_not_found'))

  const back = await post('restore', { ids: [ids[2]!, ids[0]!, pair[1]!.id] })
  expect(back.body.data.map((it) => [it.status, it.code])).toEqual([
    ['done', undefined],
    ['done', undefined],
    ['failed', 'image_not_deleted'],
  ])
  expect((await product(a.id)).images.map((it) => it.is_primary)).toEqual([true, false])
  expect((await product(b.id)).images.map((it) => it.is_primary)).toEqual([true])
  expect(await inView(b.zoho_item_id)).toBe(true)
  for (const wrong of [{ ids: [] }, { ids: ['x'] }, {}, { ids: Array.from({ length: 1_001 }, () => randomUUID()) }])
    expect((await post('delete', wrong)).status).toBe(400)
})

longTest('parallel requests for the same pictures, in any order, all succeed and leave one primary each', async () => {
  const ids = products.flatMap((it) => it.images.map(({ id }) => id))
  // Eight at a time: on a slow machine more would wait so long for a connection that they are
  // refused.
  const atOnce = pLimit(8)
  const work = Array.from({ length: 24 }, (_, n) =>
    atOnce(() => post(n % 2 ? 'restore' : 'delete', { ids: n % 3 ? ids : [...ids].reverse() })),
  )
  expect(new Set((await Promise.all(work)).map((it) => it.status))).toEqual(new Set([200]))
  await post('restore', { ids })
  const { db } = zinc.services
  expect(await db.photo.count({ where: { id: { in: ids }, deleted_at: null } })).toBe(ids.length)
  const primaries = await db.photo.groupBy({ by: ['product_id'], where: { deleted_at: null, is_primary: true }, _count: true })
  expect(primaries.filter((it) => it._count !== 1)).toEqual([])
  expect(primaries.length).toBe(products.filter((it) => it.images.length > 0).length)
})

test('the variants of chosen pictures are made again, and of no others', async () => {
  type Image = ProductRow['images'][number]
  const [a, b, other] = products.flatMap((it) => it.images) as [Image, Image, Image]
  const lose = async (sha256: string) => {
    const rows = await zinc.services.db.variant.findMany({ where: { source_sha256: sha256 } })
    for (const row of rows) await rm(join(zinc.dataDir, 'images', 'variants', row.sha256.slice(0, 2), row.sha256), { force: true })
    return rows.map((it) => it.sha256)
  }
  const lost = [...(await lose(a.sha256)), ...(await lose(other.sha256))]
  const unknown = randomUUID()
  const { status, body } = await post('regenerate', { ids: [a.id, unknown, b.id] })
  expect([status, body.data.map((it) => it.status)]).toEqual([202, ['done', 'failed', 'done']])
  const run = await zinc.services.runs.wait(body.run_id!, signal)
  expect([run.state, run.statistics]).toMatchObject(['success', { checked: 2, made: 4 }])
  const there = await Promise.all(lost.map((it) => zinc.services.store.sizeOf('variants', it)))
  expect(there.map((it) => it !== null)).toEqual([true, true, false, false])
  expect((await post('regenerate', { ids: [unknown] })).status).toBe(404)
})

test('chosen products ask Zoho again, one call each; equal bytes change nothing, replaced ones come', async () => {
  const [a, b, c] = products.filter((it) => it.images.length > 0) as [ProductRow, ProductRow, ProductRow]
  const none = products.find((it) => it.images.length === 0)!
  const before = await product(a.id)
  // Replaced behind the same document, which no list row shows.
  Object.assign(zinc.zoho.items().find((it) => it.item_id === b.zoho_item_id)!, { image_seed: 90_001 })
  const calls = await zinc.services.db.zohoCall.count()
  const { status, body } = await post('refetch', { product_ids: [a.id, none.id, b.id] })
  expect([status, body.data.map((it) => it.code ?? it.status)]).toEqual([202, ['done', 'no_remote_source', 'done']])
  const run = await zinc.services.runs.wait(body.run_id!, signal)
  expect([run.state, run.statistics]).toMatchObject(['success', { images_downloaded: 2 }])
  expect((await zinc.services.db.zohoCall.count()) - calls).toBe(2)
  expect((await product(a.id)).images).toEqual(before.images)
  const replaced = (await product(b.id)).images
  expect(replaced.map((it) => [it.id, it.version, it.sha256 === b.images[0]!.sha256])).toEqual([[b.images[0]!.id, 2, false]])
  expect(await zinc.services.db.product.count({ where: { id: c.id, image_run: run.id } })).toBe(0)
  expect((await zinc.sync('?sync_images=true')).statistics.images_downloaded).toBe(0)
  expect((await post('refetch', { product_ids: [none.id] })).body).toMatchObject({ code: 'no_remote_source' })
})
