import { expect, test } from 'vitest'
import { createFastClock } from '../helpers/clock.ts'
import { request } from '../helpers/request.ts'
import { startZinc, type TestZinc } from '../helpers/zinc.ts'

const AT = '/api/settings/integrations/zoho'

/** What the browser of somebody without a login does with the link. */
async function follow(zinc: TestZinc, link: string) {
  const response = await fetch(`${zinc.url}${AT}/oauth/link/follow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: new URL(link).hash.slice(1) }),
  })
  const [cookie = ''] = response.headers.getSetCookie()
  return {
    status: response.status,
    cookie: cookie.split(';')[0]!,
    body: (await response.json()) as { code?: string; data?: { url: string } },
  }
}
async function consent(zinc: TestZinc, { url, cookie }: { url: string; cookie: string }): Promise<string | null> {
  const page = await (await fetch(url)).text()
  const accept = /id="accept" href="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&')
  const back = (await fetch(new URL(accept, zinc.zoho.url), { redirect: 'manual' })).headers.get('location')!
  return (await fetch(back, { redirect: 'manual', headers: { cookie, accept: 'text/html' } })).headers.get('location')
}

test('a link renews the connection without a login and ends with success, withdrawal or expiry', async () => {
  let aheadMs = 0
  const clock = { ...createFastClock(1), now: () => new Date(Date.now() + aheadMs) }
  const zinc = await startZinc({ clock, environment: { ZOHO_REFRESH_TOKEN: '' } })
  const make = async () => (await request(zinc, 'POST', '/oauth/link')).body.data.url as string
  const pending = async () => (await request(zinc, 'GET', '/oauth/link')).body.data.expires_at
  expect(await pending()).toBeNull()

  const first = await make()
  expect(first).toMatch(new RegExp(`^${zinc.url}/settings/reconnect#[\\w-]{40,}$`))
  expect(await pending()).not.toBeNull()
  const link = await make()
  // A new one replaces the one before.
  expect(await follow(zinc, first)).toMatchObject({ status: 410, body: { code: 'consent_link_expired' } })

  // A mail program that looks first spoils nothing.
  await follow(zinc, link)
  const begun = await follow(zinc, link)
  expect(begun.cookie).toMatch(/^zinc_consent=link\./)
  expect(await consent(zinc, { url: begun.body.data!.url, cookie: begun.cookie })).toBe('/settings/reconnect?consent=success')
  expect((await request(zinc, 'GET', '/')).body.data).toMatchObject({
    connection: { state: 'connected' },
    sources: { refresh_token: 'stored' },
  })
  expect(await pending()).toBeNull()
  expect((await follow(zinc, link)).status).toBe(410)

  const withdrawn = await make()
  expect((await request(zinc, 'DELETE', '/oauth/link')).body.data).toEqual({ withdrawn: 1 })
  expect((await follow(zinc, withdrawn)).status).toBe(410)
  const late = await make()
  aheadMs = 73 * 3_600_000
  expect((await follow(zinc, late)).status).toBe(410)
  expect((await fetch(`${zinc.url}${AT}/oauth/link`, { method: 'POST' })).status).toBe(401)
})
