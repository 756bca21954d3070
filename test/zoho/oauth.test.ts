import { Agent } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Clock } from '../../src/lib/clock.ts'
import { ConfigurationError, RateLimitedError } from '../../src/zoho/errors.ts'
import { requestToken } from '../../src/zoho/oauth.ts'
import { HOLD_MS, OAuthUnavailableError } from '../../src/zoho/oauth-errors.ts'
import { createTokens, type TokenSlot } from '../../src/zoho/token-refresh.ts'
import { startZohoSimulator, type ZohoSimulator } from '../../src/zoho-simulator/simulator.ts'

const NOW = new Date('2026-03-01T10:00:00Z')
const TOKEN = /oauth\/v2\/token/
let zoho: ZohoSimulator
const dispatcher = new Agent()
beforeAll(async () => {
  zoho = await startZohoSimulator({ items: [] })
})
afterAll(async () => {
  await dispatcher.close()
  await zoho.close()
})

const clock: Clock = { now: () => NOW, sleep: async () => {} }
const requestPage = (purpose: 'refresh' | 'exchange' = 'refresh') =>
  requestToken({ accountsUrl: zoho.url, purpose, parameters: { grant_type: 'refresh_token' } }, { clock, dispatcher }).catch(
    (error: unknown) => error,
  )

const responses = {
  invalid_code: { body: '{"error":"invalid_code"}' },
  invalid_client: { body: '{"error":"invalid_client"}' },
  invalid_client_secret: { body: '{"error":"invalid_client_secret"}' },
  invalid_redirect_uri: { body: '{"error":"invalid_redirect_uri"}' },
  invalid_grant: { status: 400, body: '{"error":"invalid_grant"}' },
}

test('each refusal of the token endpoint that needs a person has a cause and a remedy of its own', async () => {
  const told = new Set<string>()
  for (const [code, response] of Object.entries(responses)) {
    zoho.fail({ path: TOKEN, times: 1, ...response })
    const error = await requestPage()
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ code, detail: { remedy: expect.any(String) } })
    told.add((error as ConfigurationError).message)
    told.add(String((error as ConfigurationError).detail?.remedy))
  }
  expect(told.size).toBe(2 * Object.keys(responses).length)
  // The same code for a pasted grant code means another thing.
  zoho.fail({ path: TOKEN, times: 1, ...responses.invalid_code })
  const exchanged = (await requestPage('exchange')) as ConfigurationError
  expect(told.has(exchanged.message)).toBe(false)
  expect(exchanged.code).toBe('invalid_code')
})

test.each([
  ['access_denied', { body: '{"error":"access_denied"}' }],
  [
    'the long form with status 400',
    {
      status: 400,
      body: '{"error_description":"You have made too many requests continuously. Please try again after some time.","error":"Access Denied","status":"failure"}',
    },
  ],
  [
    'the long form with status 200',
    { body: '{"error_description":"You have made too many requests continuously.","error":"Access Denied","status":"failure"}' },
  ],
  ['a localised text', { body: '{"error_description":"您连续发出的请求过多，请稍后再试。","error":"拒绝访问","status":"failure"}' }],
  ['a text that nobody knows', { body: '{"error":"some_new_reason"}' }],
])('%s is a wish to be left alone for a while, never a success and never a reason to ask a person', async (_name, response) => {
  zoho.fail({ path: TOKEN, times: 1, ...response })
  const error = await requestPage()
  expect(error).toBeInstanceOf(RateLimitedError)
  expect(error).toMatchObject({ code: 'access_denied', resetsAt: new Date(NOW.getTime() + HOLD_MS) })
})

test.each([
  ['HTML with status 502', { status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' }, 'oauth_unavailable'],
  ['HTML with status 200', { body: '<html>Sign in</html>', contentType: 'text/html' }, 'oauth_unavailable'],
  ['a body that breaks off', { cut: 'body' as const }, 'zoho_unreachable'],
  ['a reset connection', { cut: 'reset' as const }, 'zoho_unreachable'],
  ['cut JSON', { body: '{"access_token":"1000.fa' }, 'oauth_unavailable'],
  ['general_error', { body: '{"error":"general_error"}' }, 'general_error'],
])('%s is an outage of the sign-in: worth another try, and no fault of the credentials', async (_name, response, code) => {
  zoho.fail({ path: TOKEN, times: 1, ...response })
  const error = await requestPage()
  expect(error).toBeInstanceOf(OAuthUnavailableError)
  expect(error).toMatchObject({ code, detail: { remedy: expect.any(String) } })
})

function tokensWith({ issuedAt = [] as Date[], heldUntil = null as Date | null, now = () => NOW } = {}) {
  const kept = { held: null as Date | null, saved: 0 }
  const slot: TokenSlot = {
    stored: null,
    issuedAt,
    heldUntil,
    save: async (token) => {
      kept.saved++
      slot.stored = token
    },
    hold: async (until) => {
      kept.held = until
    },
  }
  const credentials = { clientId: '1000.FAKECLIENT', clientSecret: 'fake-client-secret', refreshToken: 'fake-refresh-token' }
  const tokens = createTokens({
    accountsUrl: zoho.url,
    credentials,
    store: { read: async () => slot.stored, exclusively: (work) => work(slot) },
    clock: { now, sleep: async () => {} },
    dispatcher,
  })
  return { tokens, kept, slot }
}

test('what is temporary is tried three times, and what Zoho holds back is noted and not asked for again', async () => {
  const before = zoho.counters.token
  zoho.fail({ path: TOKEN, times: 2, status: 502, body: 'no' })
  const { tokens } = tokensWith()
  expect(await tokens.current()).toMatch(/^1000\.fake\./)
  expect(zoho.counters.token - before).toBe(3)

  zoho.fail({ path: TOKEN, times: 1, body: '{"error":"access_denied"}' })
  const throttled = tokensWith()
  await expect(throttled.tokens.current()).rejects.toBeInstanceOf(RateLimitedError)
  expect(throttled.kept.held).toEqual(new Date(NOW.getTime() + HOLD_MS))

  const asked = zoho.counters.token
  const held = tokensWith({ heldUntil: new Date(NOW.getTime() + 60_000) })
  await expect(held.tokens.current()).rejects.toMatchObject({ code: 'access_denied', resetsAt: new Date(NOW.getTime() + 60_000) })
  expect(zoho.counters.token).toBe(asked)
})

test('zinc never makes the request for a tenth token in ten minutes by itself', async () => {
  const asked = zoho.counters.token
  const issuedAt = Array.from({ length: 9 }, (_, n) => new Date(NOW.getTime() - 500_000 + n * 1_000))
  const { tokens } = tokensWith({ issuedAt })
  await expect(tokens.current()).rejects.toMatchObject({ code: 'access_denied', resetsAt: new Date(NOW.getTime() + 100_000) })
  expect(zoho.counters.token).toBe(asked)
  const later = tokensWith({ issuedAt, now: () => new Date(NOW.getTime() + 101_000) })
  expect(await later.tokens.current()).toMatch(/^1000\.fake\./)
})

test('lifetimes in seconds, in milliseconds and in both are read as what they mean', async () => {
  for (const [expires, seconds] of [
    ['"expires_in":3600', 3600],
    ['"expires_in":3600000', 3600],
    ['"expires_in":3600000,"expires_in_sec":3600', 3600],
    ['"expires_in":"1800"', 1800],
  ] as const) {
    zoho.fail({ path: TOKEN, times: 1, body: `{"access_token":"fake-token",${expires},"scope":"A.b.READ C.d.READ"}` })
    expect(await requestPage()).toMatchObject({
      accessToken: 'fake-token',
      expiresAt: new Date(NOW.getTime() + seconds * 1000),
      refreshToken: null,
      scope: 'A.b.READ C.d.READ',
    })
  }
})

test('a token that lives shortly does not bring a new one with each call', async () => {
  zoho.fail({ path: TOKEN, times: 1, body: '{"access_token":"fake-short","expires_in":120}' })
  const { tokens, kept } = tokensWith()
  expect([await tokens.current(), await tokens.current()]).toEqual(['fake-short', 'fake-short'])
  expect(kept.saved).toBe(1)
})
