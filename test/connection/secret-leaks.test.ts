import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { runZinc as cli } from '../helpers/cli.ts'
import { longTest, times } from '../helpers/long.ts'
import { startMailServer } from '../helpers/mail-server.ts'
import { login, startZinc } from '../helpers/zinc.ts'

const AT = '/api/settings/integrations/zoho'
/** One for each secret that zinc is ever given. None looks like a real one. */
const CANARIES = {
  client_secret: 'canary-client-secret-4711',
  refresh_token: 'canary-refresh-token-4712',
  webhook_secret: 'canaryWebhookSecret4713',
  grant_code: 'canary-grant-code-4714',
  hook: 'canary-hook-token-4715',
  smtp: 'canary-smtp-password-4716',
  admin: 'canary-admin-password-4717',
  user: 'canary-user-password-4718',
  wrong: 'canary-wrong-value-4719',
}
/**
 * How a secret may hide: as it is, in base64 (wherever it begins), in hex, encoded for an address.
 */
const disguises = (secret: string): string[] => [
  secret,
  ...[0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + secret)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  ),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
]

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name))
}

/**
 * Command line and environment of every process that the server started; its own environment is the
 * caller's business.
 */
async function processesOf(server: ChildProcess): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    if (Number(pid) === server.pid) found.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
    if (parent === server.pid) {
      for (const file of ['cmdline', 'environ']) found.push(await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''))
    }
  }
  return found
}

/**
 * It starts several whole processes, which takes minutes on a machine that is busy with other
 * tests.
 */
const PATIENCE_MS = times(300_000, 1_800_000)

longTest(
  'no secret appears in any response, log, metric, audit, export, dump, file or process list',
  async () => {
    await using mail = await startMailServer()
    // The helper's zinc only makes the place; the one under test is a process of its own.
    const place = await startZinc({
      credentials: { ...FAKE_CREDENTIALS, clientSecret: CANARIES.client_secret, refreshToken: CANARIES.refresh_token },
      environment: { ZOHO_CLIENT_SECRET: '', ZOHO_REFRESH_TOKEN: '', WEBHOOK_URL_ALLOWLIST: '127.0.0.1:1' },
    })
    await place.services.runs.close()
    const { zoho, dataDir, environment } = place
    const server = spawn(process.execPath, ['src/server.ts'], {
      env: {
        ...childEnvironment,
        ...environment,
        LOG_LEVEL: 'debug',
        // One of the two in the environment, the other stored: both ways are watched.
        ZOHO_REFRESH_TOKEN: CANARIES.refresh_token,
        SMTP_URL: mail.url.replace('fake-smtp-password', CANARIES.smtp),
        NOTIFY_EMAIL: 'shop@example.com',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void server.kill('SIGKILL'))
    const output: string[] = []
    server.stdout.on('data', (chunk) => output.push(String(chunk)))
    server.stderr.on('data', (chunk) => output.push(String(chunk)))
    let url: string | undefined
    while (!url) {
      await once(server.stdout, 'data')
      url = /listens on (\S+)/.exec(output.join(''))?.[1]
    }

    const seen: string[] = []
    const token = await login(url)
    const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      // Cookies are where a secret belongs: they go to the browser that asked, and nowhere else.
      const shown = [...response.headers].filter(([name]) => name !== 'set-cookie')
      seen.push(`${method} ${path.split('?')[0]} ${response.status} ${JSON.stringify(shown)} ${await response.text()}`)
      return response.status
    }

    expect(await call('POST', AT, { client_secret: CANARIES.client_secret, webhook_secret: CANARIES.webhook_secret })).toBe(200)
    expect(await call('PUT', `${AT}/notifications`, { webhook_url: `http://127.0.0.1:1/${CANARIES.hook}` })).toBe(200)
    expect(await call('POST', `${AT}/test`)).toBe(200)
    for (const path of [
      '/',
      '/modules',
      '/scopes',
      '/organizations',
      '/quota',
      '/calls',
      '/notifications',
      '/audit',
      '/sync/runs',
      '/failures',
    ])
      await call('GET', `${AT}${path}`)
    expect(await call('POST', `${AT}/modules/inventory/sync`)).toBe(200)
    expect(await call('POST', `${AT}/modules/crm/sync`)).toBe(200)
    // What goes wrong, in every way that has a secret near it.
    await call('POST', `${AT}/notifications/test`)
    await call('POST', AT, { client_secret: 4711, data_center: CANARIES.wrong })
    await call('POST', AT, `{"client_secret": "${CANARIES.wrong}`)
    await call('POST', AT, { refresh_token: CANARIES.wrong }) // set by the environment
    await call('POST', `${AT}/authorize`, { code: CANARIES.grant_code })
    await call('GET', `${AT}/oauth/start`)
    await call('GET', `${AT}/oauth/callback?code=${CANARIES.grant_code}&state=${CANARIES.wrong}`, undefined, {
      cookie: `zinc_consent=${CANARIES.wrong}`,
    })
    await call('GET', `${AT}?access_token=${CANARIES.wrong}`)
    await call('GET', `${AT}/modules`, undefined, { authorization: `Bearer ${CANARIES.wrong}` })
    await call('POST', '/api/v1/auth/login', { username: 'admin', password: CANARIES.wrong })
    await call('POST', '/api/v1/users', { username: 'layla', password: CANARIES.user, role: 'viewer' })
    await call('POST', AT, { client_secret: `${CANARIES.client_secret}x` })
    zoho.expireTokens()
    await call('POST', `${AT}/test`)
    await call('POST', `${AT}/modules/inventory/sync`)
    zoho.fail({ path: /oauth/, times: 3, status: 500, body: `<html>${CANARIES.wrong}</html>` })
    await call('POST', AT, { client_secret: CANARIES.client_secret })
    await call('POST', `${AT}/test`)
    await call('GET', `${AT}/export?format=json`)
    for (const path of ['/metrics', '/docs/json', '/health/ready', '/api/products?limit=2']) await call('GET', path)

    const processes = await processesOf(server)
    const dump = join(dataDir, 'dump.zinc')
    const dumped = await cli(['--log-level', 'DEBUG', 'db', 'dump', dump], environment)
    const shown = await cli(['--log-level', 'DEBUG', 'config', 'show'], environment)
    expect([dumped.status, shown.status]).toEqual([0, 0])
    const rows: string[] = []
    const tables = await place.services.db.$queryRaw<
      { name: string }[]
    >`select tablename as name from pg_tables where schemaname = 'public'`
    for (const { name } of tables)
      rows.push(JSON.stringify(await place.services.db.$queryRawUnsafe(`select to_jsonb(t)::text as row from "${name}" t`)))
    server.kill('SIGTERM')
    await once(server, 'exit')

    const files = await Promise.all((await filesOf(dataDir)).map(async (file) => `${file} ${(await readFile(file)).toString('latin1')}`))
    const places: Record<string, string[]> = {
      answers: seen,
      log: output,
      processes,
      command: [JSON.stringify([dumped, shown])],
      rows,
      files,
    }
    // The watch itself works: each place has something in it, and the settings say so.
    expect(seen.join('')).toContain('••••4711')
    expect(output.join('')).toContain('/oauth/callback')
    expect(rows.join('').length).toBeGreaterThan(10_000)
    expect(processes.length).toBeGreaterThan(0)
    const accessTokens = ['1000.fake.']
    const leaks = Object.entries(places).flatMap(([name, texts]) =>
      [...Object.values(CANARIES), ...accessTokens, token].flatMap((secret) =>
        disguises(secret)
          .filter((it) => texts.some((text) => text.includes(it)))
          .map((it) => `${name}: ${it}`),
      ),
    )
    expect(leaks).toEqual([])
  },
  PATIENCE_MS,
)
