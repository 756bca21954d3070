import { connect } from 'node:net'
import { createSigner } from 'fast-jwt'
import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

test('everything but health, documentation and login asks for a token, and says how to get one', async () => {
  const { url } = await startZinc()
  const { paths } = (await (await fetch(`${url}/docs/json`)).json()) as { paths: Record<string, Record<string, unknown>> }
  const open = ['/health/live', '/health/ready', '/metrics', '/api/v1/auth/login', '/api/v1/auth/refresh']
  let asked = 0
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      if (open.includes(path)) continue
      const real = path.replace('{id}', '00000000-0000-4000-8000-000000000000').replace('{filename}', '1.jpg')
      const answer = await fetch(`${url}${real}`, { method: method.toUpperCase() })
      expect(`${answer.status} ${method} ${path}`).toBe(`401 ${method} ${path}`)
      const body = (await answer.json()) as { status: string; code: string; detail: { remedy: string }; request_id: string }
      expect(body).toMatchObject({ status: 'error', code: 'login_required', request_id: answer.headers.get('x-request-id') })
      expect(body.detail.remedy).toContain('/api/v1/auth/login')
      asked++
    }
  }
  expect(asked).toBeGreaterThan(8)
})

test('a token that is not exactly ours is refused', async () => {
  const { url, services } = await startZinc()
  const user = { user_id: '00000000-0000-4000-8000-000000000001', username: 'x', role: 'viewer' as const }
  const good = services.tokens.issue(user)
  const [head = '', body = '', signature = ''] = good.split('.')
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }
  const forged = (claims: object, options: object) =>
    createSigner({ key: 'another-key-another-key-another-k', algorithm: 'HS256', kid: header.kid, ...options })(claims)
  const bad = [
    '',
    'x',
    'a.b.c',
    `${head}.${body}.`,
    `${head}.${body}.${signature.slice(1)}`,
    `${encode({ alg: 'none', kid: header.kid })}.${body}.`,
    `${encode({ alg: 'RS256', kid: header.kid })}.${body}.${signature}`,
    `${encode({ alg: 'HS256', kid: '../../x' })}.${body}.${signature}`,
    `${encode({ alg: 'HS256' })}.${body}.${signature}`,
    `${encode({ ...header, crit: ['x'] })}.${body}.${signature}`,
    `${head}.${encode({ ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object), role: 'admin' })}.${signature}`,
    forged({ sub: user.user_id, name: 'x', role: 'admin', typ: 'access', jti: '1' }, { iss: 'zinc', aud: 'zinc-api', expiresIn: 1000 }),
    'x'.repeat(7000),
  ]
  expect((await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${good}` } })).status).toBe(200)
  for (const token of bad)
    expect((await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
})

test('wrong passwords are throttled, a refresh token works once, and logout ends it', async () => {
  const { url } = await startZinc()
  const post = (path: string, body: object) =>
    fetch(`${url}/api/v1/auth/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const session = (await (await post('login', { username: 'admin', password: 'a-password-for-tests' })).json()) as {
    data: { refresh_token: string }
  }
  expect((await post('refresh', { refresh_token: session.data.refresh_token })).status).toBe(200)
  expect((await post('refresh', { refresh_token: session.data.refresh_token })).status).toBe(401)

  const statuses = []
  for (let n = 0; n < 12; n++) statuses.push((await post('login', { username: 'nobody', password: 'wrong' })).status)
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
  expect(Number((await post('login', { username: 'nobody', password: 'wrong' })).headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await post('login', { username: 'admin', password: 'a-password-for-tests' })).status).toBe(200)
})

test('failures of every layer have one shape', async () => {
  const { url, call } = await startZinc()
  const shape = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
  expect(await shape(await call('/nowhere'))).toEqual([404, 'not_found'])
  expect(await shape(await call('/api/products/nothing'))).toEqual([404, 'product_not_found'])
  expect(await shape(await call('/api/products?limit=0'))).toEqual([400, 'bad_request'])
  expect(await shape(await call('/api/products?cursor=junk'))).toEqual([400, 'bad_cursor'])
  const login = (body: string, type = 'application/json') =>
    fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': type }, body })
  expect(await shape(await login('{'))).toEqual([400, 'invalid_json'])
  expect(await shape(await login('{"__proto__":{"x":1}}'))).toEqual([400, 'invalid_json'])
  expect(await shape(await login('x', 'text/plain'))).toEqual([415, 'unsupported_media_type'])
  expect(await shape(await login(`{"username":"${'x'.repeat(300_000)}"}`))).toEqual([413, 'body_too_large'])
  const missing = (await (await login('')).json()) as { message: string }
  expect(missing.message).toBe('username is required')
  expect((await call('/api/v1/auth/me/')).status).toBe(200)
  // A caller's own id comes back, in the header and in the body; one that could not stand in a log is replaced.
  const named = await call('/nowhere', { headers: { 'x-request-id': 'till-7.42' } })
  expect(named.headers.get('x-request-id')).toBe('till-7.42')
  expect(await named.json()).toMatchObject({ request_id: 'till-7.42' })
  expect((await call('/nowhere', { headers: { 'x-request-id': 'a b{}' } })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)

  const raw = await new Promise<string>((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write('THIS IS NOT HTTP\r\n\r\n'))
    let said = ''
    socket.on('data', (chunk) => (said += String(chunk)))
    socket.on('close', () => resolve(said))
  })
  expect(raw).toMatch(/^HTTP\/1\.1 400 /)
  expect(JSON.parse(raw.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 'error', code: 'bad_request' })
})
