import { beforeAll, expect, test } from 'vitest'
import { pruneProductFeed } from '../../src/catalog/product-feed.ts'
import { CursorExpiredError, createClient, EpochChangedError, type ProductChange, ZincError } from '../../src/client/index.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let token: string
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  const response = await zinc.call('/api/v1/api-keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'erp', scopes: ['products:read'] }),
  })
  token = ((await response.json()) as { data: { key: string } }).data.key
  return opened.end
})
const connect = (options: { fetch?: typeof fetch } = {}) => createClient({ baseUrl: `${zinc.url}/`, token, ...options })
const touch = (id: string, description: string) => zinc.services.db.product.update({ where: { id }, data: { description } })

test('operations are methods with typed results, and failures are errors with code, detail and request id', async () => {
  const client = connect()
  const { data, next_cursor } = await client.listProducts({ query: { limit: 3, sort: 'name' } })
  expect(data).toHaveLength(3)
  const next = await client.listProducts({ query: { limit: 3, sort: 'name', ...(next_cursor !== null && { cursor: next_cursor }) } })
  expect(next.data[0]!.id).not.toBe(data[0]!.id)
  const one = await client.getProduct({ path: { id: `sku:${data[0]!.sku}` } })
  expect(one.data).toEqual(data[0])

  const missing = await client.getProduct({ path: { id: 'sku:none such' } }).catch((error: unknown) => error)
  expect(missing).toBeInstanceOf(ZincError)
  expect(missing).toMatchObject({ status: 404, code: 'product_not_found', detail: { remedy: expect.any(String) } })
  expect((missing as ZincError).requestId).toMatch(/[0-9a-f-]{36}/)
  await expect(client.listRuns()).rejects.toMatchObject({
    status: 403,
    code: 'insufficient_scope',
    detail: { required_scope: 'syncs:read' },
  })
})

test('the iterator gives every product, then changes as they happen, and continues from a kept cursor', async () => {
  const client = connect()
  const stop = new AbortController()
  const seen: ProductChange[] = []
  const reading = (async () => {
    for await (const change of client.productChanges({ limit: 7, signal: stop.signal })) seen.push(change)
  })()
  await waitFor(async () => seen.length === 30 && zinc.services.productFeed.waiting() === 1)
  // Within a page, the cursor is that of the page before: nothing that was not applied is lost.
  expect(seen.slice(0, 8).map(({ cursor }) => cursor)).toEqual([...Array(6).fill(null), seen[6]!.cursor, seen[6]!.cursor])
  expect(seen[6]!.cursor).not.toBeNull()
  await touch(seen[0]!.id, 'first')
  await waitFor(async () => seen.length === 31)
  expect(seen[30]).toMatchObject({ id: seen[0]!.id, change: 'upsert', changed_fields: expect.arrayContaining(['description']) })
  stop.abort()
  await reading

  await touch(seen[1]!.id, 'second')
  const rest: ProductChange[] = []
  for await (const change of client.productChanges({ cursor: seen[30]!.cursor, waitSeconds: 0 })) rest.push(change)
  expect(rest.map(({ id }) => id)).toEqual([seen[1]!.id])
  const after: ProductChange[] = []
  for await (const change of client.productChanges({ cursor: rest[0]!.cursor, waitSeconds: 0 })) after.push(change)
  expect(after).toEqual([])
})

test('lost connections and responses of a server that is down are tried again from the same cursor', async () => {
  let requests = 0
  const failing: typeof fetch = async (...args) => {
    requests++
    if (requests === 2) throw new TypeError('fetch failed')
    if (requests === 4) return new Response('upstream is down', { status: 502 })
    return fetch(...args)
  }
  const retries: string[] = []
  const seen: string[] = []
  const changes = connect({ fetch: failing }).productChanges({ limit: 8, waitSeconds: 0, onRetry: ({ message }) => retries.push(message) })
  for await (const { id } of changes) seen.push(id)
  expect(new Set(seen).size).toBe(30)
  expect(seen).toHaveLength(30)
  expect(retries).toHaveLength(2)
})

longTest('a cursor that is too old or of another database is a typed error, and a wrong one is not retried', async () => {
  const { db, productFeed } = zinc.services
  const client = connect()
  const read = async (cursor: string) => {
    for await (const _ of client.productChanges({ cursor, waitSeconds: 0 })) break
  }
  await expect(read('nonsense')).rejects.toMatchObject({ status: 400, code: 'invalid_cursor' })
  const { next_cursor } = await client.listProductChanges({ query: { cursor: 'latest' } })
  const made = await db.product.create({ data: { name: 'Short-lived' } })
  await productFeed.now()
  await db.product.update({ where: { id: made.id }, data: { deleted_at: new Date() } })
  await productFeed.now()
  await db.$executeRaw`update product_change set changed_at = changed_at - interval '91 days' where product_id = ${made.id}::uuid`
  await pruneProductFeed(db, { olderThanDays: 90 })
  await expect(read(next_cursor)).rejects.toBeInstanceOf(CursorExpiredError)
  const { next_cursor: newest } = await client.listProductChanges({ query: { cursor: 'latest' } })
  await db.$executeRaw`update feed_state set epoch = gen_random_uuid()`
  await expect(read(newest)).rejects.toBeInstanceOf(EpochChangedError)
})
