import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { longTest } from '../helpers/long.ts'
import { sendRawHttp } from '../helpers/raw-http.ts'
import { login, startZinc } from '../helpers/zinc.ts'

test('malformed JSON bodies are refused with 400, large or compressed ones before reading', async () => {
  const { url } = await startZinc()
  const post = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  const deep = `{"username":${'['.repeat(3_000)}${']'.repeat(3_000)}}`
  for (const body of [
    '{"username":"a","password":"b","__proto__":{"x":1}}',
    '{"username":"a","password":"b","constructor":{"prototype":{"x":1}}}',
    '{"username":"a","username":"b","password":"c"}',
    '{"username":"a","password":"b","deep":{"x":{"a":1,"\\u0061":2}}}',
    deep,
    '{"username":"a","password":1e400}',
    '{"username":"a\\u0000","password":"b"}',
    '{"username":"a\\ud800","password":"b"}',
    '\uFEFF{"username":"a","password":"b"}',
    Buffer.from('{"username":"a","password":"b"}', 'utf16le'),
    Buffer.from('{"username":"\xff","password":"b"}', 'latin1'),
    '{"username":"a"',
    'null x',
  ])
    expect(await post(body), String(body).slice(0, 60)).toEqual([400, 'invalid_json'])
  expect(({} as { x?: number }).x).toBeUndefined()
  expect(await post('[]')).toEqual([400, 'bad_request'])
  expect(await post('"text"')).toEqual([400, 'bad_request'])
  expect(await post('{"username":"a \\"quoted\\" {[,:]} name","password":"wrong","n":-1.5e3,"m":[{"a":1},{"a":2}]}')).toEqual([
    400,
    'unknown_parameter',
  ])
  expect(await post(`{"username":"${'x'.repeat(256 * 1024)}"}`)).toEqual([413, 'payload_too_large'])
  expect(await post(gzipSync('{}'), { 'content-encoding': 'gzip' })).toEqual([415, 'unsupported_content_encoding'])
  expect(await post('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).toEqual([415, 'unsupported_media_type'])
})

/** The largest body in KiB of each operation that needs another limit than the usual one; `upload`: its own route counts. */
const USUAL_KIB = 128
const OTHER_LIMITS: Record<string, number | 'upload'> = {
  'post /api/imports/items': 'upload',
  'post /api/products/images/import': 'upload',
  'post /api/products/images/import/preview': 'upload',
  'post /api/products/{id}/images/upload': 'upload',
  'post /api/v1/auth/login': 8,
  'post /api/v1/auth/refresh': 8,
  'post /api/v1/auth/password': 8,
  'post /api/v1/auth/totp': 8,
  'post /api/v1/auth/totp/confirm': 8,
  'delete /api/v1/auth/totp': 8,
  'patch /api/products/{id}': 256,
  'post /api/settings/integrations/zoho/webhook': 256,
  'post /api/settings/integrations/zoho/failures/retry': 512,
  'post /api/settings/integrations/zoho/failures/dismiss': 512,
  'post /api/v1/sync/product-photos/status': 1_024,
  // An assortment of 100,000 SKUs of the usual length.
  'post /api/v1/stores': 2_048,
  'patch /api/v1/stores/{id}': 2_048,
}

test('no operation takes a larger body than it needs', async () => {
  const { url } = await startZinc()
  const token = await login(url)
  const { paths } = (await (await fetch(`${url}/docs/json`)).json()) as { paths: Record<string, object> }
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method, path })))
  const writing = operations.filter(({ method }) => ['post', 'put', 'patch', 'delete'].includes(method))
  expect(writing.length).toBeGreaterThan(60)
  const names = writing.map(({ method, path }) => `${method} ${path}`)
  expect(Object.keys(OTHER_LIMITS).filter((name) => !names.includes(name))).toEqual([])
  const answers = await Promise.all(
    writing.map(async ({ method, path }) => {
      const limit = OTHER_LIMITS[`${method} ${path}`] ?? USUAL_KIB
      if (limit === 'upload') return null
      const response = await sendRawHttp(
        url,
        [
          `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, '00000000-0000-4000-8000-000000000000')} HTTP/1.1`,
          ...['Host: x', `Authorization: Bearer ${token}`, 'X-Zoho-Webhook-Signature: x', 'Content-Type: application/json'],
          ...[`Content-Length: ${limit * 1_024 + 1}`, '', ''],
        ].join('\r\n'),
        { until: 'request_id' },
      )
      return response.startsWith('HTTP/1.1 413 ') ? null : `${method} ${path}: ${response.split('\r\n')[0]}`
    }),
  )
  expect(answers.filter((it) => it !== null)).toEqual([])
  // The longest list that the schema allows fits.
  const dismissed = await fetch(`${url}/api/settings/integrations/zoho/failures/dismiss`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ids: Array.from({ length: 10_000 }, () => randomUUID()) }),
  })
  expect(dismissed.status).toBe(200)
})

longTest('a body that no token allows is never asked for, and one that is too large is refused by its length', async () => {
  const { url } = await startZinc()
  const head = (path: string, ...lines: string[]) =>
    [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...lines, '', ''].join('\r\n')
  const users = await sendRawHttp(url, head('/api/v1/users', 'Content-Length: 100', 'Expect: 100-continue'), { until: 'request_id' })
  expect(users).toMatch(/^HTTP\/1\.1 401 /)
  expect(users).not.toContain('100 Continue')
  const body = '{"username":"a","password":"b"}'
  const login = head('/api/v1/auth/login', `Content-Length: ${body.length}`, 'Expect: 100-continue', 'Connection: close')
  expect(await sendRawHttp(url, `${login}${body}`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 401 /)
  // Not a byte of the body is sent, so nobody can have waited for it.
  const huge = ['Content-Length: 10000000000']
  expect(await sendRawHttp(url, head('/api/v1/auth/login', ...huge), { until: 'request_id' })).toMatch(/^HTTP\/1\.1 413 /)
  expect(await sendRawHttp(url, head('/api/v1/users', ...huge), { until: 'request_id' })).toMatch(/^HTTP\/1\.1 401 /)
})

longTest('requests that two servers could read in two ways are refused and the connection is closed', async () => {
  const { url } = await startZinc()
  const post = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  for (const bytes of [
    `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    `${post}Content-Length: 2, 3\r\n\r\n{}`,
    `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `${post}Content-Length: +2\r\n\r\n{}`,
    'GET /health/live HTTP/1.1\nHost: x\n\n',
    'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\r\n folded\r\n\r\n',
    'GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n',
    'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n',
    'FOO /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    'THIS IS NOT HTTP\r\n\r\n',
  ]) {
    const response = await sendRawHttp(url, bytes)
    expect(response, JSON.stringify(bytes)).toMatch(/^HTTP\/1\.1 400 /)
    expect(response.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(JSON.parse(response.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 'error', code: 'bad_request', detail: {} })
  }
  const headers = `GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`
  expect(await sendRawHttp(url, headers)).toMatch(/^HTTP\/1\.1 431 [\s\S]*"headers_too_large"/)
})

test('addresses and methods that lead nowhere say so in the one shape of failures', async () => {
  const { url, call } = await startZinc()
  const of = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]
  expect(await of(await call('/api/products', { method: 'DELETE' }))).toEqual([405, 'method_not_allowed'])
  expect((await call('/api/products/x/', { method: 'POST' })).headers.get('allow')).toContain('GET')
  expect(await of(await call('/nowhere', { method: 'POST' }))).toEqual([404, 'not_found'])
  expect(await of(await call(`/api/products?search=${'x'.repeat(9_000)}`))).toEqual([414, 'uri_too_long'])
  expect(await of(await call(`/api/products/${'x'.repeat(400)}`))).toEqual([414, 'uri_too_long'])
  expect(await of(await call('/api/products?search=a%00b'))).toEqual([400, 'bad_request'])
  expect(await of(await call('/api/products/sku:a%00b'))).toEqual([400, 'bad_request'])
  expect(await of(await fetch(`${url}/api/products`, { method: 'OPTIONS' }))).toEqual([405, 'method_not_allowed'])
  for (const path of [
    '/%2e%2e%2f%2e%2e%2fetc/passwd',
    '/settings/..%2f..%2f..%2fpackage.json',
    '/..;/health',
    '/%c0%ae%c0%ae/x',
    '//',
    '/api/products/%ff',
  ]) {
    const response = await sendRawHttp(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(response, path).not.toMatch(/root:|"scripts"/)
    expect(Number(response.slice(9, 12)), path).toBeLessThan(500)
  }
})

test('pages of other origins get through only where CORS_ORIGINS names them', async () => {
  const { url, call } = await startZinc({ environment: { CORS_ORIGINS: 'http://localhost:5173,https://erp.example' } })
  const preflight = (origin: string) =>
    fetch(`${url}/api/products/x`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,content-type' },
    })
  const allowed = await preflight('http://localhost:5173')
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'http://localhost:5173'])
  expect(allowed.headers.get('access-control-allow-methods')).toContain('PATCH')
  expect(allowed.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization')
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull()
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  const read = await call('/api/products', { headers: { origin: 'https://erp.example' } })
  expect(read.headers.get('access-control-allow-origin')).toBe('https://erp.example')
  expect(read.headers.get('access-control-expose-headers')).toContain('X-Request-Id')
  expect(read.headers.get('vary')).toContain('Origin')
  const bare = await fetch(`${url}/api/products`, { method: 'OPTIONS' })
  expect([bare.status, await bare.text()]).toEqual([204, ''])
  // A refusal can be read by the front end too.
  const refused = await fetch(`${url}/api/products`, { headers: { origin: 'https://erp.example' } })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, 'https://erp.example'])
})

test('a caller who asks too often waits, whoever asks beside it does not, and health is always answered', async () => {
  const { url, call, services } = await startZinc({ environment: { API_REQUESTS_PER_MINUTE: '20' } })
  const { id: user_id } = await services.db.appUser.findFirstOrThrow()
  const by = { actor: 'test', request_id: null, ip: null }
  const keys = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const wanted = { name, scopes: ['products:read' as const], days: null }
      return (await services.apiKeys.create(wanted, { user_id, role: 'admin' }, by)).key
    }),
  )
  const statuses = []
  for (let n = 0; n < 21; n++) statuses.push((await call('/api/v1/auth/me')).status)
  expect(statuses).toEqual([...Array(20).fill(200), 429])
  const refused = await call('/nowhere')
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
  expect((await fetch(`${url}/api/v1/auth/me`)).status).toBe(401)
  expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  // Each key counts for itself, and not for its maker.
  const use = async (key: string) => (await fetch(`${url}/api/products`, { headers: { authorization: `Bearer ${key}` } })).status
  const ofKey = []
  for (let n = 0; n < 21; n++) ofKey.push(await use(keys[0]!))
  expect([...ofKey, await use(keys[1]!)]).toEqual([...Array(20).fill(200), 429, 200])
})

longTest('metrics need this machine, METRICS_TOKEN or an admin, and cover runs, calls and requests', async () => {
  const { url, call, sync } = await startZinc({ environment: { METRICS_TOKEN: 'a-long-enough-token' } })
  await sync('?sync_images=true')
  const get = (headers: Record<string, string>) => fetch(`${url}/metrics`, { headers })
  for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) expect((await get({ [name]: '203.0.113.9' })).status).toBe(401)
  expect((await get({ 'x-forwarded-for': '203.0.113.9', authorization: 'Bearer a-long-enough-tokem' })).status).toBe(401)
  expect((await get({ 'x-forwarded-for': '203.0.113.9', authorization: 'Bearer a-long-enough-token' })).status).toBe(200)
  expect((await call('/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(200)
  const text = await (await get({})).text()
  for (const line of [
    'zinc_database_up 1',
    'zinc_runs{kind="items",state="success"} 1',
    'zinc_products{status="active"}',
    'zinc_photos{source="zoho"}',
    'zinc_zoho_calls_last_day{status="200"}',
    'zinc_http_requests_total{method="POST",route="/api/settings/integrations/zoho/sync/item/execute",status="200"} 1',
    'process_resident_memory_bytes',
  ])
    expect(text).toContain(line)
})
