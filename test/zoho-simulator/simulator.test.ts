import { expect, onTestFinished, test } from 'vitest'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { FAKE_CREDENTIALS, type SimulatorOptions, startZohoSimulator } from '../../src/zoho-simulator/simulator.ts'

async function startSignedIn(options: SimulatorOptions = {}) {
  const zoho = await startZohoSimulator({ items: createSeed({ count: 400, allImages: true }), ...options })
  onTestFinished(zoho.close)
  const tokenCall = (parameters: Record<string, string>) =>
    fetch(`${zoho.url}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(parameters) })
  const client = { client_id: FAKE_CREDENTIALS.clientId, client_secret: FAKE_CREDENTIALS.clientSecret }
  const refresh = (refresh_token = FAKE_CREDENTIALS.refreshToken) => tokenCall({ ...client, grant_type: 'refresh_token', refresh_token })
  const exchange = (code: string, more: object = {}) => tokenCall({ ...client, grant_type: 'authorization_code', code, ...more })
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
  const json = async (response: Promise<Response>): Promise<any> => (await response).json()
  let token = (await json(refresh())).access_token as string
  return {
    zoho,
    refresh,
    exchange,
    json,
    tokenCall,
    client,
    use: (other: string) => {
      token = other
    },
    get: (path: string, scheme = 'Zoho-oauthtoken') =>
      fetch(`${zoho.url}${path}${path.includes('?') ? '&' : '?'}organization_id=${FAKE_CREDENTIALS.organizationId}`, {
        headers: { authorization: `${scheme} ${token}` },
      }),
  }
}

const ITEMS = '/inventory/v1/items'

test('sign-in takes query, form or Basic, and codes and tokens end as at Zoho', async () => {
  let clock = Date.UTC(2026, 10, 25)
  const { zoho, exchange, refresh, json, client, get, use } = await startSignedIn({ now: () => clock })
  const query = new URLSearchParams({ ...client, grant_type: 'refresh_token', refresh_token: FAKE_CREDENTIALS.refreshToken })
  expect((await json(fetch(`${zoho.url}/oauth/v2/token?${query}`, { method: 'POST' }))).access_token).toBeTruthy()
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: FAKE_CREDENTIALS.refreshToken })
  const viaBasic = fetch(`${zoho.url}/oauth/v2/token`, { method: 'POST', body: form, headers: { authorization: `Basic ${basic}` } })
  expect(await json(viaBasic)).not.toHaveProperty('refresh_token')

  const code = zoho.accounts.issueCode()
  expect((await json(exchange(code))).refresh_token).toBeTruthy()
  expect(await json(exchange(code))).toEqual({ error: 'invalid_code' })
  const late = zoho.accounts.issueCode({ lifeMs: 60_000 })
  clock += 61_000
  expect(await json(exchange(late))).toEqual({ error: 'invalid_code' })
  const bound = zoho.accounts.issueCode({ redirectUri: 'https://a.example/back' })
  expect(await json(exchange(bound, { redirect_uri: 'https://b.example/' }))).toEqual({ error: 'invalid_redirect_uri' })

  const first = (await json(refresh())).access_token as string
  use(first)
  expect((await get(ITEMS)).status).toBe(200)
  for (let n = 0; n < 15; n++) {
    clock += 120_000
    expect((await json(refresh())).access_token).toBeTruthy()
  }
  expect((await get(ITEMS)).status).toBe(401)
  const { refresh_token, access_token } = await json(exchange(zoho.accounts.issueCode()))
  use(access_token)
  expect((await get(ITEMS)).status).toBe(200)
  expect(await json(fetch(`${zoho.url}/oauth/v2/token/revoke?token=${refresh_token}`, { method: 'POST' }))).toEqual({ status: 'success' })
  expect((await get(ITEMS)).status).toBe(401)
  expect(await json(refresh(refresh_token))).toEqual({ error: 'invalid_code' })
  for (let n = 0; n < 20; n++) await exchange(zoho.accounts.issueCode())
  expect(await json(refresh())).toEqual({ error: 'invalid_code' })
})

test.each([
  ['long_400', 400, 'Access Denied'],
  ['long_200', 200, 'Access Denied'],
  ['denied_200', 200, 'access_denied'],
  ['localised_200', 200, '拒绝访问'],
] as const)('an eleventh token in ten minutes is refused in the spelling %s', async (tokenThrottle, status, error) => {
  const { refresh } = await startSignedIn({ toggles: { tokenThrottle, expiresIn: 'both', apiDomain: 'https://evil.example' } })
  for (let n = 0; n < 9; n++)
    expect(await (await refresh()).json()).toMatchObject({
      expires_in: 3_600_000,
      expires_in_sec: 3600,
      api_domain: 'https://evil.example',
    })
  const refused = await refresh()
  expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([status, error])
})

test('the API checks scheme, scopes and organisation, and sends the headers of the day', async () => {
  const { zoho, get, json, tokenCall, client } = await startSignedIn({ scopes: ['ZohoInventory.items.READ'] })
  expect((await get(ITEMS, 'Bearer')).status).toBe(200)
  expect((await get(`${ITEMS}?authtoken=x`, 'Basic')).status).toBe(401)
  const response = await get(ITEMS)
  expect(response.headers.get('content-disposition')).toBe('attachment;')
  expect(response.headers.get('etag')).toBeNull()
  expect(Number(response.headers.get('x-rate-limit-reset'))).toBeGreaterThan(0)
  expect(Number(response.headers.get('x-rate-limit-limit')) - Number(response.headers.get('x-rate-limit-remaining'))).toBe(2)
  const organizations = await get('/inventory/v1/organizations')
  expect([organizations.status, organizations.headers.get('x-rate-limit-limit')]).toEqual([200, null])
  expect((await organizations.json()) as object).not.toHaveProperty('page_context')
  expect(await json(tokenCall({ ...client }))).toEqual({ error: 'invalid_request' })
  zoho.expireTokens()
  Object.assign(zoho.toggles, { tokenRefusal: { status: 200, code: 14 } })
  const refused = await get(ITEMS)
  expect([refused.status, await refused.json()]).toEqual([200, { code: 14, message: 'Invalid value passed for authtoken' }])
})

test('the list: filters, sorting, pages at exact multiples and past the end, and the switches for them', async () => {
  const { zoho, get, json } = await startSignedIn()
  const list = (query: string) => json(get(`${ITEMS}?${query}`))
  const [item] = zoho.items()
  expect((await list('page=1')).page_context).toMatchObject({
    per_page: 200,
    has_more_page: true,
    sort_column: 'name',
    report_name: 'Items',
  })
  expect((await list('page=2')).page_context.has_more_page).toBe(false)
  expect((await list('page=3')).items).toEqual([])
  expect((await list('per_page=500')).items).toHaveLength(200)
  expect((await list(`sku=${item!.sku}`)).items).toHaveLength(1)
  expect((await list('name_contains=usb-c')).items.every((it: { name: string }) => /usb-c/i.test(it.name))).toBe(true)
  const inactive = zoho.items().filter((it) => it.status === 'inactive').length
  expect((await list('filter_by=Status.Inactive')).items).toHaveLength(inactive)
  const down = (await list('sort_column=rate&sort_order=D')).items as { rate: number }[]
  expect(down.every((it, n) => n === 0 || it.rate <= down[n - 1]!.rate)).toBe(true)
  Object.assign(zoho.toggles, { pagePastEnd: 'refuse', perPageAbove200: 'refuse' })
  for (const query of ['page=3', 'per_page=500']) expect((await get(`${ITEMS}?${query}`)).status).toBe(400)
})

test('details, galleries and pictures look as at Zoho, with and without a picture', async () => {
  const { zoho, get, json } = await startSignedIn()
  const [with_, without] = zoho.items()
  zoho.edit(with_!.item_id, { gallery: [{ document_id: '460000000099000001', file_name: 'back.jpg', image_seed: 9_001 }] })
  zoho.edit(without!.item_id, { image_document_id: '', image_name: '' })
  const { items } = await json(get(`/inventory/v1/itemdetails?item_ids=${with_!.item_id},404,${without!.item_id}`))
  expect(items).toHaveLength(2)
  expect(items[0].documents.map((it: { attachment_order: number }) => it.attachment_order)).toEqual([1, 2])
  expect(items[1]).toMatchObject({ documents: [], image_name: '' })
  expect(items[1]).not.toHaveProperty('image_document_id')
  expect(items[1]).not.toHaveProperty('has_attachment')
  const bytes = async (path: string) => Buffer.from(await (await get(path)).arrayBuffer())
  const main = await bytes(`${ITEMS}/${with_!.item_id}/image`)
  expect(main.equals(await bytes(`/inventory/v1/documents/${with_!.image_document_id}`))).toBe(true)
  expect(main.equals(await bytes('/inventory/v1/documents/460000000099000001'))).toBe(false)
  for (const [noImage, status, length] of [
    ['404', 404, null],
    ['200_json', 200, null],
    ['200_empty', 200, 0],
    ['204', 204, 0],
  ] as const) {
    zoho.toggles.noImage = noImage
    const none = await get(`${ITEMS}/${without!.item_id}/image`)
    expect(none.status).toBe(status)
    if (length !== null) expect((await none.arrayBuffer()).byteLength).toBe(length)
  }
  for (const [imageType, type] of [
    ['missing', null],
    ['octet_stream', 'application/octet-stream'],
    ['wrong', 'text/html;charset=UTF-8'],
  ] as const) {
    zoho.toggles.imageType = imageType
    expect((await get(`${ITEMS}/${with_!.item_id}/image`)).headers.get('content-type')?.replace('; ', ';') ?? null).toBe(type)
  }
  const before = { document: with_!.image_document_id, modified: with_!.modified.getTime() }
  zoho.moveStock(with_!.item_id, 3)
  expect(with_!.modified.getTime()).toBe(before.modified)
  zoho.replaceImage(with_!.item_id, 9_002)
  expect(zoho.items().find((it) => it.item_id === with_!.item_id)!.image_document_id).not.toBe(before.document)
  zoho.remove(with_!.item_id)
  expect((await get(`${ITEMS}/${with_!.item_id}`)).status).toBe(404)
  zoho.toggles.maxDetailIds = 2
  expect((await get('/inventory/v1/itemdetails?item_ids=1,2,3')).status).toBe(414)
})
