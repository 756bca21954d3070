import { setTimeout as pause } from 'node:timers/promises'
import { hash } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { longTest, times } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { startZinc } from '../helpers/zinc.ts'

const RIGHT = { username: 'admin', password: 'a-password-for-tests' }
interface Tokens {
  access_token: string
  refresh_token: string
}

const post = (url: string, path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const logIn = async (url: string, body: object = RIGHT) => ((await (await post(url, 'auth/login', body)).json()) as { data: Tokens }).data
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const statusOfMe = async (url: string, token: string) => (await fetch(`${url}/api/v1/auth/me`, { headers: bearer(token) })).status
const code = async (response: Response) => ((await response.json()) as { code: string }).code

test('an ended login is refused at the next request here and within a second elsewhere; others go on', async () => {
  const zinc = await startZinc()
  const other = await startSecondInstance(zinc)
  const [first, second] = [await logIn(zinc.url), await logIn(zinc.url)]
  expect([await statusOfMe(zinc.url, first.access_token), await statusOfMe(other, first.access_token)]).toEqual([200, 200])

  expect((await fetch(`${zinc.url}/api/v1/auth/logout`, { method: 'POST', headers: bearer(first.access_token) })).status).toBe(200)
  expect(await statusOfMe(zinc.url, first.access_token)).toBe(401)
  expect((await post(zinc.url, 'auth/refresh', { refresh_token: first.refresh_token })).status).toBe(401)
  await pause(1_050)
  expect(await statusOfMe(other, first.access_token)).toBe(401)
  expect(await statusOfMe(other, second.access_token)).toBe(200)
})

test('a refresh token works once; one that comes back ends the login it belongs to and is noted', async () => {
  const { url, call } = await startZinc()
  const session = await logIn(url)
  const renewed = (await (await post(url, 'auth/refresh', { refresh_token: session.refresh_token })).json()) as { data: Tokens }
  expect(await statusOfMe(url, renewed.data.access_token)).toBe(200)
  expect(await statusOfMe(url, session.access_token)).toBe(200)

  expect(await code(await post(url, 'auth/refresh', { refresh_token: session.refresh_token }))).toBe('refresh_token_invalid')
  for (const token of [session.access_token, renewed.data.access_token]) expect(await statusOfMe(url, token)).toBe(401)
  expect((await post(url, 'auth/refresh', { refresh_token: renewed.data.refresh_token })).status).toBe(401)
  const audit = (await (await call('/api/settings/integrations/zoho/audit?action=session.reuse')).json()) as { data: unknown[] }
  expect(audit.data).toMatchObject([{ target: 'user:admin' }])

  // Of many that come at one moment with one token, one wins.
  const again = await logIn(url)
  const responses = await Promise.all(Array.from({ length: 8 }, () => post(url, 'auth/refresh', { refresh_token: again.refresh_token })))
  expect(responses.filter((response) => response.status === 200)).toHaveLength(1)
})

longTest('password guesses are throttled by account and address over two processes', async () => {
  const zinc = await startZinc()
  const other = await startSecondInstance(zinc)
  const guesses = times(60, 1_000)
  let looked = 0
  for (let at = 0; at < guesses; at += 20) {
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        post(
          n % 2 ? other : zinc.url,
          'auth/login',
          { username: 'admin', password: `guess ${at + n}` },
          { 'x-forwarded-for': `203.0.113.${n}` },
        ),
      ),
    )
    looked += responses.filter((response) => response.status === 401).length
    expect(responses.every((response) => response.status === 401 || response.status === 429)).toBe(true)
  }
  expect(looked).toBe(10)
  const refused = await post(zinc.url, 'auth/login', RIGHT)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  // Other names from there are guesses too, until the address as a whole has to wait.
  const names = []
  for (let n = 0; n < 11; n++) names.push((await post(zinc.url, 'auth/login', { username: `user${n}`, password: 'wrong' })).status)
  expect(names).toEqual([...Array(10).fill(401), 429])

  const behindProxy = await startSecondInstance(zinc, { TRUSTED_PROXIES: '127.0.0.1' })
  expect((await post(behindProxy, 'auth/login', RIGHT, { 'x-forwarded-for': '198.51.100.7' })).status).toBe(200)
  expect((await post(behindProxy, 'auth/login', RIGHT, { 'x-forwarded-for': '2001:db8::1' })).status).toBe(200)
})

longTest('many right logins at one moment all get in', async () => {
  const { url } = await startZinc()
  const responses = await Promise.all(Array.from({ length: 40 }, () => post(url, 'auth/login', RIGHT)))
  expect(responses.map((response) => response.status)).toEqual(Array(40).fill(200))
})

longTest('an unknown name takes as long as a wrong password', async () => {
  // The real cost: a cheap hash would not show whether one is made.
  const real = { passwordCost: undefined }
  const zinc = await startZinc({ overrides: () => real })
  const url = await startSecondInstance(zinc, { TRUSTED_PROXIES: '127.0.0.1' }, real)
  const spent: Record<string, number[]> = { admin: [], nobody: [] }
  for (let n = 0; n < times(20, 100); n++) {
    for (const username of ['admin', 'nobody']) {
      const from = `10.${username.length}.${n >> 8}.${n & 255}`
      const began = performance.now()
      expect((await post(url, 'auth/login', { username, password: 'wrong' }, { 'x-forwarded-for': from })).status).toBe(401)
      spent[username]!.push(performance.now() - began)
    }
  }
  const median = (all: number[]) => [...all].sort((a, b) => a - b)[all.length >> 1]!
  const ratio = median(spent.admin!) / median(spent.nobody!)
  // A hash takes twenty times as long as everything else; the bound is wide because two cores are
  // shared with other tests.
  expect(ratio).toBeGreaterThan(0.7)
  expect(ratio).toBeLessThan(1.4)
})

test('the page stays signed in with cookies that no script can read, and no other page can use them', async () => {
  const zinc = await startZinc()
  const { url } = zinc
  const own = { 'sec-fetch-site': 'same-origin' }
  const cookiesOf = (response: Response) =>
    Object.fromEntries(response.headers.getSetCookie().map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  const asHeader = (cookies: Record<string, string>) => ({
    cookie: Object.entries(cookies)
      .map(([name, value]) => `${name}=${value.split(';')[0]}`)
      .join('; '),
  })

  expect((await post(url, 'auth/login', { ...RIGHT, cookie: true }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await post(url, 'auth/login', RIGHT)).headers.getSetCookie()).toEqual([])
  const login = await post(url, 'auth/login', { ...RIGHT, cookie: true }, own)
  const cookies = cookiesOf(login)
  for (const line of Object.values(cookies)) expect(line).toMatch(/; HttpOnly/)
  expect(cookies.zinc_session).toMatch(/SameSite=Strict/)
  expect(cookies.zinc_refresh).toMatch(/Path=\/api\/v1\/auth;.*SameSite=Strict/)
  const jar = asHeader(cookies)

  const add = (headers: Record<string, string>) =>
    post(url, 'users', { username: `u${Math.random()}`, password: 'cedar-lamp-14-river', role: 'viewer' }, { ...jar, ...headers })
  expect((await add(own)).status).toBe(201)
  expect((await add({ origin: url })).status).toBe(201)
  for (const foreign of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    {},
  ])
    expect(await code(await add(foreign as Record<string, string>))).toBe('csrf_rejected')
  expect((await post(url, 'users', {}, { ...jar, ...own, 'content-type': 'text/plain' })).status).toBe(415)

  // The access cookie has ended; the refresh cookie alone brings a new pair, and a second tab at
  // the same moment is not thrown out.
  const refresh = () => post(url, 'auth/refresh', {}, { ...asHeader({ zinc_refresh: cookies.zinc_refresh! }), ...own })
  expect(
    (await post(url, 'auth/refresh', {}, { ...asHeader({ zinc_refresh: cookies.zinc_refresh! }), origin: 'https://evil.example' })).status,
  ).toBe(403)
  // A fault of the server leaves the browser its login; only one that is over is taken away.
  await zinc.services.db.$executeRaw`alter table refresh_token rename to elsewhere`
  const faulty = await refresh()
  expect([faulty.status, faulty.headers.getSetCookie()]).toEqual([500, []])
  await zinc.services.db.$executeRaw`alter table elsewhere rename to refresh_token`
  const over = await post(url, 'auth/refresh', {}, { ...asHeader({ zinc_refresh: 'over' }), ...own })
  expect([over.status, over.headers.getSetCookie().length]).toEqual([401, 4])
  const [one, two] = [await refresh(), await refresh()]
  expect([one.status, two.status]).toEqual([200, 200])
  expect(((await one.json()) as { data: { refresh_token: null } }).data.refresh_token).toBeNull()
  expect(Object.keys(cookiesOf(one)).sort()).toEqual(['zinc_refresh', 'zinc_session'])
  expect(Object.keys(cookiesOf(two))).toEqual(['zinc_session'])
  const renewed = asHeader(cookiesOf(one))
  expect((await fetch(`${url}/api/v1/auth/me`, { headers: renewed })).status).toBe(200)
  const out = await fetch(`${url}/api/v1/auth/logout`, { method: 'POST', headers: { ...renewed, ...own } })
  expect(out.headers.getSetCookie().every((line) => /Expires=Thu, 01 Jan 1970/.test(line))).toBe(true)
  expect((await fetch(`${url}/api/v1/auth/me`, { headers: renewed })).status).toBe(401)

  // Over https the browser guards the names.
  const secure = await startSecondInstance(zinc, { TRUSTED_PROXIES: '127.0.0.1' })
  const guarded = cookiesOf(await post(secure, 'auth/login', { ...RIGHT, cookie: true }, { ...own, 'x-forwarded-proto': 'https' }))
  expect(Object.keys(guarded).sort()).toEqual(['__Host-zinc_session', '__Secure-zinc_refresh'])
  for (const line of Object.values(guarded)) expect(line).toMatch(/; Secure/)
})

longTest('a name with a blank or an invisible mark, and a password in either spelling of its letters, log in', async () => {
  const { url, call, services } = await startZinc()
  const enter = async (username: string, password: string) => (await post(url, 'auth/login', { username, password })).status
  const { username, password } = RIGHT
  for (const name of ['admin ', ' admin', '\u200fadmin\u200e', 'ad\u00admin', '\u00a0admin\ufeff'])
    expect([name, await enter(name, password)]).toEqual([name, 200])
  // A blank in a password is part of it, a name in capitals is another one.
  expect([await enter(username, `${password} `), await enter('ADMIN', password), await enter(' ', password)]).toEqual([401, 401, 401])

  const [composed, apart] = ['pässwörd-é-كلمة-أ', 'pässwörd-é-كلمة-أ'.normalize('NFD')]
  for (const [name, secret] of [
    ['Zoë', composed],
    ['Rene\u0301 ', apart],
  ] as const) {
    const made = await call('/api/v1/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: name, password: secret, role: 'viewer' }),
    })
    expect(made.status).toBe(201)
    for (const typed of [composed, apart])
      for (const as of [name.normalize('NFC'), name.normalize('NFD')]) expect(await enter(as, typed)).toBe(200)
    expect(await enter(name, 'passwörd-e-كلمة-أ')).toBe(401)
  }
  // Hashes and names of before were of what had been typed.
  await services.db.appUser.create({ data: { username: 'Ge\u0301rard', password_hash: await hash(apart), role: 'viewer' } })
  for (const typed of [composed, apart]) expect(await enter('Gérard', typed)).toBe(200)
})
