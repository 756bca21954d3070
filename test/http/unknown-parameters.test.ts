import { beforeAll, expect, test } from 'vitest'
import { closestName } from '../../src/lib/closest-name.ts'
import { createTestStore, type TestStore } from '../helpers/test-shop.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
let store: TestStore
let viewer: string

const json = { 'content-type': 'application/json' }
const ZOHO = '/api/settings/integrations/zoho'

beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  const post = async (path: string, body: object) =>
    ((await (await zinc.call(path, { method: 'POST', headers: json, body: JSON.stringify(body) })).json()) as { data: never }).data
  const { id } = (await post('/api/v1/stores', { code: 'S1', name: 'One' })) as { id: string }
  const { token, id: tokenId } = (await post(`/api/v1/stores/${id}/tokens`, { name: 'till' })) as { token: string; id: string }
  store = createTestStore(zinc.url, { id, token, tokenId })
  await post('/api/v1/users', { username: 'reader', password: 'reader long enough', role: 'viewer' })
  const session = (await post('/api/v1/auth/login', { username: 'reader', password: 'reader long enough' })) as { access_token: string }
  viewer = session.access_token
  return opened.end
})

async function read(response: Response) {
  const body = (await response.json()) as { code?: string; detail?: Record<string, unknown>; warnings?: object[] }
  return { status: response.status, ...body }
}
const send = async (method: string, path: string, body?: unknown) =>
  read(await zinc.call(path, { method, ...(body !== undefined && { headers: json, body: JSON.stringify(body) }) }))

interface Operation {
  description: string
  security: object[]
  requestBody?: { content: Record<string, { schema: { type?: string } }> }
}
/**
 * Addresses that predecessors' clients use: what is not known there is ignored, and named where the
 * response is JSON.
 */
const WARNS = /^(GET|POST) (\/api\/v1\/sync\/product-photos(\/|$)|.*\/sync\/item\/execute$)/
/** Image addresses, and what Zoho sends people and notifications to. */
const IGNORES = /\/images\/(item\/)?\{filename\}$|\/oauth\/callback$|\/zoho\/webhook$/

async function operations() {
  const document = (await (await fetch(`${zinc.url}/docs/json`)).json()) as { paths: Record<string, Record<string, Operation>> }
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replaceAll(/\{(\w+)\}/g, (_, key) => (key === 'filename' ? '1.jpg' : '00000000-0000-4000-8000-000000000000')),
      operation,
    })),
  )
}

test('every operation refuses a query parameter that it does not know, after sign-in and role', async () => {
  const all = (await operations()).filter(({ name }) => !WARNS.test(name) && !IGNORES.test(name))
  expect(all.length).toBeGreaterThan(80)
  const ask = async (method: string, path: string, token: string | null) => {
    const response = await fetch(`${zinc.url}${path}?zzz_unknown=1`, {
      method,
      redirect: 'manual',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    })
    return `${response.status} ${((await response.json()) as { code: string }).code}`
  }
  for (const { name, method, path, operation } of all) {
    const isOpen = operation.security.length === 0
    const forViewers = isOpen || operation.description.includes('the role viewer')
    expect.soft(`${name}: ${await ask(method, path, null)}`).toBe(`${name}: ${isOpen ? '400 unknown_parameter' : '401 unauthenticated'}`)
    expect.soft(`${name}: ${await ask(method, path, viewer)}`).toBe(`${name}: ${forViewers ? '400 unknown_parameter' : '403 forbidden'}`)
    expect
      .soft(`${name}: ${await ask(method, path, store.token)}`)
      .toBe(`${name}: ${isOpen ? '400 unknown_parameter' : '403 edge_token_not_allowed'}`)
    const admin = await zinc.call(`${path}?zzz_unknown=1`, { method, redirect: 'manual' })
    expect.soft(await read(admin), name).toMatchObject({
      status: 'error',
      code: 'unknown_parameter',
      detail: { parameter: 'zzz_unknown', nearest: null, known: expect.any(Array), remedy: expect.any(String) },
    })
  }
})

test('every operation refuses a body field that it does not know before it checks other values', async () => {
  const all = (await operations()).filter(({ name, operation }) => {
    const schema = operation.requestBody?.content['application/json']?.schema
    return schema !== undefined && schema.type !== 'array' && !WARNS.test(name) && !IGNORES.test(name)
  })
  expect(all.length).toBeGreaterThan(25)
  for (const { name, method, path } of all)
    expect
      .soft(await send(method, path, { zzz_unknown: 1 }), name)
      .toMatchObject({ code: 'unknown_parameter', detail: { parameter: 'zzz_unknown' } })
})

test('a body where none is taken is refused by the name of its field', async () => {
  expect(await send('POST', `${ZOHO}/notifications/test`, { to: 'a@b.example' })).toMatchObject({
    code: 'unknown_parameter',
    detail: { parameter: 'to', nearest: null, known: [] },
  })
})

test('the failure names the similar parameter and all that are known', async () => {
  expect(await send('GET', '/api/products?Limt=5&cursor=junk')).toMatchObject({
    detail: { parameter: 'Limt', nearest: 'limit', known: expect.arrayContaining(['limit', 'search', 'cursor']) },
  })
  expect(await send('PATCH', `${ZOHO}/modules/inventory`, { selection: { syncImages: true } })).toMatchObject({
    detail: { parameter: 'selection.syncImages', nearest: 'selection.sync_images' },
  })
  expect(await send('PUT', `${ZOHO}/mapping`, { fields: [{ field: 'unit', ownr: 'erp' }] })).toMatchObject({
    detail: { parameter: 'fields.0.ownr', nearest: 'fields.0.owner', known: ['fields.0.field', 'fields.0.source', 'fields.0.owner'] },
  })
  const form = new FormData()
  form.set('is_primery', 'true')
  form.set('file', new Blob(['x']), 'a.jpg')
  const { data } = (await (await zinc.call('/api/products?limit=1')).json()) as { data: { id: string }[] }
  expect(await read(await zinc.call(`/api/products/${data[0]!.id}/images/upload`, { method: 'POST', body: form }))).toMatchObject({
    status: 'error',
    code: 'unknown_parameter',
    detail: { parameter: 'is_primery', nearest: 'is_primary' },
  })
})

test.each([
  ['dryrun', 'dry_run'],
  ['WAIT', 'wait'],
  ['x', null],
  ['zzz_unknown', null],
])('of %s the nearest is %s', (given, expected) => {
  expect(closestName(given, ['dry_run', 'wait', 'mode', 'sync_images'])).toBe(expected)
})

test.each([
  ['POST', ZOHO, ZOHO],
  ['PUT', `${ZOHO}/notifications`, `${ZOHO}/notifications`],
  ['PUT', `${ZOHO}/mapping`, `${ZOHO}/mapping`],
  ['PATCH', `${ZOHO}/modules/inventory`, `${ZOHO}/modules/inventory`],
  ['PUT', '/api/media/variants', '/api/media/variants'],
])('%s %s takes back all that GET shows', async (method, path, shown) => {
  const { data } = (await (await zinc.call(shown)).json()) as { data: object }
  const sent = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null))
  // What the environment fixes cannot be sent back, whether it is known or not.
  for (const name of ['organization_id', 'data_center', 'client_id', 'client_secret', 'refresh_token']) delete sent[name]
  expect((await send(method, path, sent)).code).toBeUndefined()
})

test('PATCH of a store takes back what GET shows', async () => {
  const { data } = (await (await zinc.call(`/api/v1/stores/${store.id}`)).json()) as { data: object }
  expect((await send('PATCH', `/api/v1/stores/${store.id}`, data)).code).toBeUndefined()
})

test('the quota takes back the whole of what GET shows beside its one setting', async () => {
  const { data } = (await (await zinc.call(`${ZOHO}/quota`)).json()) as { data: object }
  expect((await send('PUT', `${ZOHO}/quota`, { ...data, reserve_percent: 7 })).code).toBeUndefined()
})

test('the execute endpoint ignores what it does not know and names it, also while it streams', async () => {
  const path = `${ZOHO}/sync/item/execute`
  const expected = [
    {
      code: 'unknown_parameter',
      parameter: 'sync_image',
      nearest: 'sync_images',
      message: 'Unknown parameter "sync_image" was ignored. Did you mean sync_images?',
    },
  ]
  expect((await send('POST', `${path}?sync_image=true`)).warnings).toEqual(expected)
  expect((await send('POST', `${path}?sync_image=true&wait=false`)).warnings).toEqual(expected)
  expect((await send('POST', `${path}?sync_images=false`)).warnings).toBeUndefined()
  expect((await send('POST', path, { force: true })).warnings).toMatchObject([{ parameter: 'force', nearest: null }])
})

test('the photo sync ignores what it does not know and names it in list, digest and status', async () => {
  const list = await read(await store.fetch(`/?store_id=${store.id}&page_size=5&_=17`))
  expect(list).toMatchObject({ status: 'success', warnings: [{ parameter: 'page_size' }, { parameter: '_' }] })
  expect((await read(await store.fetch(`/?store_id=${store.id}`))).warnings).toBeUndefined()
  expect(await read(await store.fetch(`/digest?store_id=${store.id}&storeid=1`))).toMatchObject({
    warnings: [{ parameter: 'storeid', nearest: 'store_id' }],
  })
  const report = { store_id: store.id, device: 'till', sync_batch: [{ photo_id: 'x', status: 'synced', stauts: 'synced' }] }
  expect(await read(await store.fetch('/status/', { method: 'POST', headers: json, body: JSON.stringify(report) }))).toMatchObject({
    status: 'success',
    warnings: [{ parameter: 'device' }, { parameter: 'sync_batch.0.stauts', nearest: 'sync_batch.0.status' }],
  })
})

test('a download of the photo sync gives the same bytes with a parameter that is not known', async () => {
  const { photos } = await store.list('&limit=1')
  const bytes = async (query: string) => Buffer.from(await (await store.download(photos[0]!.id, query)).arrayBuffer()).toString('base64')
  expect(await bytes('&nocache=1')).toBe(await bytes(''))
})

test('an image address ignores a cache buster', async () => {
  const { data } = (await (await zinc.call('/api/products?limit=30')).json()) as { data: { image_url: string | null }[] }
  const url = data.find(({ image_url }) => image_url !== null)!.image_url!
  expect((await fetch(`${url}${url.includes('?') ? '&' : '?'}_=1700000000`)).status).toBe(200)
})

test("Zoho's way back and its notifications are not refused for a parameter", async () => {
  for (const [method, path] of [
    ['GET', `${ZOHO}/oauth/callback?state=x&code=y&zzz_unknown=1`],
    ['POST', `${ZOHO}/webhook?zzz_unknown=1`],
  ] as const) {
    const response = await fetch(`${zinc.url}${path}`, { method, redirect: 'manual' })
    expect(await response.text()).not.toContain('unknown_parameter')
  }
})
