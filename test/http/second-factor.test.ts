import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { beforeAll, expect, test } from 'vitest'
import { ENCRYPTED_COLUMNS } from '../../src/settings/encrypted-columns.ts'
import { createEncryption } from '../../src/settings/encryption.ts'
import { reencryptAll } from '../../src/settings/reencrypt.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { openZinc } from '../helpers/zinc.ts'

const PASSWORD = 'cedar-lamp-14-river'
const json = { 'content-type': 'application/json' }

let zinc: Awaited<ReturnType<typeof openZinc>>
/** Stands still in the middle of a step: a slow machine must not get from one code to the next. */
const START = Math.floor(Date.now() / 30_000) * 30_000 + 15_000
let aheadMs = 0
beforeAll(async () => {
  const clock = { now: () => new Date(START + aheadMs), sleep: async () => {} }
  zinc = await openZinc({ clock, environment: { TRUSTED_PROXIES: '127.0.0.1', REQUIRE_SECOND_FACTOR: 'admin' } })
  return zinc.end
})

/** Moves the server's clock to the next step, so that a new code is there. */
const nextStep = () => {
  aheadMs += 30_000
}

let people = 0
/** A person of their own for each test, at an address of their own. */
async function addPerson(role = 'viewer') {
  const username = `person${++people}`
  const address = `198.51.100.${people}`
  await zinc.services.users.create({ username, password: PASSWORD, role: role as 'viewer' }, { actor: 'test', request_id: null, ip: null })
  const send = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${zinc.url}/api/v1/${path}`, {
      method,
      headers: { 'x-forwarded-for': address, ...(body && json), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
    const answer = (await response.json()) as any
    return { ...answer, http: response.status, cookies: response.headers.getSetCookie() }
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const logIn = (body: object = { username, password: PASSWORD }, headers = {}) => send('POST', 'auth/login', body, headers)
  return { username, address, send, bearer, logIn }
}
type Person = Awaited<ReturnType<typeof addPerson>>

const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: START + aheadMs + steps * 30_000 })

/** Logs in and turns the second factor on; the code of the next step is unused. */
async function setUp({ send, bearer, logIn }: Person) {
  const token = (await logIn()).data.access_token as string
  const { data } = await send('POST', 'auth/totp', undefined, bearer(token))
  const confirmed = await send('POST', 'auth/totp/confirm', { code: codeOf(data.secret) }, bearer(token))
  nextStep()
  return {
    token,
    secret: data.secret as string,
    otpauth_url: data.otpauth_url as string,
    recovery: confirmed.data.recovery_codes as string[],
  }
}
const challengeOf = async ({ logIn }: Person) => (await logIn()).detail.challenge as string

test('a second factor is on once a code was confirmed, and each code lets in once', async () => {
  const layla = await addPerson()
  const { send, bearer, logIn } = layla
  const token = (await logIn()).data.access_token as string
  const other = (await logIn()).data.access_token as string
  const { data } = await send('POST', 'auth/totp', undefined, bearer(token))
  expect(data.otpauth_url).toContain(`otpauth://totp/zinc:${layla.username}?`)
  expect(new URL(data.otpauth_url).searchParams.get('secret')).toBe(data.secret)
  // Not confirmed: nothing is asked for yet.
  expect((await logIn()).data.access_token).toBeTypeOf('string')
  expect((await send('POST', 'auth/totp/confirm', { code: '000000' }, bearer(token))).code).toBe('invalid_code')
  const listed = async () => (await zinc.services.users.list()).find(({ username }) => username === layla.username)
  expect((await listed())?.second_factor?.confirmed_at).toBeNull()
  const code = codeOf(data.secret)
  const confirmed = await send('POST', 'auth/totp/confirm', { code }, bearer(token))
  expect(confirmed.data.recovery_codes).toHaveLength(10)
  expect((await listed())?.second_factor?.confirmed_at).toBeInstanceOf(Date)
  expect((await send('POST', 'auth/totp', undefined, bearer(token))).code).toBe('totp_enabled')
  // Sessions that were opened without it end.
  expect((await send('GET', 'auth/me', undefined, bearer(other))).code).toBe('unauthenticated')
  expect((await send('GET', 'auth/me', undefined, bearer(token))).data.second_factor).toEqual({ recovery_codes_left: 10 })

  const half = await logIn()
  expect([half.http, half.code, half.data, half.cookies]).toEqual([401, 'second_factor_required', undefined, []])
  const { challenge } = half.detail
  expect((await logIn({ challenge, code })).code).toBe('invalid_code')
  nextStep()
  const next = codeOf(data.secret)
  const logins = await Promise.all(Array.from({ length: 4 }, () => logIn({ challenge, code: next })))
  expect(logins.filter((it) => it.data?.access_token)).toHaveLength(1)
  expect((await logIn({ challenge: await challengeOf(layla), code: next })).code).toBe('invalid_code')
})

test('a code of the step before or after is taken, one further away is not, in any writing of its digits', async () => {
  const omar = await addPerson()
  const { secret } = await setUp(omar)
  nextStep()
  nextStep()
  const enter = async (code: string) => omar.logIn({ challenge: await challengeOf(omar), code })
  for (const steps of [-2, 2]) expect((await enter(codeOf(secret, steps))).code).toBe('invalid_code')
  expect((await enter(codeOf(secret, -1))).data.access_token).toBeTypeOf('string')
  const arabic = codeOf(secret, 1).replace(/\d/g, (digit) => '٠١٢٣٤٥٦٧٨٩'[Number(digit)]!)
  expect((await enter(`${arabic.slice(0, 3)} ${arabic.slice(3)}`)).data.access_token).toBeTypeOf('string')
  // The newest one closes those before it.
  expect((await enter(codeOf(secret, 0))).code).toBe('invalid_code')
})

test('a challenge lasts five minutes, opens one login, and only at the address that it was given to', async () => {
  const noor = await addPerson()
  const { secret } = await setUp(noor)
  const challenge = await challengeOf(noor)
  const elsewhere = await noor.logIn({ challenge, code: codeOf(secret) }, { 'x-forwarded-for': '203.0.113.9' })
  expect(elsewhere.code).toBe('challenge_invalid')
  aheadMs += 299_000
  expect((await noor.logIn({ challenge, code: codeOf(secret) })).data.access_token).toBeTypeOf('string')
  nextStep()
  expect((await noor.logIn({ challenge, code: codeOf(secret) })).code).toBe('challenge_invalid')
  const late = await challengeOf(noor)
  aheadMs += 301_000
  expect((await noor.logIn({ challenge: late, code: codeOf(secret) })).code).toBe('challenge_invalid')
  // A new password ends what was begun with the old one.
  const begun = await challengeOf(noor)
  const { id } = await zinc.services.db.appUser.findUniqueOrThrow({ where: { username: noor.username } })
  await zinc.services.users.patch(id, { password: 'another-long-password' }, { actor: 'test', request_id: null, ip: null })
  nextStep()
  expect((await noor.logIn({ challenge: begun, code: codeOf(secret) })).code).toBe('challenge_invalid')
})

test('wrong codes count as wrong passwords, and the right password does not wipe them out', async () => {
  const sami = await addPerson()
  const { secret } = await setUp(sami)
  const codes = []
  for (let n = 0; n < 10; n++) codes.push((await sami.logIn({ challenge: await challengeOf(sami), code: '123' })).code)
  expect(codes).toEqual(Array(10).fill('invalid_code'))
  expect((await sami.logIn()).code).toBe('login_rate_limited')
  const { count } = (
    await zinc.services.db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from audit_entry where action = 'session.login_refused' and target = ${`user:${sami.username}`}`
  )[0]!
  expect(count).toBe(1)
  aheadMs += 15 * 60_000 + 1_000
  expect((await sami.logIn({ challenge: await challengeOf(sami), code: codeOf(secret) })).data.access_token).toBeTypeOf('string')
})

test('a recovery code lets in once, is kept as a hash, and its use is audited', async () => {
  const huda = await addPerson()
  const { recovery } = await setUp(huda)
  const enter = async (recovery_code: string) => huda.logIn({ challenge: await challengeOf(huda), recovery_code })
  const login = await enter(recovery[3]!.toUpperCase().replaceAll('-', ' '))
  expect((await huda.send('GET', 'auth/me', undefined, huda.bearer(login.data.access_token))).data.second_factor).toEqual({
    recovery_codes_left: 9,
  })
  expect((await enter(recovery[3]!)).code).toBe('invalid_code')
  expect((await enter('aaaa-aaaa-aaaa-aaaa')).code).toBe('invalid_code')
  const kept = JSON.stringify([await zinc.services.db.recoveryCode.findMany(), await zinc.services.db.auditEntry.findMany()], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  expect(recovery.filter((code) => kept.includes(code) || kept.includes(code.replaceAll('-', '')))).toEqual([])
  expect(kept).toContain('"action":"recovery_code.use"')
})

test('the secret is encrypted in the database and moves to a new key with the others', async () => {
  const rami = await addPerson()
  const { secret } = await setUp(rami)
  const { id } = await zinc.services.db.appUser.findUniqueOrThrow({ where: { username: rami.username } })
  const row = await zinc.services.db.secondFactor.findUniqueOrThrow({ where: { user_id: id } })
  expect(row.totp_secret).toMatch(/^v1:/)
  expect(row.totp_secret).not.toContain(secret)
  const { credentialsRing, encryption } = zinc.services.rotation
  const [old] = credentialsRing.keys()
  const newer = randomBytes(32)
  const rotated = createEncryption(() => [newer, old!])
  await reencryptAll(zinc.services.db, rotated, ENCRYPTED_COLUMNS, AbortSignal.timeout(10_000))
  const moved = await zinc.services.db.secondFactor.findUniqueOrThrow({ where: { user_id: id } })
  expect(moved.totp_secret.startsWith(rotated.prefixes().newest)).toBe(true)
  // And back, since the server of this test has the old key.
  await reencryptAll(
    zinc.services.db,
    createEncryption(() => [old!, newer]),
    ENCRYPTED_COLUMNS,
    AbortSignal.timeout(10_000),
  )
  expect(moved.totp_secret).not.toContain(encryption.prefixes().newest)
  expect((await rami.logIn({ challenge: await challengeOf(rami), code: codeOf(secret) })).data.access_token).toBeTypeOf('string')
})

test('it is removed with the password and a code, and no refresh token goes round it', async () => {
  const zaid = await addPerson()
  const { token, secret } = await setUp(zaid)
  const remove = (body: object) => zaid.send('DELETE', 'auth/totp', body, zaid.bearer(token))
  expect((await remove({ password: 'wrong', code: codeOf(secret) })).code).toBe('invalid_credentials')
  expect((await remove({ password: PASSWORD, code: '000000' })).code).toBe('invalid_code')
  const half = await zaid.logIn()
  expect((await zaid.send('POST', 'auth/refresh', { refresh_token: half.detail.challenge })).code).toBe('refresh_token_invalid')
  expect((await remove({ password: PASSWORD, code: codeOf(secret) })).status).toBe('success')
  expect((await zaid.logIn()).data.access_token).toBeTypeOf('string')
  const actions = await zinc.services.db.auditEntry.findMany({
    where: { target: `user:${zaid.username}`, action: { startsWith: 'totp' } },
    orderBy: { id: 'asc' },
  })
  expect(actions.map(({ action, actor }) => [action, actor])).toEqual([
    ['totp.enable', zaid.username],
    ['totp.disable', zaid.username],
  ])
})

longTest('who must have a second factor and has none may only set one up; the command line asks for none', async () => {
  const admin = await addPerson('admin')
  const { data } = await admin.logIn()
  const as = (method: string, path: string, body?: object, token: string = data.access_token) =>
    admin.send(method, path, body, admin.bearer(token))
  for (const [method, path] of [
    ['GET', 'users'],
    ['GET', 'auth/sessions'],
    ['DELETE', 'auth/totp'],
    ['GET', 'stores'],
  ] as const)
    expect([path, (await as(method, path)).code]).toEqual([path, 'second_factor_setup_required'])
  expect((await as('GET', 'auth/me')).data).toMatchObject({ second_factor: null, must_set_up_second_factor: true })
  const renewed = await admin.send('POST', 'auth/refresh', { refresh_token: data.refresh_token })
  expect((await as('GET', 'users', undefined, renewed.data.access_token)).code).toBe('second_factor_setup_required')

  const cli = await runZinc(['login', '--username', admin.username], zinc.environment)
  expect((await as('GET', 'users', undefined, cli.stdout.trim())).status).toBe('success')
  const token = renewed.data.access_token as string
  const { secret } = (await as('POST', 'auth/totp', undefined, token)).data
  await as('POST', 'auth/totp/confirm', { code: codeOf(secret) }, token)
  expect((await as('GET', 'users', undefined, token)).status).toBe('success')
  const viewer = await addPerson()
  expect((await viewer.send('GET', 'auth/sessions', undefined, viewer.bearer((await viewer.logIn()).data.access_token))).status).toBe(
    'success',
  )
})

longTest('npx zinc user reset-totp takes it away and ends the logins', async () => {
  const dina = await addPerson()
  await setUp(dina)
  const reset = await runZinc(['user', 'reset-totp', dina.username], zinc.environment)
  expect([reset.status, reset.stdout]).toEqual([0, expect.stringContaining('Two-factor authentication is off')])
  expect((await dina.logIn()).data.access_token).toBeTypeOf('string')
  const session = await zinc.services.db.session.findFirstOrThrow({
    where: { user: { username: dina.username } },
    orderBy: { created_at: 'asc' },
  })
  expect(session.ended_at).not.toBeNull()
})
