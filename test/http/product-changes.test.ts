import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { pruneProductFeed } from '../../src/catalog/product-feed.ts'
import type { Product } from '../../src/schemas/products.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

interface Change {
  seq: number
  change: 'upsert' | 'delete'
  changed_fields: string[]
  id: string
  sku: string | null
  product: Product | null
}
interface Page {
  data: Change[]
  next_cursor: string
  has_more: boolean
}

const CHANGES = '/api/products/changes'
let zinc: TestZinc

beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  return opened.end
})

const read = async (query: string): Promise<Page> => {
  const response = await zinc.call(`${CHANGES}?${query}`)
  expect(response.status, query).toBe(200)
  return (await response.json()) as Page
}
const latest = async () => (await read('cursor=latest')).next_cursor
/** Everything from a cursor on. */
async function follow(cursor: string, limit = 1000): Promise<{ changes: Change[]; cursor: string }> {
  const changes: Change[] = []
  for (let more = true; more; ) {
    const page = await read(`limit=${limit}${cursor && `&cursor=${cursor}`}`)
    changes.push(...page.data)
    cursor = page.next_cursor
    more = page.has_more
  }
  return { changes, cursor }
}
const anyProduct = async () =>
  (await zinc.services.db.product.findFirstOrThrow({ where: { deleted_at: null }, orderBy: { sku: 'asc' } })).id

test('a first load is every living product once, as the list has it, and goes over into the changes', async () => {
  const { db } = zinc.services
  const gone = await db.product.create({ data: { name: 'Gone before', deleted_at: new Date() } })
  const first = await read('limit=7')
  expect(first).toMatchObject({ has_more: true, data: expect.arrayContaining([expect.objectContaining({ changed_fields: ['*'] })]) })
  // Moves while the load goes on: one that was read and one that was not.
  await db.product.update({ where: { id: first.data[0]!.id }, data: { selling_price: 7 } })
  const rest = await follow(first.next_cursor, 7)
  const table = new Map([...first.data, ...rest.changes].map((change) => [change.id, change.product]))
  expect(rest.changes.filter(({ id }) => id === first.data[0]!.id)).toHaveLength(1)
  expect(table.has(gone.id)).toBe(false)
  const listed = (await (await zinc.call('/api/products?limit=500')).json()) as { data: Product[] }
  expect([...table.values()].sort((a, b) => (a!.id < b!.id ? -1 : 1))).toEqual(listed.data.sort((a, b) => (a.id < b.id ? -1 : 1)))
  expect(await read(`cursor=${rest.cursor}`)).toMatchObject({ data: [], has_more: false, next_cursor: rest.cursor })
})

test('each way to change a product comes once, with its newest state and the fields that changed', async () => {
  const { db } = zinc.services
  const id = await anyProduct()
  const start = await latest()
  const set = (sql: string) => db.$executeRawUnsafe(`update product set ${sql} where id = '${id}'`)
  const columns: Record<string, [sql: string, fields: string[]]> = {
    sku: ["sku = 'S'", ['sku']],
    stock: ['stock_on_hand = 4', ['stock', 'stock_on_hand']],
    available: ['available_stock = 3', ['stock']],
    category: ["category_id = '9'", ['category']],
    tax: ['tax_percentage = 9', ['tax']],
    dimensions: ["dimension_unit = 'in'", ['dimensions']],
    weight: ['weight = 9', ['weight']],
    group: ["group_name = 'G'", ['group']],
    attributes: [`attributes = '[{"name":"a","option":"b"}]'`, ['attributes']],
    several: ["ean = '1', updated_at = now()", ['ean']],
    only_time: ["updated_at = now() + interval '1 s'", ['updated_at']],
  }
  for (const [name, [sql, fields]] of Object.entries(columns)) {
    const cursor = await latest()
    await set(sql)
    const { data } = await read(`cursor=${cursor}`)
    expect(
      data.map((change) => [change.id, change.changed_fields]),
      name,
    ).toEqual([[id, fields]])
  }
  await db.product.update({ where: { id }, data: { selling_price: 1 } })
  const { data } = await read(`cursor=${start}`)
  expect(data).toHaveLength(1)
  expect(data[0]).toMatchObject({
    change: 'upsert',
    sku: 'S',
    product: { selling_price: '1', stock_on_hand: '4', sku: 'S', seq: data[0]!.seq },
  })
  expect(data[0]!.changed_fields).toEqual([
    'attributes',
    'category',
    'dimensions',
    'ean',
    'group',
    'selling_price',
    'sku',
    'stock',
    'stock_on_hand',
    'tax',
    'weight',
  ])
  // Nothing that differs is no change; a column of the table that the record does not show is none
  // either.
  const cursor = await latest()
  await set('sku = sku, image_attempts = image_attempts + 1')
  expect((await read(`cursor=${cursor}`)).data).toEqual([])
})

test('every column that the record shows is noticed when it changes', async () => {
  const { db } = zinc.services
  const id = await anyProduct()
  const columns = await db.$queryRaw<{ name: string; type: string }[]>`
    select column_name::text as name, data_type::text as type from information_schema.columns
    where table_name = 'product' and table_schema = 'public' and is_generated = 'NEVER' and column_name not in ('id', 'zoho_modified_at')
      and column_name !~ '^(zoho_image|image_(fetched|tried|checked|attempts|error|source|run))'`
  expect(columns.length).toBeGreaterThan(40)
  const other: Record<string, string> = {
    text: "'x' || gen_random_uuid()",
    numeric: 'random() * 1000',
    boolean: 'true',
    jsonb: `'{"x":1}'`,
  }
  for (const { name, type } of columns) {
    const cursor = await latest()
    await db.$executeRawUnsafe(`update product set ${name} = ${other[type] ?? "now() - interval '1 day'"} where id = '${id}'`)
    expect(
      (await read(`cursor=${cursor}`)).data.map((change) => change.id),
      name,
    ).toEqual([id])
    if (name === 'deleted_at') await db.product.update({ where: { id }, data: { deleted_at: null } })
  }
  await db.product.update({ where: { id }, data: { deleted_at: null, custom_fields: {}, attributes: [] } })
})

test('modified_since finds a product whose image or stock alone changed, before and after numbering', async () => {
  const { db } = zinc.services
  await latest()
  const newest = await db.productChange.aggregate({ _max: { changed_at: true } })
  const since = new Date(newest._max.changed_at!.getTime() + 1)
  // Their own rows, and what is written to them, are older.
  const [photo, other] = await db.photo.findMany({
    where: { is_primary: true, deleted_at: null, product: { updated_at: { lt: since }, deleted_at: null } },
  })
  const modified = async () => {
    const { data } = (await (await zinc.call(`/api/products?modified_since=${since.toISOString()}`)).json()) as { data: Product[] }
    return [photo, other].filter((it) => data.some(({ id }) => id === it!.product_id))
  }
  expect(await modified()).toEqual([])
  await db.photo.update({ where: { id: photo!.id }, data: { alt_en: 'Only the image' } })
  expect(await modified()).toEqual([photo])
  await latest()
  expect(await modified()).toEqual([photo])
  await db.location.create({ data: { id: 'L1', name: 'Shop' } })
  await db.productStock.create({ data: { product_id: other!.product_id, location_id: 'L1', on_hand: 3 } })
  expect(await modified()).toEqual([photo, other])
})

test('images of a product are changes of it, and a deletion is told without a product', async () => {
  const { db } = zinc.services
  const photo = await db.photo.findFirstOrThrow({ where: { is_primary: true, deleted_at: null } })
  let cursor = await latest()
  await db.photo.update({ where: { id: photo.id }, data: { alt_en: 'A lamp' } })
  let page = await read(`cursor=${cursor}`)
  expect(page.data).toMatchObject([{ id: photo.product_id, product: { images: [expect.objectContaining({ alt_en: 'A lamp' })] } }])
  expect(page.data[0]!.changed_fields).toContain('images')
  cursor = await latest()
  await db.blob.update({ where: { sha256: photo.sha256 }, data: { damaged: true } })
  page = await read(`cursor=${cursor}`)
  expect(page.data.map((change) => [change.id, change.changed_fields])).toContainEqual([photo.product_id, ['images']])

  const [soft, hard] = await Promise.all(['soft', 'hard'].map((name) => db.product.create({ data: { name, sku: `DEL-${name}` } })))
  cursor = await latest()
  await db.product.update({ where: { id: soft!.id }, data: { deleted_at: new Date() } })
  await db.product.delete({ where: { id: hard!.id } })
  const { data } = await read(`cursor=${cursor}`)
  expect(data.map(({ change, id, sku, product }) => [change, id, sku, product])).toEqual([
    ['delete', soft!.id, 'DEL-soft', null],
    ['delete', hard!.id, 'DEL-hard', null],
  ])
  // Back again, it is new to those who were told.
  await db.product.update({ where: { id: soft!.id }, data: { deleted_at: null } })
  expect((await read(`cursor=${cursor}`)).data.find(({ id }) => id === soft!.id)).toMatchObject({ change: 'upsert', changed_fields: ['*'] })
})

test('what commits late is not missed by a cursor that passed it', async () => {
  const { db } = zinc.services
  const [slow, quick] = await db.product.findMany({ where: { deleted_at: null }, orderBy: { id: 'asc' }, take: 2, select: { id: true } })
  const client = new pg.Client(zinc.environment.DATABASE_URL)
  await client.connect()
  let cursor = await latest()
  await client.query('begin')
  await client.query(`update product set description = 'late' where id = $1`, [slow!.id])
  await db.product.update({ where: { id: quick!.id }, data: { description: 'quick' } })
  const page = await read(`cursor=${cursor}`)
  expect(page.data.map(({ id }) => id)).toEqual([quick!.id])
  cursor = page.next_cursor
  await client.query('commit')
  await client.end()
  expect((await read(`cursor=${cursor}`)).data.map(({ id }) => id)).toEqual([slow!.id])
})

test('a wait ends as soon as anybody commits, and who listens in SQL hears the number', async () => {
  const id = await anyProduct()
  const cursor = await latest()
  const client = new pg.Client(zinc.environment.DATABASE_URL)
  await client.connect()
  const heard: string[] = []
  client.on('notification', ({ payload }) => heard.push(payload ?? ''))
  await client.query('listen zinc_product')
  const began = performance.now()
  const waits = Array.from({ length: 5 }, () => read(`cursor=${cursor}&wait=60`))
  await waitFor(async () => zinc.services.productFeed.waiting() === 5)
  await client.query(`update product set description = 'awaited' where id = $1`, [id])
  for (const page of await Promise.all(waits)) expect(page.data.map((change) => change.id)).toEqual([id])
  expect(performance.now() - began).toBeLessThan(20_000)
  await waitFor(async () => heard.length > 0)
  expect(Number(heard.at(-1))).toBe((await read(`cursor=${cursor}`)).data[0]!.seq)
  await client.end()
  expect((await read(`cursor=${await latest()}&wait=0.2`)).data).toEqual([])
})

test('an unchanged page is small, has an ETag and gives 304', async () => {
  const cursor = await latest()
  const first = await zinc.call(`${CHANGES}?cursor=${cursor}`)
  const etag = first.headers.get('etag')!
  expect(Buffer.byteLength(await first.text())).toBeLessThan(1024)
  const again = await zinc.call(`${CHANGES}?cursor=${cursor}`, { headers: { 'if-none-match': etag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
  await zinc.services.db.product.update({ where: { id: await anyProduct() }, data: { unit: 'box' } })
  expect((await zinc.call(`${CHANGES}?cursor=${cursor}`, { headers: { 'if-none-match': etag } })).status).toBe(200)
})

test('a cursor behind forgotten deletions or of another database is 410, nonsense is 400', async () => {
  const { db } = zinc.services
  const fail = async (query: string) => {
    const response = await zinc.call(`${CHANGES}?${query}`)
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  expect(await fail('cursor=nonsense')).toEqual([400, 'invalid_cursor'])
  for (const query of ['limit=0', 'limit=1001', 'wait=61', 'wait=-1']) expect((await fail(query))[0], query).toBe(400)
  const made = await db.product.create({ data: { name: 'Short-lived', sku: 'SHORT' } })
  const cursor = await latest()
  await db.product.update({ where: { id: made.id }, data: { deleted_at: new Date() } })
  expect((await read(`cursor=${cursor}`)).data).toMatchObject([{ change: 'delete', sku: 'SHORT' }])
  await db.$executeRaw`update product_change set changed_at = changed_at - interval '91 days' where product_id = ${made.id}::uuid`
  await pruneProductFeed(db, { olderThanDays: 90 })
  expect(await fail(`cursor=${cursor}`)).toEqual([410, 'cursor_expired'])
  // Who begins now has missed nothing, and does not hear of it.
  expect((await follow('')).changes.map(({ sku }) => sku)).not.toContain('SHORT')
  const deleted = (await (await zinc.call(`/api/products/${made.id}`)).json()) as { data: Product }
  expect(deleted.data.deleted_at).not.toBeNull()
  // Beyond a month the fields are not told any more.
  const old = await latest()
  const id = await anyProduct()
  await db.product.update({ where: { id }, data: { unit: 'old' } })
  await latest()
  await db.$executeRaw`update product_change set changed_at = changed_at - interval '31 days' where product_id = ${id}::uuid`
  await pruneProductFeed(db, { olderThanDays: 90 })
  expect((await read(`cursor=${old}`)).data).toMatchObject([{ id, changed_fields: ['*'] }])
  const now = await latest()
  await db.$executeRaw`update feed_state set epoch = gen_random_uuid()`
  expect(await fail(`cursor=${now}`)).toEqual([410, 'epoch_changed'])
})

longTest('a thousand waiting clients cost no query while nothing happens, and all hear of the next change', async () => {
  const clients = 1_000
  const cursor = await latest()
  let queries = 0
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    queries++
    return (query as (...args: unknown[]) => unknown).apply(this, args)
  } as typeof query
  onTestFinished(() => {
    pg.Client.prototype.query = query
  })
  /** What all of zinc asks in some seconds. */
  const measure = async () => {
    const before = queries
    await pause(5_000)
    return queries - before
  }
  const alone = await measure()
  const waits = Array.from({ length: clients }, () => read(`cursor=${cursor}&wait=60`))
  await waitFor(async () => zinc.services.productFeed.waiting() === clients)
  await measure()
  // The counter counts.
  expect(queries).toBeGreaterThan(alone)
  expect(await measure()).toBeLessThan(alone + 50)
  const id = await anyProduct()
  await zinc.services.db.product.update({ where: { id }, data: { description: 'heard by all' } })
  for (const page of await Promise.all(waits)) expect(page.data.map((change) => change.id)).toEqual([id])
})
