import { expect, test } from 'vitest'
import { secondsToMidnight, zohoTime } from '../../src/zoho-simulator/serialize.ts'
import { FAKE_CREDENTIALS, startZohoSimulator } from '../../src/zoho-simulator/simulator.ts'

test.each([
  ['2026-03-08T05:00:00Z', 'America/New_York', 23 * 3600],
  ['2026-11-01T04:00:00Z', 'America/New_York', 25 * 3600],
  ['2026-06-09T13:00:00Z', 'Asia/Baghdad', 8 * 3600],
])('at %s in %s the day has %s seconds left', (at, zone, seconds) => {
  expect(Math.abs(secondsToMidnight(new Date(at), zone) - seconds)).toBeLessThanOrEqual(1)
})

test("times carry the zone's offset of that day without a colon", () => {
  expect(zohoTime(new Date('2026-06-09T13:45:44Z'), 'America/New_York')).toBe('2026-06-09T09:45:44-0400')
  expect(zohoTime(new Date('2026-12-09T13:45:44Z'), 'America/New_York')).toBe('2026-12-09T08:45:44-0500')
})

test('sign-in errors come with HTTP 200, the eleventh token in ten minutes is refused, GET is not taken', async () => {
  const zoho = await startZohoSimulator()
  const requestPage = (change: object = {}) =>
    fetch(`${zoho.url}/oauth/v2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: FAKE_CREDENTIALS.clientId,
        client_secret: FAKE_CREDENTIALS.clientSecret,
        refresh_token: FAKE_CREDENTIALS.refreshToken,
        ...change,
      }),
    })
  for (const [change, error] of [
    [{ client_id: 'x' }, 'invalid_client'],
    [{ client_secret: 'x' }, 'invalid_client_secret'],
    [{ refresh_token: 'x' }, 'invalid_code'],
  ] as const) {
    const response = await requestPage(change)
    expect([response.status, await response.json()]).toEqual([200, { error }])
  }
  for (let n = 0; n < 10; n++) expect(await (await requestPage()).json()).toMatchObject({ token_type: 'Bearer', expires_in: 3600 })
  expect((await requestPage()).status).toBe(400)
  expect((await fetch(`${zoho.url}/oauth/v2/token`)).status).toBe(400)
  await zoho.close()
})

test('the item list refuses what Zoho refuses and never says null', async () => {
  const zoho = await startZohoSimulator()
  const token = (
    (await (
      await fetch(`${zoho.url}/oauth/v2/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: FAKE_CREDENTIALS.clientId,
          client_secret: FAKE_CREDENTIALS.clientSecret,
          refresh_token: FAKE_CREDENTIALS.refreshToken,
        }),
      })
    ).json()) as { access_token: string }
  ).access_token
  const list = (query: string) =>
    fetch(`${zoho.url}/inventory/v1/items?organization_id=${FAKE_CREDENTIALS.organizationId}&${query}`, {
      headers: { authorization: `Zoho-oauthtoken ${token}` },
    })
  for (const wrong of [
    'last_modified_time=2026-01-01T00:00:00Z',
    'last_modified_time=2026-01-01T00:00:00+0000',
    'sort_column=colour',
    'filter_by=Status.Odd',
  ])
    expect((await list(wrong)).status).toBe(400)
  expect((await list('last_modified_time=2026-01-01T00:00:00%2B0000')).status).toBe(200)
  const text = await (await list('per_page=500')).text()
  const body = JSON.parse(text) as { items: unknown[]; page_context: { has_more_page: boolean } }
  expect(body.items.length).toBe(200)
  expect(body.page_context.has_more_page).toBe(true)
  expect(text).not.toContain('null')
  expect((await fetch(`${zoho.url}/inventory/v1/items`, { headers: { authorization: `Zoho-oauthtoken ${token}` } })).status).toBe(400)
  expect((await fetch(`${zoho.url}/inventory/v1/items`)).status).toBe(401)
  await zoho.close()
})

test('it is steered over HTTP too: faults, limits, clock, edits and changes in mid-scan', async () => {
  const zoho = await startZohoSimulator()
  const post = async (path: string, body: object) =>
    (
      await fetch(`${zoho.url}/_control/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).json() as Promise<Record<string, unknown>>
  const token = async () =>
    (
      (await (
        await fetch(`${zoho.url}/oauth/v2/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            client_id: FAKE_CREDENTIALS.clientId,
            client_secret: FAKE_CREDENTIALS.clientSecret,
            refresh_token: FAKE_CREDENTIALS.refreshToken,
          }),
        })
      ).json()) as { access_token: string }
    ).access_token
  let bearer = await token()
  const list = (query = '') =>
    fetch(`${zoho.url}/inventory/v1/items?organization_id=${FAKE_CREDENTIALS.organizationId}&${query}`, {
      headers: { authorization: `Zoho-oauthtoken ${bearer}` },
    })
  const [item] = zoho.items()

  await post('faults', { path: 'inventory/v1/items', times: 1, status: 503, body: '<html>' })
  expect((await list()).status).toBe(503)
  expect((await list()).status).toBe(200)
  await post(`items/${item!.item_id}`, { name: 'Steered' })
  expect(zoho.items()[0]!.name).toBe('Steered')
  await post('before-page', { skip: 1, id: item!.item_id, change: { name: 'In mid-scan' } })
  await list()
  expect(zoho.items()[0]!.name).toBe('Steered')
  await list()
  expect(zoho.items()[0]!.name).toBe('In mid-scan')
  await post('limits', { perMinute: 1 })
  expect([(await list()).status, ((await (await list()).json()) as { code: number }).code]).toEqual([429, 44])
  await post('clock', { advance_ms: 4_000_000 })
  expect((await list()).status).toBe(401)
  bearer = await token()
  expect((await list()).status).toBe(200)
  await zoho.close()
})
