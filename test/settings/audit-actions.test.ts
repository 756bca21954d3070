import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { startServer } from '../../src/start-server.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc, testOverrides } from '../helpers/zinc.ts'
import { startPulls } from '../pulls/helpers.ts'

const json = { 'content-type': 'application/json' }
const AT = '/api/settings/integrations/zoho'

test('logins, logouts and refused logins are audited, a guesser in one row and no unknown name', async () => {
  const { url, services } = await startZinc()
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/auth/${path}`, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })
  const { data } = (await (await post('login', { username: 'admin', password: 'a-password-for-tests' })).json()) as {
    data: { access_token: string }
  }
  for (let n = 0; n < 3; n++) await post('login', { username: 'admin', password: `wrong ${n}` })
  for (const name of ['my-secret-password', 'another-secret']) await post('login', { username: name, password: 'wrong' })
  await post('logout', {}, { authorization: `Bearer ${data.access_token}` })
  const rows = await services.db.auditEntry.findMany({ where: { action: { startsWith: 'session.' } }, orderBy: { id: 'asc' } })
  expect(rows.map(({ action, actor, target, ip }) => [action, actor, target, ip])).toEqual([
    ['session.login', 'admin', 'user:admin', '127.0.0.1'], // the helper's
    ['session.login', 'admin', 'user:admin', '127.0.0.1'],
    ['session.login_refused', 'zinc', 'user:admin', '127.0.0.1'],
    ['session.login_refused', 'zinc', 'user:(unknown)', '127.0.0.1'],
    ['session.logout', 'admin', 'user:admin', '127.0.0.1'],
  ])
})

test('a refused login is one log line with address and name, which no name can forge', async () => {
  const { environment } = await startZinc()
  const lines: string[] = []
  const log = createLogger('info', { write: (line: string) => void lines.push(line) })
  const serving = await startServer(parseConfig({ ...environment, TRUSTED_PROXIES: '127.0.0.1' }), log, testOverrides())
  onTestFinished(() => serving[Symbol.asyncDispose]())
  const guess = (username: string, from: string) =>
    fetch(`${serving.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { ...json, 'x-forwarded-for': from },
      body: JSON.stringify({ username, password: 'canary-wrong-password' }),
    })
  await guess('layla', '203.0.113.9')
  await guess('x","msg":"Refused login from 198.51.100.1 as layla', '203.0.113.10')
  for (let n = 0; n < 11; n++) await guess('omar', '203.0.113.11')
  const failregex = /"msg":"Refused login from (\S+) as/g
  const hosts = lines.flatMap((line) => [...line.matchAll(failregex)].map((match) => match[1]))
  expect(hosts).toEqual(['203.0.113.9', '203.0.113.10', ...Array(11).fill('203.0.113.11')])
  expect(lines.find((line) => line.includes('203.0.113.9'))).toContain('"username":"layla"')
  expect(lines.join('')).not.toContain('canary')
})

longTest('exports, session archives, pins, deletions, dismissals and stopped runs are audited with who did it', async () => {
  const { zinc, pull, newest } = await startPulls()
  await pull({ modules: ['bills'] })
  const session = await newest()
  const send = async (method: string, path: string, body?: object) => {
    const response = await zinc.call(path, { method, ...(body && { headers: json, body: JSON.stringify(body) }) })
    await response.arrayBuffer()
    expect([path, response.status]).toEqual([path, 200])
  }
  await send('GET', `${AT}/export?format=csv`)
  await send('GET', `/api/pulls/${session}/archive`)
  await send('PATCH', `/api/pulls/${session}`, { pinned: true })
  await send('PATCH', `/api/pulls/${session}`, { pinned: false })
  await send('DELETE', `/api/pulls/${session}`)
  await pull({ modules: ['bills'] })
  const old = await newest()
  await pull({ modules: ['bills'], full: true })
  expect((await runZinc(['sessions', 'prune', '--keep', '1'], zinc.environment)).status).toBe(0)
  expect((await runZinc(['export', 'bills'], zinc.environment)).status).toBe(0)
  zinc.zoho.fail({ path: /items/, times: 1_000, status: 503, body: '{}' })
  const run = await zinc.services.runs.start('items', {} as never, { startedBy: 'test' })
  await send('POST', `${AT}/sync/runs/${run.run_id}/cancel`)
  const rows = await zinc.services.db.auditEntry.findMany({
    where: { action: { not: { startsWith: 'session.' } } },
    orderBy: { id: 'asc' },
  })
  expect(rows.filter((it) => it.action !== 'user.create').map(({ action, actor, target }) => [action, actor, target])).toEqual([
    ['catalog.export', 'admin', 'catalog.csv'],
    ['pull.archive', 'admin', `pull:${session}`],
    ['pull.pin', 'admin', `pull:${session}`],
    ['pull.unpin', 'admin', `pull:${session}`],
    ['pull.delete', 'admin', `pull:${session}`],
    ['pull.delete', 'zinc', `pull:${old}`],
    ['pull.export', 'zinc', 'pull.books.bills'],
    ['run.cancel', 'admin', `run:${run.run_id}`],
  ])
})

longTest('the first use of an edge token is audited once, with where it came from', async () => {
  const { url, call, services } = await startZinc()
  const post = async (path: string, body: object) =>
    ((await (await call(path, { method: 'POST', headers: json, body: JSON.stringify(body) })).json()) as { data: Record<string, string> })
      .data
  const store = await post('/api/v1/stores', { code: 'BGW-01', name: 'Karrada' })
  const { token } = await post(`/api/v1/stores/${store.id}/tokens`, { name: 'till 7' })
  const list = () => fetch(`${url}/api/v1/sync/product-photos/?store_id=${store.id}`, { headers: { authorization: `Bearer ${token}` } })
  const statuses = (await Promise.all([list(), list(), list()])).map(({ status }) => status)
  expect([...statuses, (await list()).status]).toEqual([200, 200, 200, 200])
  const rows = await services.db.auditEntry.findMany({ where: { action: 'edge_token.first_use' } })
  expect(rows.map(({ actor, target, ip }) => [actor, target, ip])).toEqual([['edge:till 7', 'store:BGW-01', '127.0.0.1']])
})
