import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { ProductGroupRecord } from '../../src/schemas/product-groups.ts'
import type { Product, ProductsResponse } from '../../src/schemas/products.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, startZinc, type TestZinc } from '../helpers/zinc.ts'

/** The first thirty have no group; then six variants, twelve without, six variants, … */
const ITEMS = 60
const GROUPS = 2
let zinc: TestZinc

beforeAll(async () => {
  const opened = await openZinc({ items: createSeed({ count: ITEMS }), toggles: { groupKeys: 'grouped' } })
  zinc = opened
  return opened.end
})

const read = async <T>(path: string): Promise<T> => (await (await zinc.call(path)).json()) as T
async function readGroups(query = '') {
  const { status, body } = await request(zinc, 'POST', `/modules/inventory/sync?only=groups${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as { status: string; run_id: string; statistics: Record<string, number>; errors: { code: string }[] }
}
const settled = ({ services } = zinc) =>
  waitFor(async () => (await services.db.run.count({ where: { state: { in: ['queued', 'running'] } } })) === 0)
async function fullSync(of = zinc): Promise<void> {
  expect((await of.sync('?mode=full')).status).toBe('success')
  await settled(of)
}
/** Calls by path, ids left out. */
async function calls(of = zinc): Promise<Record<string, number>> {
  const made = await of.services.db.zohoCall.findMany({ where: { job: { in: ['groups', 'image'] } }, select: { path: true } })
  const counts: Record<string, number> = {}
  for (const { path } of made) {
    const kind = path.replace('/inventory/v1/', '').replace(/\/\d+/, '/id')
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
/** The first two groups: id, name and items. */
function twoGroups() {
  const [one, two] = [...zinc.zoho.groups.all()].filter(([, { items }]) => items[0]!.group).map(([id, group]) => ({ id, ...group }))
  return [one!, two!] as const
}
const one = async (id: string) => (await read<{ data: ProductGroupRecord }>(`/api/product-groups/${id}`)).data

beforeEach(async () => {
  await fullSync()
  await zinc.services.db.zohoCall.deleteMany()
})

longTest('a group has its texts, its options in Zoho’s order, as far as they are in use, and its products', async () => {
  const [{ id, name, items }] = twoGroups()
  zinc.zoho.groups.set(id, {
    description: 'Braided &amp; short',
    options: { Colour: ['White', 'Green', 'Blue', 'Black'], Size: ['2 m', '1 m', '20 W', '65 W'] },
  })
  await readGroups()
  const products = (await read<ProductsResponse>(`/api/products?group_id=${id}`)).data
  expect(products).toHaveLength(items.length)
  const sizes = [...new Set(items.map((item) => item.attributes![1]!.option))]
  const group = await one(id)
  expect(group).toEqual({
    id,
    name,
    description: 'Braided & short',
    brand: items[0]!.brand,
    manufacturer: items[0]!.manufacturer!.replace('&amp;', '&') || null,
    unit: 'pcs',
    attributes: [
      { name: 'Colour', options: ['White', 'Blue', 'Black'] },
      { name: 'Size', options: expect.any(Array) },
    ],
    products: products.map((product) => product.id),
    image_url: null,
    images: [],
  })
  expect([...group.attributes[1]!.options].sort()).toEqual(sizes.sort())
  const { db } = zinc.services
  expect(await db.$queryRaw`select id, name, attributes from erp.product_group where id = ${id}`).toEqual([
    { id, name, attributes: group.attributes },
  ])
})

test('groups are listed by page and found by words, and groups of one are none', async () => {
  zinc.zoho.toggles.groupKeys = 'every'
  await readGroups()
  zinc.zoho.toggles.groupKeys = 'grouped'
  const ids = twoGroups()
    .map(({ id }) => id)
    .sort()
  const first = await read<{ data: ProductGroupRecord[]; next_cursor: string }>('/api/product-groups?limit=1')
  const second = await read<{ data: ProductGroupRecord[]; next_cursor: null }>(`/api/product-groups?limit=1&cursor=${first.next_cursor}`)
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids)
  expect(second.next_cursor).toBeNull()
  const [word] = second.data[0]!.name!.split(' ').filter((it) => !first.data[0]!.name!.includes(it))
  expect(
    (await read<{ data: ProductGroupRecord[] }>(`/api/product-groups?search=${word!.toLowerCase()}`)).data.map(({ id }) => id),
  ).toEqual([ids[1]])
  expect((await zinc.call('/api/product-groups?cursor=junk')).status).toBe(400)
  expect((await zinc.call(`/api/product-groups/${BigInt(zinc.zoho.items()[0]!.item_id) + 1n}`)).status).toBe(404)
})

longTest('each group is read once, and again only when it is new or has changed', async () => {
  const { db } = zinc.services
  await db.productGroup.deleteMany()
  await fullSync()
  expect(await calls()).toEqual({ itemgroups: 1, 'itemgroups/id': GROUPS })
  await db.zohoCall.deleteMany()
  // A sale is no change of the group.
  const [{ id, items }] = twoGroups()
  zinc.zoho.moveStock(items[0]!.item_id, 3)
  await fullSync()
  expect(await calls()).toEqual({ itemgroups: 1 })
  await db.zohoCall.deleteMany()
  zinc.zoho.groups.set(id, { description: 'Another text' })
  await fullSync()
  expect(await calls()).toEqual({ itemgroups: 1, 'itemgroups/id': 1 })
  expect((await one(id)).description).toBe('Another text')
})

test('a rename and a moved member arrive from the list alone, although no item’s time moves', async () => {
  const [{ id, items }, { id: other, name }] = twoGroups()
  const cursor = (await read<{ next_cursor: string }>('/api/products/changes?cursor=latest')).next_cursor
  zinc.zoho.groups.rename(id, 'New &amp; name')
  const moved = items[0]!.item_id
  zinc.zoho.edit(moved, { group: { id: other, name } }, { touches: false })
  expect((await readGroups()).statistics).toMatchObject({ total: GROUPS, products_changed: items.length })
  const record = async (itemId: string) => (await read<{ data: Product }>(`/api/products/zoho:${itemId}`)).data
  expect((await record(items[1]!.item_id)).group).toEqual({ id, name: 'New & name' })
  expect((await record(moved)).group).toEqual({ id: other, name })
  expect(await one(id)).toMatchObject({ name: 'New & name', products: expect.not.arrayContaining([(await record(moved)).id]) })
  const { data } = await read<{ data: { changed_fields: string[] }[] }>(`/api/products/changes?cursor=${cursor}`)
  expect(data.map((change) => change.changed_fields)).toEqual(items.map(() => ['group']))
})

longTest('a detail within an object is read as well, and a group of which nothing is left is gone', async () => {
  const { db } = zinc.services
  const [{ id, items }] = twoGroups()
  zinc.zoho.toggles.groupDetail = 'wrapped'
  zinc.zoho.groups.set(id, { description: 'Wrapped' })
  await readGroups()
  expect((await one(id)).description).toBe('Wrapped')
  for (const { item_id } of items) zinc.zoho.edit(item_id, { group: undefined as never, attributes: [] })
  await fullSync()
  expect((await zinc.call(`/api/product-groups/${id}`)).status).toBe(404)
  expect(await db.productGroup.count({ where: { id } })).toBe(0)
})

longTest('a group’s picture is fetched once, served under its URL, and in no store’s list', async () => {
  const { db } = zinc.services
  const [{ id }] = twoGroups()
  const photos = await db.photo.count()
  zinc.zoho.groups.set(id, { image_seed: 4_711 })
  expect((await readGroups()).statistics).toMatchObject({ images_downloaded: 1, images_failed: 0 })
  await readGroups()
  expect(await calls()).toMatchObject({ 'documents/id': 1 })
  const { image_url, images } = await one(id)
  expect(images).toEqual([expect.objectContaining({ url: image_url, filename: `${id}.jpg`, content_type: 'image/jpeg', is_primary: true })])
  const served = await fetch(image_url!)
  expect(served.status).toBe(200)
  expect(Buffer.from(await served.arrayBuffer()).length).toBe(images[0]!.size)
  expect((await zinc.call(`/images/${id}.jpg?variant=thumb`)).status).toBe(200)
  expect(await db.photo.count()).toBe(photos)
  const { sha256 } = images[0]!
  expect((await db.blob.findUniqueOrThrow({ where: { sha256 } })).orphaned_at).toBeNull()

  zinc.zoho.groups.set(id, { image_seed: undefined as never })
  await readGroups()
  expect(await one(id)).toMatchObject({ image_url: null, images: [] })
  expect((await db.blob.findUniqueOrThrow({ where: { sha256 } })).orphaned_at).not.toBeNull()
})

longTest('a picture that Zoho does not have under its id is asked for once and fails nothing', async () => {
  const [{ id }] = twoGroups()
  zinc.zoho.groups.set(id, { image_seed: 5 })
  zinc.zoho.fail({ path: /documents/, times: 1, status: 404, body: '{"code":1002,"message":"Document does not exist."}' })
  expect(await readGroups()).toMatchObject({ status: 'success', errors: [] })
  await readGroups()
  expect(await calls()).toMatchObject({ 'documents/id': 1 })
  expect((await one(id)).images).toEqual([])
})

longTest('a plan of an empty catalogue counts the groups that it lists', async () => {
  const empty = await startZinc({ items: createSeed({ count: ITEMS }), toggles: { groupKeys: 'grouped' } })
  const { body } = await request(empty, 'POST', '/sync/item/plan?mode=full')
  expect(body.data.calls).toMatchObject({ list: 1, groups: 1 + GROUPS, price_lists: 1, total: 3 + GROUPS })
})

longTest('2,221 items cost one page for each 200 groups and one call for each group, once', async () => {
  const big = await startZinc({ items: createSeed({ count: 2_221 }), toggles: { groupKeys: 'grouped' } })
  const groups = big.zoho.groups.all().size
  const pages = Math.ceil(groups / 200)
  await fullSync(big)
  expect(await calls(big)).toEqual({ itemgroups: pages, 'itemgroups/id': groups })
  await fullSync(big)
  expect(await calls(big)).toEqual({ itemgroups: 2 * pages, 'itemgroups/id': groups })
})
