import { pino } from 'pino'
import { Agent } from 'undici'
import { beforeAll, expect, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createClient } from '../../src/connection/create-client.ts'
import { openDatabase } from '../../src/database/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createEncryption } from '../../src/settings/encryption.ts'
import { createSeed } from '../../src/zoho-simulator/seed.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { createFastClock } from '../helpers/clock.ts'
import { longTest, shortened, times } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { openZinc, startZinc, type TestZinc } from '../helpers/zinc.ts'

const LIST = /inventory\/v1\/items\?/

let shop: TestZinc
beforeAll(async () => {
  const opened = await openZinc()
  shop = opened
  return opened.end
})

test.each(
  shortened(4, [
    ['a page of HTML with status 200', { body: '<html>Sign in</html>', contentType: 'text/html' }],
    ['a refused token', { status: 401, body: '{"code":57,"message":"You are not authorized to perform this operation"}' }],
    ['a body that breaks off', { cut: 'body' as const }],
    ['an empty body', { body: '' }],
    ['a page of HTML with status 502', { status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' }],
    ['an internal error in JSON', { status: 500, body: '{"code":1000,"message":"Internal error"}' }],
    ['a reset connection', { cut: 'reset' as const }],
    ['JSON that is cut', { body: '{"code":0,"items":[{"item_id":"460000000000100001","name":"Cut' }],
    [
      'names in another charset',
      { body: Buffer.from('{"code":0,"items":[{"item_id":"460000000000100001","name":"\xe4\xe6\xd1"}]}', 'latin1') },
    ],
    ['"not authorized" with status 200', { body: '{"code":57,"message":"You are not authorized to perform this operation"}' }],
    ['a refused token with status 200', { body: '{"code":14,"message":"Invalid value passed for authtoken"}' }],
  ]),
)('one answer with %s is asked for again and loses nothing', async (name, fault) => {
  const { zoho, sync, services } = shop
  const [item] = zoho.items()
  zoho.edit(item!.item_id, { name: `Renamed for ${name}` })
  zoho.fail({ path: LIST, times: 1, ...fault })
  expect(await sync('?mode=full')).toMatchObject({ status: 'success', statistics: { total: 30 } })
  const names = (await services.db.product.findMany({ where: { deleted_at: null } })).map((it) => it.name)
  expect(names.sort()).toEqual(
    zoho
      .items()
      .map((it) => it.name)
      .sort(),
  )
})

longTest('"Access Denied" instead of a token parks the run without calls until Zoho recovers', async () => {
  const clock = createFastClock(600)
  const { zoho, services, call } = await startZinc({ clock, now: () => clock.now().getTime() })
  zoho.fail({ path: /oauth\/v2\/token/, times: 1, body: '{"error":"access_denied"}' })
  const response = await call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
  const parked = (await response.json()) as { status: string; run_id: string; resumes_at: string; remedy: string }
  expect(parked).toMatchObject({ status: 'paused', remedy: expect.stringMatching(/\w{4}/) })
  expect(Date.parse(parked.resumes_at) - clock.now().getTime()).toBeGreaterThan(10 * 60_000)
  expect(zoho.counters.token).toBeLessThanOrEqual(1)
  await waitFor(async () => (await services.runs.get(parked.run_id)).state === 'success')
  expect(zoho.counters.token).toBeLessThanOrEqual(2)
  expect(await services.db.product.count()).toBe(30)
})

longTest.each([
  ['repeats page 1', (first: string) => first],
  ['is empty and says that more follow', () => JSON.stringify({ code: 0, items: [], page_context: { has_more_page: true } })],
  ['is empty and ends the list', () => JSON.stringify({ code: 0, items: [], page_context: { has_more_page: false } })],
  ['has no rows', () => JSON.stringify({ code: 0, message: 'success' })],
])('a second page that %s overwrites and removes nothing', async (_name, bodyFrom) => {
  const { zoho, sync, services } = await startZinc({ items: createSeed({ count: 450 }) })
  await sync()
  const before = await services.db.product.findMany({ orderBy: { id: 'asc' } })
  const token = await signInAt(zoho.url)
  const first = await (
    await fetch(
      `${zoho.url}/inventory/v1/items?organization_id=${FAKE_CREDENTIALS.organizationId}&filter_by=Status.All&sort_column=last_modified_time&sort_order=A&per_page=200&page=1`,
      { headers: { authorization: `Zoho-oauthtoken ${token}` } },
    )
  ).text()
  zoho.fail({ path: LIST, times: 1_000, after: 1, body: bodyFrom(first) })
  const calls = zoho.meter.calls
  const response = (await sync('?mode=full&confirm_removals=true')) as unknown as {
    status: string
    cause?: string
    statistics?: { removed: number }
  }
  expect(['failed', 'partial', 'error']).toContain(response.status)
  expect(response.statistics?.removed ?? 0).toBe(0)
  expect(zoho.meter.calls - calls).toBeLessThan(10)
  expect(await services.db.product.findMany({ orderBy: { id: 'asc' } })).toEqual(before)
  zoho.clearFaults()
  expect(await sync('?mode=full')).toMatchObject({ status: 'success', statistics: { total: 450, unchanged: 450, removed: 0 } })
})

async function signInAt(url: string): Promise<string> {
  const { clientId, clientSecret, refreshToken } = FAKE_CREDENTIALS
  const form = { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken }
  const response = await fetch(`${url}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) })
  return ((await response.json()) as { access_token: string }).access_token
}

const causes: [string, Record<string, string>, string][] = [
  ['wrong secret', { ZOHO_CLIENT_SECRET: 'fake-but-wrong' }, 'invalid_client_secret'],
  ['unknown client', { ZOHO_CLIENT_ID: '1000.ANOTHERFAKE' }, 'invalid_client'],
  ['revoked refresh token', { ZOHO_REFRESH_TOKEN: 'fake-and-revoked' }, 'invalid_code'],
  ['unknown organisation', { ZOHO_ORGANIZATION_ID: '1' }, 'unknown_organization'],
  ['nothing set up', { ZOHO_CLIENT_ID: '' }, 'not_set_up'],
]
test.each(causes.slice(0, times(1, causes.length)))(
  "with %s the sync answers 502 with Zoho's code and the next step",
  async (_name, environment, code) => {
    const { call } = await startZinc({ environment })
    const response = await call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
    expect(response.status).toBe(502)
    const body = (await response.json()) as { code: string; detail: { remedy: string; run_id: string } }
    expect(body.code).toBe(code)
    expect(body.detail.remedy.length).toBeGreaterThan(20)
  },
)

longTest('200 calls that find their token refused at the same moment refresh it once', async () => {
  const { zoho, services, environment } = await startZinc()
  await using stack = new AsyncDisposableStack()
  const dispatcher = stack.adopt(new Agent({ connections: 50 }), (it) => it.close())
  const config = parseConfig(environment)
  const encryption = createEncryption(() => [Buffer.alloc(32, 1)])
  // Two clients with pools of their own, as two processes have.
  const clients = [services.db, stack.adopt(openDatabase(services.databaseUrl), (db) => db.$disconnect())].map((db) =>
    createClient({ db, encryption, clock: systemClock, log: pino({ level: 'silent' }), dispatcher, settings: config.zoho }),
  )
  const requestPage = (n: number) =>
    clients[n % 2]!.json({ path: '/inventory/v1/items', query: { per_page: '1' }, job: 'items' }, AbortSignal.timeout(60_000))
  await requestPage(0)
  await requestPage(1)
  const before = zoho.counters.token
  zoho.expireTokens()
  const responses = await Promise.all(Array.from({ length: 200 }, (_, n) => requestPage(n)))
  expect(responses.every(({ body }) => body.code === 0)).toBe(true)
  expect(zoho.counters.token - before).toBe(1)
})

test('the refresh token and the access token stand in no row and no log in the clear', async () => {
  const lines: string[] = []
  const { sync, services } = await startZinc()
  await sync()
  for (const table of ['zoho_token', 'zoho_call', 'run', 'failure', 'app_user', 'refresh_token']) {
    lines.push(JSON.stringify(await services.db.$queryRawUnsafe(`select to_jsonb(t) from ${table} t`)))
  }
  const all = lines.join('\n')
  for (const secret of [FAKE_CREDENTIALS.refreshToken, FAKE_CREDENTIALS.clientSecret, '1000.fake.', 'a-password-for-tests'])
    expect(all).not.toContain(secret)
})

test('while rows are edited, added and removed between pages, none is missed and none is doubled', async () => {
  const { zoho, sync, services } = await startZinc({ items: createSeed({ count: 700 }) })
  const [first, second, third] = zoho.items()
  zoho.beforePages(
    () => {},
    () => {
      zoho.remove(first!.item_id)
      zoho.edit(second!.item_id, { name: 'Edited while being read' })
      zoho.add({ ...third!, item_id: '460000009990000009', sku: 'ADDED', modified: new Date() })
    },
  )
  await sync()
  const products = await services.db.product.findMany({ select: { zoho_item_id: true, name: true } })
  const known = new Map(products.map((product) => [product.zoho_item_id, product.name]))
  for (const item of zoho.items()) expect(known.get(item.item_id)).toBe(item.name)
  expect(products.length).toBe(701)
})

longTest('more rows in one second than a page holds are all read', async () => {
  const same = new Date('2026-02-03T04:05:06Z')
  const items = createSeed({ count: 900 }).map((item, n) => (n > 100 && n < 620 ? { ...item, modified: same } : item))
  const { sync, services } = await startZinc({ items })
  expect((await sync()).statistics).toMatchObject({ total: 900, new: 900 })
  expect(await services.db.product.count()).toBe(900)
})
