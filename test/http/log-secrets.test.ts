import { Secret, TOTP } from 'otpauth'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { startServer } from '../../src/start-server.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, testOverrides } from '../helpers/zinc.ts'

/** A server whose debug log is kept line by line. */
async function startLogged() {
  const { environment } = await startZinc()
  const lines: string[] = []
  const log = createLogger('debug', { write: (line: string) => void lines.push(line) })
  const serving = await startServer(parseConfig({ ...environment, LOG_LEVEL: 'debug' }), log, testOverrides())
  onTestFinished(() => serving[Symbol.asyncDispose]())
  return { serving, lines, password: environment.ADMIN_PASSWORD! }
}

longTest('a debug log holds no cookie and no OAuth state after login, refresh, consent and logout', async () => {
  const { serving, lines, password } = await startLogged()
  const page = { 'content-type': 'application/json', origin: serving.url, 'sec-fetch-site': 'same-origin' }
  const secrets: string[] = []
  const note = (response: Response) => {
    for (const cookie of response.headers.getSetCookie()) {
      const value = cookie.split(';')[0]!.split('=')[1]!
      if (value !== '') secrets.push(value)
    }
    return response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0]!)
      .join('; ')
  }
  const login = await fetch(`${serving.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: page,
    body: JSON.stringify({ username: 'admin', password, cookie: true }),
  })
  const cookies = note(login)
  const refreshed = await fetch(`${serving.url}/api/v1/auth/refresh`, { method: 'POST', headers: { ...page, cookie: cookies }, body: '{}' })
  const newer = note(refreshed)
  const start = await fetch(`${serving.url}/api/settings/integrations/zoho/oauth/start`, { headers: { cookie: newer }, redirect: 'manual' })
  note(start)
  const location = start.headers.get('location')
  const state = location === null ? /state=([^&"]+)/.exec(await start.text())?.[1] : new URL(location).searchParams.get('state')
  secrets.push(state!)
  await fetch(`${serving.url}/api/v1/auth/logout`, { method: 'POST', headers: { ...page, cookie: newer } })

  expect(secrets.length).toBeGreaterThanOrEqual(5)
  const log = lines.join('')
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([])
  expect(log).toContain('"res":{"statusCode":200}')
})

test('a debug log holds no secret, code, recovery code or challenge of a second factor', async () => {
  const { serving, lines, password } = await startLogged()
  const post = async (path: string, body: object, token = '') => {
    const response = await fetch(`${serving.url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
    return (await response.json()) as any
  }
  const { access_token } = (await post('login', { username: 'admin', password })).data
  const { secret } = (await post('totp', {}, access_token)).data
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate()
  const { recovery_codes } = (await post('totp/confirm', { code }, access_token)).data
  const { challenge } = (await post('login', { username: 'admin', password })).detail
  await post('login', { challenge, code })
  await post('login', { challenge, recovery_code: recovery_codes[0] })
  await post('login', { challenge: `${challenge}x`, recovery_code: recovery_codes[1] })
  const log = lines.join('')
  expect(log).toContain('invalid_code')
  expect([secret, `"${code}"`, challenge, ...recovery_codes].filter((it) => log.includes(it))).toEqual([])
})

test('an error that carries the headers of a request or a response is logged without its cookies', () => {
  const lines: string[] = []
  const log = createLogger('debug', { write: (line: string) => void lines.push(line) })
  const headers = { 'set-cookie': ['zinc_session=canary-4711'], location: 'https://x/?state=canary-4712', cookie: 'a=canary-4713' }
  log.error({ err: Object.assign(new Error('failed'), { headers }) }, 'with headers')
  log.error({ headers: { ...headers, authorization: 'Bearer canary-4714' } }, 'headers alone')
  log.error({ response: { headers } }, 'a response')
  expect(lines).toHaveLength(3)
  expect(lines.join('')).not.toContain('canary')
})
