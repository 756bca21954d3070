import { expect, test } from 'vitest'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

const NOTHING = { ZOHO_CLIENT_ID: '', ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', ZOHO_ORGANIZATION_ID: '' }

test('from nothing set up to a real sync, on settings alone: stored, masked, tested, chosen, audited', async () => {
  const zinc = await startZinc({ environment: NOTHING })
  const { services, zoho } = zinc

  const empty = await request(zinc, 'GET', '/')
  expect(empty.body.data).toMatchObject({
    enabled: true,
    organization_id: null,
    data_center: 'com',
    client_id: null,
    client_secret: null,
    refresh_token: null,
    sources: { client_id: 'none', client_secret: 'none', refresh_token: 'none', organization_id: 'none', data_center: 'none' },
    connection: { state: 'not_set_up', until: null, code: 'not_set_up' },
    hosts_overridden: true,
  })
  expect(empty.body.data.modules.map((it: { name: string; slug: string; enabled: boolean; last_sync: unknown }) => it)).toMatchObject([
    { name: 'Zoho CRM', slug: 'crm', enabled: true, last_sync: null },
    { name: 'Zoho Books', slug: 'books', enabled: true, last_sync: null },
    { name: 'Zoho Inventory', slug: 'inventory', enabled: true, last_sync: null, schedule: null, next_run: null },
    { name: 'Zoho Invoice', slug: 'invoice', enabled: false, last_sync: null },
  ])
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'not_set_up' } })

  const saved = await request(zinc, 'POST', '/', {
    client_id: FAKE_CREDENTIALS.clientId,
    client_secret: FAKE_CREDENTIALS.clientSecret,
    refresh_token: FAKE_CREDENTIALS.refreshToken,
  })
  expect(saved.body.data).toMatchObject({
    client_id: FAKE_CREDENTIALS.clientId,
    client_secret: '••••cret',
    refresh_token: '••••oken',
    sources: { client_secret: 'stored' },
    connection: { state: 'not_set_up', cause: expect.stringContaining('organization_id') },
  })

  const organizations = await request(zinc, 'GET', '/organizations')
  expect(organizations.body.data).toEqual([
    { id: FAKE_CREDENTIALS.organizationId, name: 'Demo Electronics', currency: 'USD', time_zone: 'Asia/Baghdad', selected: false },
  ])
  expect(await request(zinc, 'PUT', '/organization', { id: '1' })).toMatchObject({ status: 404, body: { code: 'organization_not_found' } })
  expect(await request(zinc, 'PUT', '/organization', { id: FAKE_CREDENTIALS.organizationId })).toMatchObject({
    status: 200,
    body: { data: { currency: 'USD', time_zone: 'Asia/Baghdad' } },
  })
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'connected', code: null })

  const tested = await request(zinc, 'POST', '/test')
  expect(tested.status).toBe(200)
  const names = tested.body.data.checks.map((it: { name: string }) => it.name)
  for (const name of ['sign_in', 'organization', 'ZohoInventory.items.READ', 'item', 'picture', 'quota', 'clock'])
    expect(names).toContain(name)
  expect(tested.body.data.checks.filter((it: { ok: boolean }) => !it.ok)).toEqual([])
  expect(tested.body.data).toMatchObject({ ok: true, organization: { name: 'Demo Electronics' }, api_domain: zoho.url })
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'connected', cause: null })

  // What a page sends back whole changes nothing, masks least of all; a mask of something else is
  // no value either.
  const before = await services.db.setting.findMany({ orderBy: { name: 'asc' } })
  const whole = (await request(zinc, 'GET', '/')).body.data
  expect((await request(zinc, 'POST', '/', whole)).status).toBe(200)
  await request(zinc, 'POST', '/', { client_secret: '••••1234', organization_id: '••••' })
  expect(await services.db.setting.findMany({ orderBy: { name: 'asc' } })).toEqual(before)

  const synced = await request(zinc, 'POST', '/modules/Zoho%20Inventory/sync')
  expect(synced.body).toMatchObject({ status: 'success', mode: 'full', statistics: { total: 30, images_failed: 0 } })
  expect(synced.body.statistics.images_downloaded).toBeGreaterThan(0)
  const module = (await request(zinc, 'GET', '/modules/inventory')).body.data
  expect(Date.parse(module.last_sync)).toBeGreaterThan(Date.now() - 60_000)
  expect(module.last_run).toMatchObject({ id: synced.body.run_id, state: 'success' })

  // A failed one does not move it.
  zoho.revoke()
  expect(await request(zinc, 'POST', '/modules/inventory/sync?mode=full')).toMatchObject({ status: 502, body: { code: 'invalid_code' } })
  expect((await request(zinc, 'GET', '/modules/inventory')).body.data.last_sync).toBe(module.last_sync)
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'revoked', code: 'invalid_code' })

  const audit = await services.db.auditEntry.findMany({ where: { action: 'settings.change' }, orderBy: { id: 'asc' } })
  expect(audit.map((it) => it.fields)).toEqual([['client_id', 'client_secret', 'refresh_token'], ['organization_id']])
})

longTest('modules are switched and scheduled by name or slug, and what is off is not synced', async () => {
  const zinc = await startZinc()
  await request(zinc, 'GET', '/organizations') // tells the zone
  expect(await request(zinc, 'PATCH', '/modules/Zoho%20Inventory', { enabled: false })).toMatchObject({
    status: 200,
    body: { data: { enabled: false } },
  })
  expect(await request(zinc, 'POST', '/modules/inventory/sync')).toMatchObject({ status: 409, body: { code: 'module_disabled' } })
  expect(await request(zinc, 'POST', '/modules/invoice/sync')).toMatchObject({ status: 409, body: { code: 'module_disabled' } })
  expect(await request(zinc, 'PATCH', '/modules/nothing', { enabled: true })).toMatchObject({
    status: 404,
    body: { code: 'module_not_found' },
  })
  expect(await request(zinc, 'PATCH', '/modules/inventory', { schedule: 'every day' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_schedule' },
  })
  expect(await request(zinc, 'PATCH', '/modules/inventory', { schedule: '0 0 30 2 *' })).toMatchObject({
    status: 400,
    body: { code: 'invalid_schedule' },
  })

  const scheduled = await request(zinc, 'PATCH', '/modules/inventory', { enabled: true, schedule: '30 9 * * *' })
  // 9:30 in Baghdad is 6:30 UTC, all the year.
  expect(scheduled.body.data).toMatchObject({ schedule: '30 9 * * *', next_run: expect.stringMatching(/T06:30:00\.000Z$/) })
  const preview = await request(zinc, 'GET', `/schedule/preview?cron=${encodeURIComponent('30 9 * * *')}&count=3`)
  expect(preview.body.data.time_zone).toBe('Asia/Baghdad')
  expect(preview.body.data.next.map((it: { local: string }) => it.local.slice(11))).toEqual(['09:30', '09:30', '09:30'])
  expect(await request(zinc, 'GET', '/schedule/preview?cron=x')).toMatchObject({ status: 400, body: { code: 'invalid_schedule' } })
  expect((await request(zinc, 'PATCH', '/modules/inventory', { schedule: null })).body.data).toMatchObject({
    schedule: null,
    next_run: null,
  })

  await request(zinc, 'POST', '/', { enabled: false })
  expect(await request(zinc, 'POST', '/modules/inventory/sync')).toMatchObject({ status: 409, body: { code: 'integration_disabled' } })
  expect(await request(zinc, 'POST', '/sync/item/execute')).toMatchObject({ status: 409, body: { code: 'integration_disabled' } })
})

test('what the environment sets beats what is stored and cannot be changed over HTTP', async () => {
  const zinc = await startZinc()
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    client_secret: '••••cret',
    sources: { client_secret: 'environment', data_center: 'none' },
  })
  for (const change of [{ client_secret: 'another-fake-secret' }, { refresh_token: null }, { organization_id: '1' }]) {
    expect(await request(zinc, 'POST', '/', change)).toMatchObject({
      status: 409,
      body: { code: 'set_by_environment', detail: { remedy: expect.any(String) } },
    })
  }
  expect(await request(zinc, 'POST', '/authorize', { code: 'any' })).toMatchObject({ status: 409, body: { code: 'set_by_environment' } })
  expect(await request(zinc, 'PUT', '/organization', { id: FAKE_CREDENTIALS.organizationId })).toMatchObject({ status: 200 })
  expect((await request(zinc, 'POST', '/', { data_center: 'eu' })).body.data).toMatchObject({
    data_center: 'eu',
    sources: { data_center: 'stored' },
  })
  expect(await zinc.services.db.setting.count({ where: { encrypted: true } })).toBe(0)
})
