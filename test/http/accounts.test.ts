import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { findPasswordWeakness } from '../../src/lib/weak-password.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const PASSWORD = 'a-password-for-tests'
const NEW = 'cedar-lamp-14-river'
interface Login {
  token: string
  refresh: string
  cookie: string
}

async function start(options: Parameters<typeof startZinc>[0] = {}) {
  const zinc = await startZinc(options)
  const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
    fetch(`${zinc.url}/api/v1/${path}`, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
  const bearer = ({ token }: Login) => ({ authorization: `Bearer ${token}` })
  const page = { origin: zinc.url, 'sec-fetch-site': 'same-origin' }
  async function logIn(password = PASSWORD, headers: Record<string, string> = {}, cookie = false): Promise<Login> {
    const response = await send('POST', 'auth/login', { username: 'admin', password, cookie }, headers)
    expect(response.status).toBe(200)
    const { data } = (await response.json()) as { data: { access_token: string; refresh_token: string } }
    const cookies = response.headers.getSetCookie().map((it) => it.split(';')[0]!)
    return { token: data.access_token, refresh: data.refresh_token, cookie: cookies.join('; ') }
  }
  const statusOf = async (login: Login) => (await send('GET', 'auth/me', undefined, bearer(login))).status
  const code = async (response: Response) => [response.status, ((await response.json()) as { code?: string }).code]
  return { zinc, send, bearer, page, logIn, statusOf, code }
}

test('a person changes the own password with the current one, and all other sessions end', async () => {
  const { send, bearer, logIn, statusOf, code } = await start()
  const [here, there] = [await logIn(), await logIn()]
  const change = (current_password: string, new_password: string) =>
    send('POST', 'auth/password', { current_password, new_password }, bearer(here)).then(code)
  expect(await change('not-the-password', NEW)).toEqual([401, 'invalid_credentials'])
  expect(await change(PASSWORD, 'short')).toEqual([400, 'weak_password'])
  expect(await change(PASSWORD, 'Password12345!')).toEqual([400, 'weak_password'])
  expect([await statusOf(here), await statusOf(there)]).toEqual([200, 200])
  expect(await change(PASSWORD, NEW)).toEqual([200, undefined])
  expect([await statusOf(here), await statusOf(there)]).toEqual([200, 401])
  expect(await code(await send('POST', 'auth/refresh', { refresh_token: there.refresh }))).toEqual([401, 'refresh_token_invalid'])
  expect((await send('POST', 'auth/login', { username: 'admin', password: PASSWORD })).status).toBe(401)
  await logIn(NEW)
})

longTest('guesses of the current password by a stolen session are throttled like logins', async () => {
  const { send, bearer, logIn } = await start()
  const here = await logIn()
  const statuses = []
  for (let n = 0; n < 11; n++)
    statuses.push((await send('POST', 'auth/password', { current_password: `guess ${n}`, new_password: NEW }, bearer(here))).status)
  expect(statuses).toEqual([...Array(10).fill(401), 429])
})

test('a person sees and ends the own sessions, and no other’s', async () => {
  const { zinc, send, bearer, logIn, statusOf, code } = await start()
  const here = await logIn(PASSWORD, { 'user-agent': 'Browser of the shop' })
  const there = await logIn(PASSWORD, { 'user-agent': 'x'.repeat(1_000) })
  const other = { username: 'layla', password: NEW, role: 'viewer' }
  expect((await send('POST', 'users', other, bearer(here))).status).toBe(201)
  const layla = (await (await send('POST', 'auth/login', { username: 'layla', password: NEW })).json()) as {
    data: { access_token: string }
  }
  const list = async (headers: Record<string, string>) =>
    ((await (await send('GET', 'auth/sessions', undefined, headers)).json()) as { data: Record<string, unknown>[] }).data
  const mine = await list(bearer(here))
  expect(mine).toHaveLength(3) // the helper's, too
  expect(mine.filter((it) => it.current)).toEqual([
    {
      id: expect.any(String),
      created_at: expect.any(String),
      last_used_at: expect.any(String),
      address: '127.0.0.1',
      user_agent: 'Browser of the shop',
      current: true,
    },
  ])
  const long = mine.find((it) => String(it.user_agent).startsWith('xxx'))!
  expect(String(long.user_agent)).toHaveLength(300)
  const asLayla = { authorization: `Bearer ${layla.data.access_token}` }
  expect(await code(await send('DELETE', `auth/sessions/${String(long.id)}`, undefined, asLayla))).toEqual([404, 'session_not_found'])
  expect(await statusOf(there)).toBe(200)
  expect((await send('DELETE', `auth/sessions/${String(long.id)}`, undefined, bearer(here))).status).toBe(200)
  expect([await statusOf(there), await statusOf(here)]).toEqual([401, 200])
  expect(await list(bearer(here))).toHaveLength(2)
  expect(await list(asLayla)).toHaveLength(1)
  expect(await zinc.services.db.auditEntry.count({ where: { action: 'session.end', actor: 'admin' } })).toBe(1)
})

longTest('a login from a browser that still has a session ends that one, and a refused login does not', async () => {
  const { send, page, logIn, statusOf } = await start()
  const first = await logIn(PASSWORD, page, true)
  const elsewhere = await logIn(PASSWORD, page, true)
  const wrong = { username: 'admin', password: 'wrong', cookie: true }
  expect((await send('POST', 'auth/login', wrong, { ...page, cookie: first.cookie })).status).toBe(401)
  expect(await statusOf(first)).toBe(200)
  const second = await logIn(PASSWORD, { ...page, cookie: first.cookie }, true)
  expect([await statusOf(first), await statusOf(second), await statusOf(elsewhere)]).toEqual([401, 200, 200])
})

test('a session ends SESSION_DAYS after its login, whatever it refreshes, and its access tokens with it', async () => {
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} }
  const { send, bearer, logIn, statusOf, code } = await start({ clock, environment: { SESSION_DAYS: '2' } })
  let login = await logIn()
  const refresh = async () => {
    const response = await send('POST', 'auth/refresh', { refresh_token: login.refresh })
    if (response.status !== 200) return code(response)
    const { data } = (await response.json()) as { data: { access_token: string; refresh_token: string } }
    login = { ...login, token: data.access_token, refresh: data.refresh_token }
    return [200]
  }
  aheadMs = 1.99 * 86_400_000
  expect(await refresh()).toEqual([200])
  expect(await statusOf(login)).toBe(200)
  aheadMs = 2.01 * 86_400_000
  // What was found good is remembered for a second; a login elsewhere forgets it.
  const fresh = await logIn()
  expect((await send('POST', 'auth/logout', undefined, bearer(fresh))).status).toBe(200)
  expect(await statusOf(login)).toBe(401)
  expect(await refresh()).toEqual([401, 'refresh_token_invalid'])
})

test('weak passwords are refused wherever one is set, and what people remember is not', async () => {
  const weak = [
    'short',
    'password1234',
    'P@ssw0rd2026!',
    '123456789012',
    'qwertyuiop12',
    'aaaaaaaaaaaa',
    'abcabcabcabc',
    'abcdefghijkl',
    'passwordpassword',
    '1qaz2wsx3edc',
    'letmein-2026!',
    'Welcome_2026!!',
    'iloveyou12345',
  ]
  expect(weak.filter((it) => findPasswordWeakness(it) === null)).toEqual([])
  const fine = [PASSWORD, NEW, 'correct pony battery clip', 'Tz7-qLm!x0Pwe', 'قلم أزرق وقهوة مرة', 'k7Jf2mQxW9sLhT4b']
  expect(fine.filter((it) => findPasswordWeakness(it) !== null)).toEqual([])

  const { send, bearer, logIn, code } = await start()
  const admin = await logIn()
  const user = (username: string, password: string) =>
    send('POST', 'users', { username, password, role: 'viewer' }, bearer(admin)).then(code)
  expect(await user('layla', 'password1234')).toEqual([400, 'weak_password'])
  expect(await user('layla-of-the-shop', 'Layla-Of-The-Shop1')).toEqual([400, 'weak_password'])
  expect(await user('layla', NEW)).toEqual([201, undefined])
  for (const password of ['short', 'password1234'])
    expect(() => parseConfig({ ADMIN_PASSWORD: password })).toThrow(
      expect.objectContaining({
        exitStatus: 2,
        message: expect.stringMatching(/ADMIN_PASSWORD: The password (must have at least 12|is on the list)/),
      }),
    )
  expect(parseConfig({}).sessionDays).toBe(90)
})
