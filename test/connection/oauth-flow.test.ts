import { expect, onTestFinished, test } from 'vitest'
import { DATA_CENTERS, type DataCenter } from '../../src/facts/data-centers.ts'
import { FAKE_CREDENTIALS, startZohoSimulator, type ZohoSimulator } from '../../src/zoho-simulator/simulator.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const NOTHING = { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', ZOHO_ORGANIZATION_ID: '' }
const CLIENT = { client_id: FAKE_CREDENTIALS.clientId, client_secret: FAKE_CREDENTIALS.clientSecret }
const CALLBACK = '/api/settings/integrations/zoho/oauth/callback'

/** A simulator of another data centre: it does not know our client. */
async function foreign(): Promise<ZohoSimulator> {
  const zoho = await startZohoSimulator({ items: [], credentials: { ...FAKE_CREDENTIALS, clientId: '1000.ANOTHERFAKE' } })
  onTestFinished(() => zoho.close())
  return zoho
}
const table = (of: (dataCenter: DataCenter) => ZohoSimulator) => ({
  dataCenters: Object.fromEntries(DATA_CENTERS.map((it) => [it, { accountsUrl: of(it).url, apiUrl: of(it).url }])) as Record<
    DataCenter,
    { accountsUrl: string; apiUrl: string }
  >,
})

test('a pasted grant code becomes a stored refresh token; a used code is refused with a remedy', async () => {
  const zinc = await startZinc({ environment: NOTHING })
  expect(await request(zinc, 'POST', '/authorize', { code: 'any' })).toMatchObject({ status: 502, body: { code: 'not_set_up' } })
  expect(await request(zinc, 'POST', '/authorize', {})).toMatchObject({ status: 400, body: { message: 'code is required' } })
  await request(zinc, 'POST', '/', CLIENT)
  const code = zinc.zoho.accounts.issueCode()
  const done = await request(zinc, 'POST', '/authorize', { code })
  expect(done).toMatchObject({ status: 200, body: { data: { state: 'connected' } } })
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    organization_id: FAKE_CREDENTIALS.organizationId,
    refresh_token: expect.stringMatching(/^••••.{4}$/),
    organization: { time_zone: 'Asia/Baghdad' },
    connection: { state: 'connected' },
  })
  // The token that came with the code is used: no other one is asked for.
  expect(zinc.zoho.counters.token).toBe(1)
  expect((await zinc.sync()).status).toBe('success')
  expect(zinc.zoho.counters.token).toBe(1)

  expect(await request(zinc, 'POST', '/authorize', { code })).toMatchObject({
    status: 502,
    body: { code: 'invalid_code', detail: { remedy: expect.stringContaining('new code') } },
  })
  const online = zinc.zoho.accounts.issueCode({ offline: false })
  expect(await request(zinc, 'POST', '/authorize', { code: online })).toMatchObject({ status: 502, body: { code: 'no_refresh_token' } })
  expect((await request(zinc, 'GET', '/')).body.data.connection.state).toBe('connected')
})

/** What a browser does: keeps the cookies of the answer, follows by hand. */
async function begin(zinc: TestZinc) {
  const start = await zinc.call('/api/settings/integrations/zoho/oauth/start', { redirect: 'manual' })
  const [cookie = ''] = start.headers.getSetCookie().filter((it) => it.startsWith('zinc_consent='))
  return {
    status: start.status,
    location: new URL(start.headers.get('location') ?? 'http://none'),
    cookie: cookie.split(';')[0]!,
    attributes: cookie,
  }
}
const back = (zinc: TestZinc, query: Record<string, string>, cookie?: string) =>
  fetch(`${zinc.url}${CALLBACK}?${new URLSearchParams(query)}`, { redirect: 'manual', headers: cookie === undefined ? {} : { cookie } })

test('a consent is accepted once, in the same browser, with its own state', async () => {
  const zinc = await startZinc({ environment: NOTHING })
  const { zoho } = zinc
  await request(zinc, 'POST', '/', CLIENT)
  const first = await begin(zinc)
  expect(first.status).toBe(302)
  expect(first.location.origin).toBe(zoho.url)
  const asked = Object.fromEntries(first.location.searchParams)
  expect(asked).toMatchObject({ response_type: 'code', access_type: 'offline', prompt: 'consent', redirect_uri: `${zinc.url}${CALLBACK}` })
  expect(asked.scope!.split(',')).toContain('ZohoInventory.items.READ')
  expect(first.location.href).not.toContain(FAKE_CREDENTIALS.clientSecret)
  expect(first.attributes).toMatch(/HttpOnly/i)
  expect(first.attributes).toMatch(/SameSite=Lax/i)

  // Zoho's page, accepted.
  const page = await (await fetch(first.location)).text()
  const accept = /id="accept" href="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&')
  const returned = new URL((await fetch(new URL(accept, zoho.url), { redirect: 'manual' })).headers.get('location')!)
  const query = Object.fromEntries(returned.searchParams)

  // Without the cookie, with another browser's, or with a state of nobody: 400, and the state is
  // not spent by a guess without it.
  const other = await begin(zinc)
  expect((await back(zinc, query)).status).toBe(400)
  expect((await back(zinc, { ...query, state: 'made-up' }, first.cookie)).status).toBe(400)
  // An accounts-server outside of the table is not even looked at: no byte goes there.
  const thief = await foreign()
  const done = await back(zinc, { ...query, 'accounts-server': thief.url }, first.cookie)
  expect([done.status, done.headers.get('location')]).toEqual([302, '/settings/integrations/zoho?consent=success'])
  expect(thief.counters.token).toBe(0)
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    connection: { state: 'connected' },
    sources: { refresh_token: 'stored' },
  })
  const replay = await back(zinc, query, first.cookie)
  expect([replay.status, ((await replay.json()) as { code: string }).code]).toEqual([400, 'invalid_state'])

  const state = other.location.searchParams.get('state')!
  const foreignCookie = await back(zinc, { state, code: zoho.accounts.issueCode() }, first.cookie)
  expect(foreignCookie.status).toBe(400)

  const refused = await begin(zinc)
  const denied = await back(zinc, { error: 'access_denied', state: refused.location.searchParams.get('state')! }, refused.cookie)
  expect(await denied.json()).toMatchObject({ code: 'consent_denied', detail: { remedy: expect.any(String) } })
  const person = await begin(zinc)
  const shown = await fetch(`${zinc.url}${CALLBACK}?error=access_denied&state=${person.location.searchParams.get('state')}`, {
    redirect: 'manual',
    headers: { cookie: person.cookie, accept: 'text/html' },
  })
  expect(shown.headers.get('location')).toBe('/settings/integrations/zoho?consent=consent_denied')
  const audit = await zinc.services.db.auditEntry.findMany({ where: { fields: { has: 'refresh_token' } } })
  expect(audit.map((it) => it.actor)).toEqual(['admin'])
})

longTest('a state older than ten minutes is refused', async () => {
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} }
  const zinc = await startZinc({ environment: NOTHING, clock })
  await request(zinc, 'POST', '/', CLIENT)
  const begun = await begin(zinc)
  aheadMs = 10 * 60_000 + 1
  const late = await back(zinc, { state: begun.location.searchParams.get('state')!, code: zinc.zoho.accounts.issueCode() }, begun.cookie)
  expect(late.status).toBe(400)
})

test('the right data centre is looked up after invalid_client, and only by the connection test', async () => {
  const elsewhere = await foreign()
  const zinc = await startZinc({
    environment: { ZOHO_ACCOUNTS_URL: '', ZOHO_API_URL: '', ZOHO_DATA_CENTER: 'com' },
    overrides: (zoho) => table((dataCenter) => (dataCenter === 'eu' ? zoho : elsewhere)),
  })
  const { zoho } = zinc
  expect(await request(zinc, 'POST', '/test')).toMatchObject({
    status: 502,
    body: { code: 'wrong_data_center', detail: { data_center: 'eu', remedy: expect.stringContaining('eu') } },
  })
  expect([elsewhere.counters.token, zoho.counters.token]).toEqual([1 + 7, 1])
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'stale', code: 'wrong_data_center' })
  // A sync does not look: that is for /test only.
  expect(await request(zinc, 'POST', '/sync/item/execute')).toMatchObject({ status: 502, body: { code: 'invalid_client' } })
  expect([elsewhere.counters.token, zoho.counters.token]).toEqual([9, 1])
})

test('a revoked token is looked up in every data centre; a wrong secret or fixed hosts in none', async () => {
  const elsewhere = await foreign()
  const zinc = await startZinc({
    environment: { ...NOTHING, ZOHO_ACCOUNTS_URL: '', ZOHO_API_URL: '' },
    overrides: (zoho) => table((dataCenter) => (dataCenter === 'com' ? zoho : elsewhere)),
  })
  await request(zinc, 'POST', '/', { ...CLIENT, refresh_token: 'fake-and-revoked', organization_id: FAKE_CREDENTIALS.organizationId })
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'invalid_code' } })
  expect([zinc.zoho.counters.token, elsewhere.counters.token]).toEqual([1, 8])
  expect((await request(zinc, 'GET', '/')).body.data.connection.state).toBe('revoked')
  await request(zinc, 'POST', '/', { client_secret: 'fake-but-wrong' })
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'invalid_client_secret' } })
  expect([zinc.zoho.counters.token, elsewhere.counters.token]).toEqual([2, 8])

  const overridden = await startZinc({ environment: { ZOHO_REFRESH_TOKEN: 'fake-and-revoked' }, overrides: () => table(() => elsewhere) })
  expect(await request(overridden, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'invalid_code' } })
  expect(elsewhere.counters.token).toBe(8)
})

longTest('a consent given in another data centre is exchanged there, and the data centre is kept', async () => {
  const elsewhere = await foreign()
  const zinc = await startZinc({
    environment: { ...NOTHING, ZOHO_ACCOUNTS_URL: '', ZOHO_API_URL: '' },
    overrides: (zoho) => table((dataCenter) => (dataCenter === 'in' ? zoho : elsewhere)),
  })
  await request(zinc, 'POST', '/', CLIENT)
  const begun = await begin(zinc)
  const code = zinc.zoho.accounts.issueCode({ redirectUri: `${zinc.url}${CALLBACK}` })
  const done = await back(
    zinc,
    { code, state: begun.location.searchParams.get('state')!, location: 'in', 'accounts-server': zinc.zoho.url },
    begun.cookie,
  )
  expect(done.status).toBe(302)
  expect(elsewhere.counters.token).toBe(0)
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    data_center: 'in',
    organization_id: FAKE_CREDENTIALS.organizationId,
    connection: { state: 'connected' },
  })
})
