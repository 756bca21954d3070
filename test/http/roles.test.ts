import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

test('failures of every layer have one shape', async () => {
  const { url, call } = await startZinc()
  const shape = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]
  expect(await shape(await call('/nowhere'))).toEqual([404, 'not_found'])
  expect(await shape(await call('/api/products/nothing'))).toEqual([404, 'product_not_found'])
  expect(await shape(await call('/api/products?limit=0'))).toEqual([400, 'bad_request'])
  expect(await shape(await call('/api/products?cursor=junk'))).toEqual([400, 'invalid_cursor'])
  const login = (body: string, type = 'application/json') =>
    fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': type }, body })
  expect(await shape(await login('{'))).toEqual([400, 'invalid_json'])
  expect(await shape(await login('{"__proto__":{"x":1}}'))).toEqual([400, 'invalid_json'])
  expect(await shape(await login('x', 'text/plain'))).toEqual([415, 'unsupported_media_type'])
  expect(await shape(await login(`{"username":"${'x'.repeat(300_000)}"}`))).toEqual([413, 'payload_too_large'])
  const missing = (await (await login('')).json()) as { message: string }
  expect(missing.message).toBe('username is required')
  // No body at all, and what curl makes of -d '', are an empty object as well; a field that is
  // missing is called so, whatever it should be.
  for (const headers of [{}, { 'content-type': 'application/x-www-form-urlencoded' }]) {
    const bare = await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers })
    expect(await bare.json()).toMatchObject({ message: 'username is required', detail: { remedy: expect.any(String) } })
  }
  const user = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"username":"a","password":"long enough"}' }
  expect(await (await call('/api/v1/users', user)).json()).toMatchObject({ message: 'role is required' })
  expect(await (await login('[]')).json()).toMatchObject({ message: 'The request body must be a JSON object' })
  expect((await call('/api/v1/auth/me/')).status).toBe(200)
  // A caller's own id comes back, in the header and in the body; one that could not stand in a log
  // is replaced.
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
