import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { startZinc } from '../helpers/zinc.ts'

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

test('a token that is not exactly ours is refused, also when it is signed with our own key', async () => {
  const key = randomBytes(32)
  const { url, services } = await startZinc({ environment: { JWT_SECRET: key.toString('base64') } })
  const { url: elsewhere } = await startZinc()
  const login = async (at: string) => {
    const response = await fetch(`${at}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"admin","password":"a-password-for-tests"}',
    })
    return ((await response.json()) as { data: { access_token: string } }).data.access_token
  }
  const good = await login(url)
  const [head = '', body = '', signature = ''] = good.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  const [header, claims] = [read(head), read(body)]
  const sign = (h: unknown, c: unknown, with_: Buffer = key) => {
    const text = `${encode(h)}.${encode(c)}`
    return `${text}.${createHmac('sha256', with_).update(text).digest('base64url')}`
  }
  const now = Math.floor(Date.now() / 1000)
  const { exp: _, ...endless } = claims
  const { jti: __, ...nameless } = claims
  const { sid: ___, ...sessionless } = claims
  const bad = [
    '',
    'x',
    'a.b.c',
    'x'.repeat(7_000),
    `${head}.${body}`,
    `${head}.${body}.`,
    `${head}.${body}.${signature.slice(1)}`,
    `${head}.${body}.${signature}.${signature}`,
    `${encode({ ...header, alg: 'none' })}.${body}.`,
    `${encode({ ...header, alg: 'RS256' })}.${body}.${signature}`,
    `${head}.${encode({ ...claims, role: 'admin', jti: 'x' })}.${signature}`,
    sign(header, claims, Buffer.from('another-key-another-key-another-')),
    sign(header, claims, createHash('sha256').update(key).digest()),
    // From here on with our own key.
    sign({ ...header, alg: 'HS512' }, claims),
    sign({ ...header, typ: 'at+jwt' }, claims),
    sign({ ...header, kid: undefined }, claims),
    sign({ ...header, kid: '../../x' }, claims),
    sign({ ...header, kid: 'ffffffff' }, claims),
    sign({ ...header, crit: ['x'] }, claims),
    sign({ ...header, jku: 'https://evil.example/keys' }, claims),
    sign({ ...header, jwk: { kty: 'oct', k: 'AAAA' } }, claims),
    sign(header, { ...claims, aud: 'zinc-edge' }),
    sign(header, { ...claims, aud: undefined }),
    sign(header, { ...claims, iss: 'somebody' }),
    sign(header, { ...claims, iss: undefined }),
    sign(header, { ...claims, typ: 'edge' }),
    sign(header, { ...claims, exp: now - 61 }),
    sign(header, { ...claims, nbf: now + 61 }),
    sign(header, endless),
    sign(header, nameless),
    sign(header, sessionless),
    sign(header, { ...claims, sid: randomUUID() }),
    sign(header, { ...claims, sub: randomUUID() }),
    sign(header, { ...claims, role: 'root' }),
    sign(header, JSON.stringify(claims).replace('{', '{"role":"viewer",')),
    await login(elsewhere),
  ]
  const me = (authorization: string) => fetch(`${url}/api/v1/auth/me`, { headers: { authorization } })
  expect((await me(`Bearer ${good}`)).status).toBe(200)
  expect((await me(`Bearer ${sign(header, claims)}`)).status).toBe(200)
  // Clocks differ a little: a minute over is refused below, some seconds are not.
  expect((await me(`Bearer ${sign(header, { ...claims, exp: now - 10 })}`)).status).toBe(200)
  const statuses = []
  for (const token of bad) statuses.push((await me(`Bearer ${token}`)).status)
  expect(statuses).toEqual(bad.map(() => 401))
  expect((await me(`Basic ${Buffer.from('admin:a-password-for-tests').toString('base64')}`)).status).toBe(401)
  expect((await me(`Bearer ${good}`)).headers.get('www-authenticate')).toBeNull()
  const refused = await me(`Bearer ${sign(header, { ...claims, exp: now - 61 })}`)
  expect([refused.headers.get('www-authenticate'), await refused.json()]).toMatchObject([
    'Bearer realm="zinc"',
    { code: 'unauthenticated' },
  ])

  // The role is the one that the person has now, whatever the token says.
  await services.db.appUser.updateMany({ data: { role: 'viewer' } })
  services.authenticator.invalidate()
  expect((await fetch(`${url}/api/v1/users`, { headers: { authorization: `Bearer ${good}` } })).status).toBe(403)
})
