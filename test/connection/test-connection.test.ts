import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { connect } from '../helpers/connection.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'
import { request } from '../helpers/request.ts'
import { startZinc } from '../helpers/zinc.ts'

type Check = { name: string; ok: boolean; code?: string; zoho_code?: string; message?: string }
const check = (checks: Check[], name: string) => checks.find((it) => it.name === name)

test('the test signs in although a token was made a moment ago', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const before = zinc.zoho.counters.token
  const { data } = (await request(zinc, 'POST', '/test')).body
  expect(check(data.checks, 'sign_in')).toMatchObject({ ok: true })
  expect(zinc.zoho.counters.token - before).toBe(1)
})

test('after a revoked token the test names the token and not the scopes', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  zinc.zoho.revoke()
  expect(await request(zinc, 'POST', '/test')).toMatchObject({ status: 502, body: { code: 'invalid_code' } })
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'revoked', code: 'invalid_code' })
})

longTest('where the limit forbids another sign-in the test says so, and leaves sign-ins to the syncs', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  const tests = []
  for (let n = 0; n < 8; n++) tests.push((await request(zinc, 'POST', '/test')).body.data)
  expect(zinc.zoho.counters.token).toBe(6)
  expect(check(tests[0].checks, 'sign_in')?.message).toBeUndefined()
  expect(tests.at(-1).ok).toBe(true)
  expect(check(tests.at(-1).checks, 'sign_in')?.message).toMatch(/^Sign-in was not tested: .* Test again after 20/)
  zinc.zoho.expireTokens()
  expect((await zinc.sync()).status).toBe('success')
})

longTest('a token that was revoked while the test may not sign in is named, and no scope is', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  for (let n = 0; n < 6; n++) await request(zinc, 'POST', '/test')
  zinc.zoho.revoke()
  const { data } = (await request(zinc, 'POST', '/test')).body
  expect(check(data.checks, 'organization')).toMatchObject({ ok: false, code: 'invalid_code' })
  expect(data.checks.map((it: Check) => it.code)).not.toContain('scope_missing')
  expect((await request(zinc, 'GET', '/')).body.data.connection).toMatchObject({ state: 'revoked', code: 'invalid_code' })
})

longTest("a missing scope is told by a code of zinc, with Zoho's number beside it, in checks and failures", async () => {
  const zinc = await startZinc({ scopes: ['ZohoInventory.settings.READ'] })
  const { checks } = (await request(zinc, 'POST', '/test')).body.data
  expect(check(checks, 'ZohoInventory.items.READ')).toMatchObject({ ok: false, code: 'scope_missing', zoho_code: '57' })
  const failed = await request(zinc, 'POST', '/sync/item/execute')
  expect(failed).toMatchObject({ status: 502, body: { code: 'scope_missing', detail: { zoho_code: '57' } } })
  expect((await request(zinc, 'GET', `/sync/runs/${failed.body.run_id}`)).body.data).toMatchObject({
    code: 'scope_missing',
    zoho_code: '57',
  })
})

test("an organisation that the account does not have is unknown_organization, with Zoho's number", async () => {
  const zinc = await startZinc({ environment: { ZOHO_ORGANIZATION_ID: '1' } })
  expect(await request(zinc, 'POST', '/sync/item/execute')).toMatchObject({
    status: 502,
    body: { code: 'unknown_organization', detail: { zoho_code: '6041' } },
  })
})

longTest("another refusal of Zoho is zoho_refused, with Zoho's number", async () => {
  const zinc = await startZinc()
  zinc.zoho.fail({ path: /items\?/, times: 10, status: 400, body: '{"code":4,"message":"Invalid value passed for sort_column"}' })
  expect(await request(zinc, 'POST', '/sync/item/execute')).toMatchObject({
    status: 502,
    body: { code: 'zoho_refused', detail: { zoho_code: '4' } },
  })
})

test("stored rows with Zoho's number as their code get a code of zinc's", async () => {
  const database = await createTestDatabase()
  const client = await connect(database.url)
  try {
    await client.query('alter table failure drop column zoho_code; alter table run drop column zoho_code')
    await client.query("insert into run (kind, state, failure_code) values ('items', 'failed', '6041')")
    for (const code of ['57', 'OAUTH_SCOPE_MISMATCH', '1002', '99', 'corrupt'])
      await client.query("insert into failure (run_id, stage, code, message) select id, 'item', $1, '' from run", [code])
    await client.query(readFileSync('prisma/migrations/20261130210000_zoho_code/migration.sql', 'utf8'))
    expect((await client.query('select failure_code, zoho_code from run')).rows).toEqual([
      { failure_code: 'unknown_organization', zoho_code: '6041' },
    ])
    expect((await client.query('select code, zoho_code from failure order by zoho_code')).rows).toEqual([
      { code: 'not_found_in_zoho', zoho_code: '1002' },
      { code: 'scope_missing', zoho_code: '57' },
      { code: 'zoho_refused', zoho_code: '99' },
      { code: 'scope_missing', zoho_code: 'OAUTH_SCOPE_MISMATCH' },
      { code: 'corrupt', zoho_code: null },
    ])
  } finally {
    await client.end()
    await database.drop()
  }
})
