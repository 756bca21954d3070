import { createSigner } from 'fast-jwt'
import { expect, test } from 'vitest'
import { startShop } from '../helpers/test-shop.ts'

const NOWHERE = '00000000-0000-4000-8000-000000000000'

test('a store reaches its own photos, and of other stores the same refusal whether they exist', async () => {
  const shop = await startShop()
  const [mine, other] = [await shop.addStore(), await shop.addStore({ assortment: { skus: [] } })]
  const [photo] = (await mine.list()).photos
  const post = (value: object): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  const routes: [string, (storeId: string) => [string, RequestInit?]][] = [
    ['list', (id) => [`/?store_id=${id}`]],
    ['digest', (id) => [`/digest?store_id=${id}`]],
    ['download', (id) => [`/${photo!.id}/download/?store_id=${id}`]],
    ['variant', (id) => [`/${photo!.id}/download?store_id=${id}&variant=thumb`]],
    ['head', (id) => [`/${photo!.id}/download/?store_id=${id}`, { method: 'HEAD' }]],
    ['range', (id) => [`/${photo!.id}/download/?store_id=${id}`, { headers: { range: 'bytes=0-1' } }]],
    ['not modified', (id) => [`/${photo!.id}/download/?store_id=${id}`, { headers: { 'if-none-match': `"${photo!.sha256}"` } }]],
    ['archive', (id) => ['/archive/', post({ store_id: id, photo_ids: [photo!.id] })]],
    ['report', (id) => ['/status/', post({ store_id: id, sync_batch: [{ photo_id: photo!.id, status: 'synced' }] })]],
  ]
  for (const [name, route] of routes) {
    const ask = async (storeId: string) => {
      const response = await mine.fetch(...route(storeId))
      await response.arrayBuffer()
      return response.status
    }
    const own = name === 'range' ? 206 : name === 'not modified' ? 304 : 200
    expect([name, await ask(mine.id), await ask(other.id), await ask(NOWHERE), await ask('no-id'), await ask('x'.repeat(300))]).toEqual([
      name,
      ...[own, 403, 403, 403, 403],
    ])
  }
  // What this store does not sell is gone for it, and unknown to its reports.
  expect((await other.download(photo!.id)).status).toBe(410)
  const report = await other.fetch(
    '/status/',
    post({
      store_id: other.id,
      sync_batch: [
        { photo_id: photo!.id, status: 'synced' },
        { photo_id: 'x', status: 'failed' },
      ],
    }),
  )
  expect(((await report.json()) as { data: object }).data).toEqual({ updated: 0, unknown: ['x', photo!.id] })

  // People read any store, and learn that one does not exist.
  const person = async (path: string) => {
    const { status, body } = await shop.send<{ message: string }>('GET', `/api/v1/sync/product-photos${path}`)
    return [status, body.message]
  }
  expect(await person('/')).toEqual([400, 'store_id is required'])
  expect(await person('/digest')).toEqual([400, 'store_id is required'])
  expect(await person('/?store_id=no-id')).toEqual([404, 'Store not found'])
  expect(await person(`/?store_id=${NOWHERE}`)).toEqual([404, 'Store not found'])
  expect((await shop.send('GET', `/api/v1/sync/product-photos/?store_id=${mine.id}`)).status).toBe(200)
})

test('an edge token is refused from its revocation on, and one of another key always', async () => {
  const shop = await startShop({ empty: true })
  const store = await shop.addStore()
  const made = await shop.send('POST', `/api/v1/stores/${store.id}/tokens`, { name: 'no end', expires_in_days: null })
  expect([made.status, made.body.data.expires_at]).toEqual([201, null])
  const short = await shop.send('POST', `/api/v1/stores/${store.id}/tokens`, { name: 'a day', expires_in_days: 1 })
  expect(Date.parse(String(short.body.data.expires_at)) - Date.now()).toBeGreaterThan(86_000_000)
  const list = await shop.send<{ data: Record<string, unknown>[] }>('GET', `/api/v1/stores/${store.id}/tokens`)
  expect(list.body.data).toHaveLength(3)
  expect(JSON.stringify(list.body)).not.toContain(String(made.body.data.token).split('.')[2])

  expect((await store.fetch(`/digest?store_id=${store.id}`)).status).toBe(200)
  const revoked = await shop.send('DELETE', `/api/v1/stores/${store.id}/tokens/${store.tokenId}`)
  expect([revoked.status, revoked.body.data.revoked_at]).toEqual([200, expect.any(String)])
  expect((await store.fetch(`/digest?store_id=${store.id}`)).status).toBe(401)
  const still = (token: unknown) =>
    fetch(`${shop.url}/api/v1/sync/product-photos/digest?store_id=${store.id}`, { headers: { authorization: `Bearer ${token}` } })
  expect((await still(made.body.data.token)).status).toBe(200)
  // A token of another key, or for people, is none of an edge server.
  const claims = { sub: store.tokenId, store: store.id, typ: 'edge', jti: '1' }
  const forged = createSigner({ key: 'another-key-another-key-another-k', algorithm: 'HS256', iss: 'zinc', aud: 'zinc-edge', kid: 'x' })(
    claims,
  )
  expect((await still(forged)).status).toBe(401)

  expect((await shop.send('DELETE', `/api/v1/stores/${store.id}`)).status).toBe(200)
  expect((await still(made.body.data.token)).status).toBe(401)
  const { body: audit } = await shop.send<{ data: { action: string }[] }>('GET', '/api/settings/integrations/zoho/audit')
  expect(audit.data.map((entry) => entry.action).slice(0, 7)).toEqual([
    'store.delete',
    'edge_token.first_use',
    'edge_token.revoke',
    'edge_token.first_use',
    'edge_token.create',
    'edge_token.create',
    'edge_token.create',
  ])
})

test('stores have a code of their own, and say what is wrong with what is sent', async () => {
  const shop = await startShop({ empty: true })
  const made = await shop.send('POST', '/api/v1/stores', {
    code: 'BGH-1',
    name: 'متجر',
    assortment: { skus: ['A'], categories: null, in_stock: false },
  })
  expect([made.status, made.body.data]).toEqual([
    201,
    expect.objectContaining({ code: 'BGH-1', name: 'متجر', variant: null, assortment: { skus: ['A'] } }),
  ])
  const codes = async (method: string, path: string, value?: object) => {
    const { status, body } = await shop.send<{ code: string }>(method, path, value)
    return [status, body.code]
  }
  expect(await codes('POST', '/api/v1/stores', { code: 'BGH-1', name: 'x' })).toEqual([409, 'store_code_taken'])
  expect(await codes('POST', '/api/v1/stores', { name: 'x' })).toEqual([400, 'bad_request'])
  expect(await codes('POST', '/api/v1/stores', { code: 'c', name: 'x', variant: 'huge' })).toEqual([400, 'bad_request'])
  expect(await codes('POST', '/api/v1/stores', { code: 'c', name: 'x', assortment: { brands: [] } })).toEqual([400, 'unknown_parameter'])
  expect(await codes('PATCH', `/api/v1/stores/${NOWHERE}`, { name: 'x' })).toEqual([404, 'store_not_found'])
  const patched = await shop.send('PATCH', `/api/v1/stores/${made.body.data.id}`, { assortment: { in_stock: true }, variant: 'thumb' })
  expect(patched.body.data).toMatchObject({ name: 'متجر', variant: 'thumb', assortment: { in_stock: true } })
  expect(await codes('DELETE', `/api/v1/stores/${made.body.data.id}/tokens/${NOWHERE}`)).toEqual([404, 'edge_token_not_found'])
})
