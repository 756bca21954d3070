import { crc32 } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import type { ApiKeyMade } from '../../src/schemas/api-keys.ts'
import { times } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, type TestZinc } from '../helpers/zinc.ts'

let zinc: TestZinc
beforeAll(async () => {
  const opened = await openZinc({ synced: true })
  zinc = opened
  return opened.end
})

const API = '/api/v1/api-keys'
const send = (method: string, body?: object, token?: string): RequestInit => ({
  method,
  headers: {
    ...(body && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  },
  ...(body && { body: JSON.stringify(body) }),
})
async function make(body: object, token?: string): Promise<ApiKeyMade> {
  const response = await zinc.call(API, send('POST', body, token))
  expect(response.status).toBe(201)
  return ((await response.json()) as { data: ApiKeyMade }).data
}
const use = (key: string, path = '/api/products', base = zinc.url) =>
  fetch(`${base}${path}`, { headers: { authorization: `Bearer ${key}` } })
async function person(username: string, role: 'operator' | 'viewer') {
  const user = await zinc.services.users.create(
    { username, password: 'cedar-lamp-14-river', role },
    { actor: 'test', request_id: null, ip: null },
  )
  return { ...user, token: (await zinc.services.sessions.open(user, '192.0.2.1')).access_token }
}

test('a key has a checksum, is shown once and is stored as a hash; its use is kept to the minute', async () => {
  const { key, id, prefix, expires_at } = await make({ name: 'erp', scopes: ['products:read'] })
  const [, secret = '', checksum = ''] = /^zk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(key) ?? []
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  expect([...checksum].reduce((sum, letter) => sum * 62 + alphabet.indexOf(letter), 0)).toBe(crc32(secret))
  expect(key.startsWith(prefix)).toBe(true)
  expect(Math.round((Date.parse(expires_at!) - Date.now()) / 86_400_000)).toBe(365)

  expect((await use(key)).status).toBe(200)
  const list = await (await zinc.call(API)).text()
  expect(list).not.toContain(secret)
  expect(JSON.stringify(await zinc.services.db.apiKey.findMany())).not.toContain(secret)
  const [shown] = (JSON.parse(list) as { data: { id: string; last_used_at: string }[] }).data.filter((it) => it.id === id)
  expect(shown?.last_used_at).toMatch(/:00\.000Z$/)
})

test('a key without the scope is told which one it needs, and what no scope opens is closed to keys', async () => {
  const { key } = await make({ name: 'reader', scopes: ['products:read'] })
  const response = await use(key, '/api/settings/integrations/zoho/sync/runs')
  expect(response.status).toBe(403)
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="syncs:read"')
  expect(await response.json()).toMatchObject({ code: 'insufficient_scope', detail: { required_scope: 'syncs:read' } })
  for (const path of [API, '/api/v1/users', '/api/v1/auth/sessions', '/api/backups'])
    expect(await (await use(key, path)).json()).toMatchObject({ code: 'not_for_keys' })
  // An id that cannot be one is the id of nothing.
  for (const path of [`${API}/nope`, '/api/webhooks/nope'])
    expect(await (await zinc.call(path, send('DELETE'))).json()).toMatchObject({ status: 'error', code: 'not_found' })
  // In a cookie, other pages could use it.
  expect((await fetch(`${zinc.url}/api/products`, { headers: { cookie: `zinc_session=${key}` } })).status).toBe(401)
})

test('what a key does is kept under its name', async () => {
  const { key } = await make({ name: 'night sync', scopes: ['syncs:run', 'stores:manage'] })
  const started = await zinc.call('/api/settings/integrations/zoho/sync/item/execute', send('POST', undefined, key))
  const { run_id } = (await started.json()) as { run_id: string }
  expect(await zinc.services.db.run.findUnique({ where: { id: run_id } })).toMatchObject({ started_by: 'key:night sync' })
  expect((await zinc.call('/api/v1/stores', send('POST', { code: 'KEYED', name: 'Keyed' }, key))).status).toBe(201)
  expect(await zinc.services.db.auditEntry.findFirst({ where: { action: 'store.create', target: 'store:KEYED' } })).toMatchObject({
    actor: 'key:night sync',
  })
})

test('people give keys no more than they may, see their own, and a key shrinks and ends with its maker', async () => {
  const operator = await person('omar', 'operator')
  const viewer = await person('vera', 'viewer')
  const wanted = { name: 'mine', scopes: ['products:read', 'products:write'] }
  expect((await zinc.call(API, send('POST', wanted, viewer.token))).status).toBe(403)
  expect((await zinc.call(API, send('POST', { name: 'hooks', scopes: ['webhooks:manage'] }, operator.token))).status).toBe(403)
  const { key, id } = await make(wanted, operator.token)
  expect(await (await zinc.call(API, send('GET', undefined, viewer.token))).json()).toMatchObject({ data: [] })
  expect((await zinc.call(`${API}/${id}`, send('DELETE', undefined, viewer.token))).status).toBe(404)

  const { db } = zinc.services
  const { id: product } = await db.product.findFirstOrThrow()
  const patch = () => zinc.call(`/api/products/${product}`, send('PATCH', { brand: 'Zinc' }, key))
  // Let in, whoever owns the field.
  expect(await (await patch()).json()).toMatchObject({ code: 'owned_by_zoho' })
  await zinc.call(`/api/v1/users/${operator.id}`, send('PATCH', { role: 'viewer' }))
  expect(await (await patch()).json()).toMatchObject({ code: 'insufficient_scope' })
  expect((await use(key)).status).toBe(200)
  await zinc.call(`/api/v1/users/${operator.id}`, send('DELETE'))
  expect((await use(key)).status).toBe(401)
})

test('both secrets are accepted during the overlap, and only the new one after it or without one', async () => {
  const { db } = zinc.services
  const { key, id } = await make({ name: 'rotated', scopes: ['products:read'], expires_in_days: null })
  const rotate = async (overlap_hours?: number) => {
    const body = overlap_hours === undefined ? undefined : { overlap_hours }
    const response = await zinc.call(`${API}/${id}/rotate`, send('POST', body))
    return ((await response.json()) as { data: ApiKeyMade }).data.key
  }
  const second = await rotate(2)
  expect([(await use(key)).status, (await use(second)).status]).toEqual([200, 200])
  await db.apiKey.update({ where: { id }, data: { previous_until: new Date(Date.now() - 1) } })
  zinc.services.authenticator.invalidate()
  expect([(await use(key)).status, (await use(second)).status]).toEqual([401, 200])
  const third = await rotate()
  expect([(await use(second)).status, (await use(third)).status]).toEqual([401, 200])

  await db.apiKey.update({ where: { id }, data: { expires_at: new Date(Date.now() - 1) } })
  zinc.services.authenticator.invalidate()
  expect((await use(third)).status).toBe(401)
  expect((await use(`${third.slice(0, -1)}${third.endsWith('0') ? '1' : '0'}`)).status).toBe(401)
})

test('a key that was revoked here is refused by another process within a second', async () => {
  const { key, id } = await make({ name: 'shared', scopes: ['products:read'] })
  const other = await startSecondInstance(zinc)
  expect((await use(key, '/api/products', other)).status).toBe(200)
  const revoked = performance.now()
  expect((await zinc.call(`${API}/${id}`, send('DELETE'))).status).toBe(200)
  expect((await use(key)).status).toBe(401)
  await waitFor(async () => (await use(key, '/api/products', other)).status === 401)
  expect(performance.now() - revoked).toBeLessThan(times(5_000, 1_500))
  expect(await zinc.services.db.auditEntry.findFirst({ where: { action: 'api_key.revoke', target: 'key:shared' } })).not.toBeNull()
})
