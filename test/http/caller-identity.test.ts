import { createHmac } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { startServer } from '../../src/start-server.ts'
import { longTest } from '../helpers/long.ts'
import { sendRawHttp } from '../helpers/raw-http.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { login, startZinc, testOverrides } from '../helpers/zinc.ts'
import { rawZipOf } from '../helpers/zip.ts'

const RIGHT = { username: 'admin', password: 'a-password-for-tests' }
const json = { 'content-type': 'application/json' }
const post = (url: string, path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })
const cookiesOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((it) => it.split(';')[0]!)
    .join('; ')

test('an Authorization header is one Bearer token and nothing else', async () => {
  const { url } = await startZinc()
  const token = await login(url)
  const statuses = []
  for (const value of [
    `Bearer ${token} x`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token} ${token}`,
    token,
    `Basic ${token}`,
    'Bearer',
  ])
    statuses.push((await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: value } })).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 401])
  expect((await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: `bearer ${token}` } })).status).toBe(200)
})

longTest('over https the plain cookie names count for nothing, for reading and for a refresh', async () => {
  const zinc = await startZinc()
  const page = { origin: zinc.url, 'sec-fetch-site': 'same-origin' }
  const cookie = cookiesOf(await post(zinc.url, '/api/v1/auth/login', { ...RIGHT, cookie: true }, page))
  expect((await fetch(`${zinc.url}/api/v1/auth/me`, { headers: { cookie } })).status).toBe(200)
  const secure = await startSecondInstance(zinc, { TRUSTED_PROXIES: '127.0.0.1' })
  const https = { cookie, 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.7' }
  expect((await fetch(`${secure}/api/v1/auth/me`, { headers: https })).status).toBe(401)
  // A promise of https is made over https only, and for this host alone.
  const hsts = async (url: string, headers = {}) =>
    (await fetch(`${url}/health/live`, { headers })).headers.get('strict-transport-security')
  expect([await hsts(secure, https), await hsts(secure)]).toEqual(['max-age=31536000', null])
  const refresh = await post(secure, '/api/v1/auth/refresh', {}, { ...https, 'sec-fetch-site': 'same-origin' })
  expect(refresh.status).toBe(400)
})

longTest('an origin of another scheme is another origin where the browser does not vouch for it', async () => {
  const { url } = await startZinc()
  const origin = url.replace('http:', 'https:')
  expect((await post(url, '/api/v1/auth/login', { ...RIGHT, cookie: true }, { origin })).status).toBe(403)
  expect((await post(url, '/api/v1/auth/login', { ...RIGHT, cookie: true }, { origin: url })).status).toBe(200)
})

test('login and refresh read no more than they need', async () => {
  const { url } = await startZinc()
  const filler = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key${n}`, n]))
  expect((await post(url, '/api/v1/auth/login', { ...RIGHT, ...filler })).status).toBe(413)
  expect((await post(url, '/api/v1/auth/refresh', filler)).status).toBe(413)
})

longTest('login, refresh and the way back from consent count for the request limit of their caller', async () => {
  const zinc = await startZinc()
  const url = await startSecondInstance(zinc, { API_REQUESTS_PER_MINUTE: '5' })
  const last = async (send: () => Promise<Response>) => {
    let status = 0
    for (let n = 0; n < 7; n++) status = (await send()).status
    return status
  }
  expect(await last(() => post(url, '/api/v1/auth/login', { username: 5 }))).toBe(429)
  expect(await last(() => post(url, '/api/v1/auth/refresh', {}))).toBe(429)
  expect(await last(() => fetch(`${url}/api/settings/integrations/zoho/oauth/callback?code=x`))).toBe(429)
})

test('a stream of a run ends when the person loses the right to it, and one person has a bounded number', async () => {
  const { url, call, services, zoho } = await startZinc()
  zoho.fail({ path: /items/, times: 1_000, status: 503, body: '{}' })
  const run = await services.runs.start('items', {} as never, { startedBy: 'test' })
  await call('/api/v1/users', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ username: 'layla', password: 'cedar-lamp-14-river', role: 'viewer' }),
  })
  const { data } = (await (await post(url, '/api/v1/auth/login', { username: 'layla', password: 'cedar-lamp-14-river' })).json()) as {
    data: { access_token: string }
  }
  const follow = () =>
    fetch(`${url}/api/settings/integrations/zoho/sync/runs/${run.run_id}/events`, {
      headers: { authorization: `Bearer ${data.access_token}` },
    })
  const streams = await Promise.all(Array.from({ length: 20 }, follow))
  expect(streams.map((it) => it.status)).toEqual(Array(20).fill(200))
  const refused = await follow()
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'too_many_streams'])
  const ends = streams.map((it) => it.text())
  const layla = await services.db.appUser.findUniqueOrThrow({ where: { username: 'layla' } })
  expect((await call(`/api/v1/users/${layla.id}`, { method: 'DELETE' })).status).toBe(200)
  await services.runs.cancel(run.run_id)
  await waitFor(async () => (await services.runs.get(run.run_id)).state === 'cancelled')
  const texts = await Promise.all(ends)
  expect(texts.filter((text) => text.includes('"state":"cancelled"'))).toEqual([])
})

test('a webhook takes ids only from what its signature covers', async () => {
  const zinc = await startZinc()
  const secret = 'fakeSecretOfTheNotices12'
  await zinc.call('/api/settings/integrations/zoho/', { method: 'POST', headers: json, body: JSON.stringify({ webhook_secret: secret }) })
  const send = async (body: string, query: string, { signed, type = 'application/json' }: { signed: string; type?: string }) => {
    const signature = createHmac('sha256', secret)
      .update(signed)
      .digest(type === 'application/json' ? 'hex' : 'base64')
    const response = await fetch(`${zinc.url}/api/settings/integrations/zoho/webhook${query}`, {
      method: 'POST',
      headers: { 'content-type': type, 'x-zoho-webhook-signature': signature },
      body,
    })
    return [response.status, ((await response.json()) as { items?: string[] }).items]
  }
  const body = '{"item":{"item_id":"111"}}'
  const added = `?JSONString=${encodeURIComponent('{"items":[{"item_id":"222"},{"item_id":"333"}]}')}&item_id=444`
  expect(await send(body, added, { signed: body })).toEqual([202, ['111']])
  const form = 'item_id=555'
  expect(await send(form, added, { signed: form, type: 'application/x-www-form-urlencoded' })).toEqual([202, ['555']])
  expect(await send(body, '?item_id=666', { signed: `item_id666${body}` })).toEqual([202, ['111', '666']])
})

longTest('a ZIP with too many entries is refused by what its directory says, before they are read', async () => {
  const zinc = await startZinc()
  // One entry, and a directory that says that it has more than may be.
  const zip = rawZipOf([{ name: Buffer.from('a.png'), bytes: Buffer.from('x') }])
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  const { openZip } = await import('../../src/images/import/source.ts')
  const { writeFile } = await import('node:fs/promises')
  const many = Array.from({ length: 100_001 }, () => 0).length
  const file = `${zinc.dataDir}/many.zip`
  const zip64 = Buffer.alloc(56)
  zip64.write('PK\x06\x06', 'latin1')
  zip64.writeBigUInt64LE(44n, 4)
  zip64.writeBigUInt64LE(BigInt(many), 24)
  zip64.writeBigUInt64LE(BigInt(many), 32)
  zip64.writeBigUInt64LE(BigInt(zip.readUInt32LE(end + 12)), 40)
  zip64.writeBigUInt64LE(BigInt(zip.readUInt32LE(end + 16)), 48)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(BigInt(end), 8)
  locator.writeUInt32LE(1, 16)
  const tail = Buffer.from(zip.subarray(end))
  tail.writeUInt16LE(0xffff, 8)
  tail.writeUInt16LE(0xffff, 10)
  tail.writeUInt32LE(0xffffffff, 16)
  await writeFile(file, Buffer.concat([zip.subarray(0, end), zip64, locator, tail]))
  await expect(openZip(file, { fileBytes: 1_000_000, totalBytes: 1_000_000 })).rejects.toMatchObject({ code: 'zip_too_large' })
})

test('metrics are open to a direct caller under a loopback name only', async () => {
  const { url, environment, zoho: _zoho, ...zinc } = await startZinc()
  const { port } = new URL(url)
  const status = async (headers: string, version = '1.1') =>
    Number((await sendRawHttp(url, `GET /metrics HTTP/${version}\r\n${headers}Connection: close\r\n\r\n`)).slice(9, 12))
  expect(await status(`Host: 127.0.0.1:${port}\r\n`)).toBe(200)
  expect(await status(`Host: localhost:${port}\r\n`)).toBe(200)
  for (const header of [
    'X-Forwarded-Port: 443',
    'CF-Connecting-IP: 203.0.113.9',
    'X-Real-IP: 203.0.113.9',
    'X-Client-IP: 203.0.113.9',
    'Via: 1.1 a',
  ])
    expect(await status(`Host: 127.0.0.1:${port}\r\n${header}\r\n`), header).toBe(401)
  for (const host of ['shop.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example'])
    expect(await status(`Host: ${host}\r\n`), host).toBe(401)
  expect(await status(`Host: 127.0.0.1:${port}\r\n`, '1.0')).toBe(401)
  const behind = await startSecondInstance({ ...zinc, url, environment } as never, { PUBLIC_URL: 'https://shop.example' })
  expect((await fetch(`${behind}/metrics`)).status).toBe(401)
  expect((await fetch(`${behind}/metrics`, { headers: { authorization: `Bearer ${await login(url)}` } })).status).toBe(200)
})

test('behind a proxy that is not named, guesses on other names lock no known account or browser out', async () => {
  const { url } = await startZinc()
  const page = { origin: url, 'sec-fetch-site': 'same-origin' }
  const cookie = cookiesOf(await post(url, '/api/v1/auth/login', { ...RIGHT, cookie: true }, page))
  const guess = async (username: string, n: number) =>
    (await post(url, '/api/v1/auth/login', { username, password: 'wrong' }, { 'x-forwarded-for': `203.0.113.${n}` })).status
  for (let n = 0; n < 20; n++) expect(await guess(`user${n}`, n)).toBe(401)
  expect(await guess('user21', 21)).toBe(429)
  expect((await post(url, '/api/v1/auth/login', RIGHT)).status).toBe(200)
  // Guesses on the name itself close it for strangers, not for the browser that it was used from.
  for (let n = 0; n < 10; n++) expect(await guess('admin', n)).toBe(401)
  expect((await post(url, '/api/v1/auth/login', RIGHT)).status).toBe(429)
  expect(
    (await post(url, '/api/v1/auth/login', RIGHT, { ...page, cookie: cookie.replaceAll(/refresh=[^;]+/g, 'refresh=made-up') })).status,
  ).toBe(429)
  expect((await post(url, '/api/v1/auth/login', RIGHT, { ...page, cookie })).status).toBe(200)
})

longTest('forwarded headers of an address that is not trusted are said once in the log, and to admins', async () => {
  const { environment } = await startZinc()
  const said = async (more: Record<string, string>) => {
    const lines: string[] = []
    const log = createLogger('warn', { write: (line: string) => void lines.push(line) })
    const serving = await startServer(parseConfig({ ...environment, ...more }), log, testOverrides())
    onTestFinished(() => serving[Symbol.asyncDispose]())
    for (let n = 0; n < 3; n++) await fetch(`${serving.url}/health/live`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
    const me = await fetch(`${serving.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${await login(serving.url)}` } })
    const { data } = (await me.json()) as { data: { untrusted_proxy: string | null } }
    return [lines.filter((line) => line.includes('TRUSTED_PROXIES')).length, data.untrusted_proxy]
  }
  expect(await said({})).toEqual([1, '127.0.0.1'])
  expect(await said({ TRUSTED_PROXIES: '127.0.0.1' })).toEqual([0, null])
})
