import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { startServer } from '../../src/start-server.ts'
import { longTest } from '../helpers/long.ts'
import { sendRawHttp } from '../helpers/raw-http.ts'
import { startZinc } from '../helpers/zinc.ts'

longTest('names, addresses and headers that try to write log lines of their own stay inside one', async () => {
  const { environment, zoho } = await startZinc()
  const written: string[] = []
  const log = createLogger('debug', { write: (line: string) => void written.push(line) })
  const serving = await startServer(parseConfig({ ...environment, LOG_LEVEL: 'debug' }), log)
  onTestFinished(() => serving[Symbol.asyncDispose]())
  const evil = 'a\n{"level":60,"msg":"forged"}\r\n\u2028\u001b[31m'
  zoho.edit(zoho.items()[0]!.item_id, { name: evil, sku: evil })
  const post = (body: object) =>
    fetch(`${serving.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post({ username: evil, password: evil })
  const { access_token } = await serving.services.sessions.open(await serving.services.db.appUser.findFirstOrThrow(), null)
  await fetch(`${serving.url}/api/settings/integrations/zoho/sync/item/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}` },
  })
  await fetch(`${serving.url}/api/products?search=${encodeURIComponent(evil)}`)
  await sendRawHttp(serving.url, 'GET /x%0a{"level":60} HTTP/1.1\r\nHost: x\r\nX-Request-Id: a"b{}\r\nConnection: close\r\n\r\n')
  expect(written.length).toBeGreaterThan(5)
  for (const line of written) {
    expect(line.indexOf('\n')).toBe(line.length - 1)
    const entry = JSON.parse(line) as { level: number; msg?: string }
    expect(entry.level).toBeLessThan(60)
    expect(entry.msg ?? '').not.toBe('forged')
  }
  expect(written.join('')).not.toContain(access_token)
  expect(pino.levels.values.fatal).toBe(60)
})
