import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import * as arabic from '../../src/messages/ar.ts'
import * as english from '../../src/messages/en.ts'
import { remedyOf, render } from '../../src/messages/message.ts'
import { attemptOf } from '../../src/notifications/notifications.ts'
import { longTest } from '../helpers/long.ts'
import { startMailServer } from '../helpers/mail-server.ts'
import { request } from '../helpers/request.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { skipPriceLists, startZinc } from '../helpers/zinc.ts'

async function receiver() {
  const state = { got: [] as { kind: string; subject: string; text: string; at: string }[], status: 204 }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      if (state.status < 300) state.got.push(JSON.parse(body))
      response.writeHead(state.status).end('fake-hook-token seen')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/hook/fake-hook-token` })
}

test('where notices go: set over HTTP, masked, tried by a button, refused in words that quote no address', async () => {
  await using mail = await startMailServer()
  const hook = await receiver()
  const zinc = await startZinc({ environment: { IMAGE_URL_ALLOWLIST: new URL(hook.url).host } })
  expect((await request(zinc, 'GET', '/notifications')).body.data).toMatchObject({
    email: null,
    smtp_url: null,
    webhook_url: null,
    sources: { email: 'none' },
  })
  expect((await request(zinc, 'POST', '/notifications/test')).body.data).toEqual({ ok: false, email: null, webhook: null })
  const set = await request(zinc, 'PUT', '/notifications', {
    email: 'shop@example.com, boss@example.com',
    smtp_url: mail.url,
    webhook_url: hook.url,
    nothing_synced_after_minutes: 60,
  })
  expect(set.body.data).toMatchObject({
    email: 'shop@example.com, boss@example.com',
    smtp_url: expect.stringMatching(/^••••.{4}$/),
    webhook_url: '••••oken',
    nothing_synced_after_minutes: 60,
  })
  // The masks sent back, and the same again, change nothing.
  await request(zinc, 'PUT', '/notifications', {
    smtp_url: set.body.data.smtp_url,
    webhook_url: set.body.data.webhook_url,
    nothing_synced_after_minutes: 60,
  })
  expect((await request(zinc, 'POST', '/notifications/test')).body.data).toMatchObject({
    ok: true,
    email: { ok: true },
    webhook: { ok: true },
  })
  expect(mail.mails).toMatchObject([{ to: [expect.stringContaining('shop@example.com'), expect.stringContaining('boss@example.com')] }])
  expect(mail.mails[0]!.text).toContain('Subject: [zinc] A test')
  expect(hook.got).toMatchObject([{ kind: 'test', subject: 'A test' }])

  mail.refuses = 'password'
  hook.status = 500
  const refused = await request(zinc, 'POST', '/notifications/test')
  expect(refused.body.data).toMatchObject({
    ok: false,
    email: { ok: false, message: expect.stringContaining('535'), remedy: expect.any(String) },
    webhook: { ok: false, code: 'notification_refused', message: 'The receiver cannot be reached or does not take it' },
  })
  expect(JSON.stringify(refused.body)).not.toMatch(/fake-smtp-password|fake-hook-token/)

  for (const [body, field] of [
    [{ email: 'nobody' }, 'email'],
    [{ smtp_url: 'http://127.0.0.1' }, 'smtp_url'],
    [{ webhook_url: 'ftp://127.0.0.1/x' }, 'webhook_url'],
  ] as const) {
    expect(await request(zinc, 'PUT', '/notifications', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_address', message: expect.stringContaining(field) },
    })
  }
  const audit = await zinc.services.db.auditEntry.findMany({ where: { action: 'notifications.change' } })
  expect(audit.map((it) => it.fields)).toEqual([['email', 'smtp_url', 'webhook_url', 'nothing_synced_after_minutes']])
})

longTest('a stored webhook address that is not public is not asked, and no failure tells what is behind it', async () => {
  const hook = await receiver()
  const odd = await receiver()
  odd.status = 418
  const redirect = createServer((_request, response) => response.writeHead(307, { location: hook.url }).end())
  await new Promise<void>((resolve) => redirect.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => redirect.close(() => resolve())))
  const { port } = redirect.address() as { port: number }
  let isInside = false
  const zinc = await startZinc({
    environment: { WEBHOOK_URL_ALLOWLIST: `${new URL(odd.url).host},127.0.0.1:${port},127.0.0.1:1` },
    // Public when it is stored, and inside when it is asked.
    overrides: () => ({ resolveImageHost: async () => [{ address: isInside ? '127.0.0.1' : '93.184.216.34', family: 4 }] }),
  })
  const failures = new Set<string>()
  const refused: string[] = []
  for (const url of [
    hook.url,
    hook.url.replace('127.0.0.1', 'localhost'),
    hook.url.replace('127.0.0.1', '2130706433'),
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/x',
    'http://127.0.0.1:1/nothing-listens',
    `http://127.0.0.1:${port}/redirects`,
    odd.url,
    'http://moves.example/hook',
  ]) {
    isInside = false
    const put = await request(zinc, 'PUT', '/notifications', { webhook_url: url })
    if (put.status !== 200) {
      expect(put).toMatchObject({ status: 400, body: { code: 'webhook_url_blocked' } })
      refused.push(url)
      continue
    }
    isInside = true
    const { webhook } = (await request(zinc, 'POST', '/notifications/test')).body.data as { webhook: object }
    failures.add(JSON.stringify(webhook))
  }
  expect(refused).toHaveLength(5)
  expect([...failures]).toEqual([expect.stringContaining('cannot be reached or does not take it')])
  expect(hook.got).toEqual([])
})

longTest('a mail password is sent to another machine only encrypted', async () => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((it) => it?.family === 'IPv4' && !it.internal)
  if (!own) return
  await using mail = await startMailServer({ host: '0.0.0.0' })
  const elsewhere = mail.url.replace('127.0.0.1', own.address)
  const zinc = await startZinc()
  const tried = async (smtp_url: string) => {
    await request(zinc, 'PUT', '/notifications', { email: 'shop@example.com', smtp_url })
    return ((await request(zinc, 'POST', '/notifications/test')).body.data as { email: { ok: boolean; message: string } }).email
  }
  expect(await tried(elsewhere)).toMatchObject({ ok: false, message: expect.stringContaining('TLS') })
  expect(mail.lines.join(' ')).not.toMatch(/AUTH PLAIN \S/)
  expect(await tried(mail.url)).toMatchObject({ ok: true })
  expect(await tried(elsewhere.replace('zinc:fake-smtp-password@', ''))).toMatchObject({ ok: true })
  expect(await tried('smtp://127.0.0.1:1')).toMatchObject({
    ok: false,
    code: 'mail_unreachable',
    message: 'The mail server cannot be reached',
  })
})

test('a lost connection, failing runs and a stopped sync are each reported once per occurrence', async () => {
  const hook = await receiver()
  let aheadMs = 0
  const clock = { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} }
  const zinc = await startZinc({ clock, environment: { NOTIFY_WEBHOOK_URL: hook.url } })
  const { zoho, services } = zinc
  expect(await request(zinc, 'PUT', '/notifications', { webhook_url: null })).toMatchObject({
    status: 409,
    body: { code: 'set_by_environment' },
  })
  const told = async () => {
    await services.notifier.watch()
    await waitFor(async () => (await services.db.notification.count({ where: { sent_at: null } })) === 0)
    return hook.got
      .splice(0)
      .map((it) => it.kind)
      .sort()
  }
  await skipPriceLists(zinc)
  await zinc.sync()
  expect(await told()).toEqual([])

  const [grant] = zoho.accounts.grants
  zoho.revoke()
  for (let n = 0; n < 3; n++) await zinc.sync()
  expect(await told()).toEqual(['connection_lost', 'run_failed'])
  await zinc.sync()
  expect(await told()).toEqual([])

  zoho.accounts.grants.push(grant!)
  await zinc.sync()
  expect(await told()).toEqual(['connection_regained'])
  zoho.revoke()
  await zinc.sync()
  expect(await told()).toEqual(['connection_lost', 'run_failed'])
  zoho.accounts.grants.push(grant!)
  await zinc.sync()
  await told()

  await request(zinc, 'PUT', '/notifications', { nothing_synced_after_minutes: 60 })
  aheadMs = 59 * 60_000
  expect(await told()).toEqual([])
  aheadMs = 62 * 60_000
  expect(await told()).toEqual(['nothing_synced'])
  expect(await told()).toEqual([])
  const store = await services.db.store.create({ data: { code: 'S1', name: 'Karada', last_seen_at: new Date() } })
  aheadMs = 25 * 3_600_000
  expect(await told()).toEqual(['store_silent'])
  expect(await told()).toEqual([])
  await services.db.store.update({ where: { id: store.id }, data: { last_seen_at: clock.now() } })
  await told()
  aheadMs = 50 * 3_600_000
  expect(await told()).toEqual(['store_silent'])

  const recent = (await request(zinc, 'GET', '/notifications')).body.data.recent
  expect(recent[0]).toMatchObject({ kind: 'store_silent', subject: 'Store Karada is silent', error: null, attempts: 1 })
  for (const it of recent) expect(it.text.length).toBeGreaterThan(20)
})

test('notifications are written in the chosen language, with the cause and what to do, and kept in English', async () => {
  const hook = await receiver()
  const zinc = await startZinc({ environment: { NOTIFY_WEBHOOK_URL: hook.url } })
  const { db, notifier } = zinc.services
  expect((await request(zinc, 'PUT', '/notifications', { language: 'ar' })).body.data).toMatchObject({ language: 'ar' })
  await skipPriceLists(zinc)
  await zinc.sync()
  zinc.zoho.revoke()
  await zinc.sync()
  await notifier.watch()
  await waitFor(async () => (await db.notification.count({ where: { sent_at: null } })) === 0)
  const { recent } = (await request(zinc, 'GET', '/notifications')).body.data
  const lost = recent.find((it: { kind: string }) => it.kind === 'connection_lost')
  const { cause } = lost.params
  expect(lost).toMatchObject({ subject: 'The connection to Zoho is lost', params: { cause: { code: expect.any(String) } } })
  expect(lost.text).toBe(`${render(english.MESSAGES, cause)}\n${remedyOf(english.MESSAGES, cause)}`)
  const sent = hook.got.find((it) => it.kind === 'connection_lost')
  expect(sent?.subject).toBe('انقطع الاتصال بـ Zoho')
  expect(sent?.text).toBe(`انقطع الاتصال بـ Zoho\n${render(arabic.MESSAGES, cause)}\n${remedyOf(arabic.MESSAGES, cause)}`)
  // A row of an older zinc has no facts, and goes out as it was written.
  await db.$executeRaw`update notification set params = null, sent_at = null, sent_by = '{}', attempts = 1 where kind = 'connection_lost'`
  await zinc.services.queue.add(db, 'notification', [attemptOf({ id: BigInt(lost.id), attempts: 1 })])
  await waitFor(async () => (await db.notification.count({ where: { sent_at: null } })) === 0)
  expect(hook.got.at(-1)).toMatchObject({ subject: 'The connection to Zoho is lost', text: `The connection to Zoho is lost\n${lost.text}` })
})

longTest('a receiver that is away gets its notice later, another channel that took it does not get it twice', async () => {
  await using mail = await startMailServer()
  const hook = await receiver()
  const zinc = await startZinc({
    environment: { NOTIFY_WEBHOOK_URL: hook.url, NOTIFY_EMAIL: 'shop@example.com', SMTP_URL: mail.url },
  })
  const { db, notifier } = zinc.services
  await zinc.sync()
  hook.status = 503
  zinc.zoho.revoke()
  await zinc.sync()
  await notifier.watch()
  await waitFor(async () => (await db.notification.count({ where: { attempts: 1 } })) === 2)
  expect([mail.mails.length, hook.got.length]).toEqual([2, 0]) // the connection, and the run that it failed
  const { recent } = (await request(zinc, 'GET', '/notifications')).body.data
  expect(recent[0]).toMatchObject({
    error: 'webhook: The receiver cannot be reached or does not take it',
    failure: { channel: 'webhook', code: 'notification_refused', params: {} },
  })
  hook.status = 204
  const waiting = await db.$queryRaw<{ seconds: number }[]>`
    select extract(epoch from start_after - created_on)::float as seconds from pgboss.job where name = 'notification' and state = 'created'`
  expect(waiting.map((it) => Math.round(it.seconds))).toEqual([60, 60])
  await db.$executeRaw`update pgboss.job set start_after = now() where name = 'notification' and state = 'created'`
  await waitFor(async () => (await db.notification.count({ where: { sent_at: null } })) === 0)
  expect(hook.got.filter((it) => it.kind === 'connection_lost')).toHaveLength(1)
  expect(mail.mails.filter((it) => it.text.includes('connection to Zoho is lost'))).toHaveLength(1)
})
