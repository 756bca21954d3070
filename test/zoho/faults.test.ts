import { pino } from 'pino'
import { Agent } from 'undici'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { parseConfig } from '../../src/config.ts'
import { openZoho } from '../../src/connect/open-zoho.ts'
import { openDatabase } from '../../src/db.ts'
import { createSecrets } from '../../src/settings/secrets.ts'
import { FAKE_CREDENTIALS } from '../../src/simulator/zoho.ts'
import { startZinc } from '../helpers/zinc.ts'

const LIST = /inventory\/v1\/items\?/

test.each([
  ['a page of HTML with status 200', { body: '<html>Sign in</html>', contentType: 'text/html' }],
  ['a page of HTML with status 502', { status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' }],
  ['an empty body', { body: '' }],
  ['an internal error in JSON', { status: 500, body: '{"code":1000,"message":"Internal error"}' }],
  ['a reset connection', { cut: 'reset' as const }],
  ['a body that breaks off', { cut: 'body' as const }],
  ['a refused token', { status: 401, body: '{"code":57,"message":"You are not authorized to perform this operation"}' }],
  ['a refused token with status 200', { body: '{"code":14,"message":"Invalid value passed for authtoken"}' }],
])('one answer with %s is asked for again and loses nothing', async (_name, fault) => {
  const { zoho, sync, services } = await startZinc()
  zoho.fail({ path: LIST, times: 1, ...fault })
  expect(await sync()).toMatchObject({ status: 'success', statistics: { total: 30, new: 30 } })
  expect(await services.db.product.count()).toBe(30)
})

test.each([
  ['wrong secret', { ZOHO_CLIENT_SECRET: 'fake-but-wrong' }, 'invalid_client_secret'],
  ['unknown client', { ZOHO_CLIENT_ID: '1000.ANOTHERFAKE' }, 'invalid_client'],
  ['revoked refresh token', { ZOHO_REFRESH_TOKEN: 'fake-and-revoked' }, 'invalid_code'],
  ['unknown organisation', { ZOHO_ORGANIZATION_ID: '1' }, '6041'],
  ['nothing set up', { ZOHO_CLIENT_ID: '' }, 'not_set_up'],
])("with %s the sync answers 502 with Zoho's code and the next step", async (_name, environment, code) => {
  const { call } = await startZinc({ environment })
  const answer = await call('/api/settings/integrations/zoho/sync/item/execute', { method: 'POST' })
  expect(answer.status).toBe(502)
  const body = (await answer.json()) as { code: string; detail: { remedy: string; run_id: string } }
  expect(body.code).toBe(code)
  expect(body.detail.remedy.length).toBeGreaterThan(20)
})

test('200 calls that find their token refused at the same moment refresh it once', async () => {
  const { zoho, services, environment } = await startZinc()
  await using stack = new AsyncDisposableStack()
  const dispatcher = stack.adopt(new Agent({ connections: 50 }), (it) => it.close())
  const config = parseConfig(environment)
  const secrets = createSecrets(() => [Buffer.alloc(32, 1)])
  // Two clients with pools of their own, as two processes have.
  const clients = [services.db, stack.adopt(openDatabase(services.databaseUrl), (db) => db.$disconnect())].map((db) =>
    openZoho({ db, secrets, clock: systemClock, log: pino({ level: 'silent' }), dispatcher, settings: config.zoho }),
  )
  const ask = (n: number) =>
    clients[n % 2]!.json({ path: '/inventory/v1/items', query: { per_page: '1' }, job: 'items' }, AbortSignal.timeout(60_000))
  await ask(0)
  await ask(1)
  const before = zoho.counters.token
  zoho.expireTokens()
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)))
  expect(answers.every(({ body }) => body.code === 0)).toBe(true)
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
  const { createCatalogue } = await import('../../src/simulator/catalogue.ts')
  const { zoho, sync, services } = await startZinc({ items: createCatalogue({ count: 700 }) })
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

test('more rows in one second than a page holds are all read', async () => {
  const { createCatalogue } = await import('../../src/simulator/catalogue.ts')
  const same = new Date('2026-02-03T04:05:06Z')
  const items = createCatalogue({ count: 900 }).map((item, n) => (n > 100 && n < 620 ? { ...item, modified: same } : item))
  const { sync, services } = await startZinc({ items })
  expect((await sync()).statistics).toMatchObject({ total: 900, new: 900 })
  expect(await services.db.product.count()).toBe(900)
})
