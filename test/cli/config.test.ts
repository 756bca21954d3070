import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { openServices } from '../../src/services.ts'
import { FAKE_CREDENTIALS } from '../../src/zoho-simulator/simulator.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'

const run = promisify(execFile)
const SECRET = 'fake-config-secret-0001'
const TOKEN = 'fake-config-token-0002'
const CONFIG = {
  client_id: FAKE_CREDENTIALS.clientId,
  client_secret: SECRET,
  refresh_token: TOKEN,
  organization_id: 460000001,
  comment: 'kept',
}

async function place() {
  const database = await createTestDatabase()
  const dir = await mkdtemp(join(tmpdir(), 'zinc-config-'))
  onTestFinished(async () => {
    await database.drop()
    await rm(dir, { recursive: true })
  })
  return { dir, environment: { DATA_DIR: join(dir, 'data'), DATABASE_URL: database.url } }
}

longTest('zinc config import stores a zoho_config.json, and zinc config show shows it without its secrets', async () => {
  const { dir, environment } = await place()
  const file = join(dir, 'zoho_config.json')
  const zinc = (args: string[], more: Record<string, string> = {}) =>
    run(process.execPath, ['src/cli/main.ts', ...args], { env: { ...childEnvironment, ...environment, ...more } }).then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({ status: error.code, stdout: error.stdout, stderr: error.stderr }),
    )
  await writeFile(file, '{ not json')
  const wrong = await zinc(['config', 'import', file])
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('is not JSON') })
  await writeFile(file, JSON.stringify(CONFIG))
  const imported = await zinc(['--json', 'config', 'import', file], { ZOHO_ORGANIZATION_ID: '7' })
  expect(JSON.parse(imported.stdout)).toEqual({
    status: 'success',
    dry_run: false,
    stored: ['client_id', 'client_secret', 'refresh_token'],
    fixed_by_environment: ['organization_id'],
    masked: [],
    left: ['comment'],
  })
  const shown = await zinc(['config', 'show'])
  expect(shown).toMatchObject({ status: 0, stdout: expect.stringContaining('••••0001') })
  expect(shown.stdout).toContain('not_set_up')
  for (const output of [wrong, imported, shown])
    for (const secret of [SECRET, TOKEN]) expect(output.stdout + output.stderr).not.toContain(secret)
})

longTest('a zoho_config.json is imported once at start, emptied of secrets, and logged without them', async () => {
  const { environment } = await place()
  const config = parseConfig(environment)
  await using _first = await openServices(config, pino({ level: 'silent' }))
  const file = join(config.dataDir, 'settings', 'zoho_config.json')
  const modules = [
    { name: 'Zoho CRM', enabled: false, last_sync: null },
    { name: 'invoice', enabled: true },
    { name: 'Zoho Desk', enabled: true },
  ]
  await writeFile(file, JSON.stringify({ ...CONFIG, enabled: false, modules }))
  const lines: string[] = []
  const log = createLogger('debug', { write: (line: string) => void lines.push(line) })
  {
    await using services = await openServices(config, log)
    const now = await services.modules.list()
    expect(now.filter((it) => it.enabled).map((it) => it.slug)).toEqual(['books', 'inventory', 'invoice'])
    expect(lines.join('')).toContain('"left":["comment","modules.Zoho CRM.last_sync","modules.Zoho Desk"]')
    expect((await services.connect.settings.effective()).enabled).toBe(false)
    expect((await services.connect.settings.effective()).values).toMatchObject({
      client_id: FAKE_CREDENTIALS.clientId,
      client_secret: SECRET,
      refresh_token: TOKEN,
      organization_id: '460000001',
    })
    // What a person changes afterwards is not brought back by the emptied file.
    await services.connect.settings.change({ organization_id: '460000002' }, { actor: 'test', request_id: null, ip: null })
  }
  const left = await readFile(file, 'utf8')
  expect(JSON.parse(left)).toMatchObject({ client_id: FAKE_CREDENTIALS.clientId, comment: 'kept' })
  expect(lines.filter((line) => line.includes('was imported'))).toHaveLength(1)
  for (const secret of [SECRET, TOKEN]) expect(left + lines.join('')).not.toContain(secret)
  {
    await using services = await openServices(config, log)
    expect((await services.connect.settings.effective()).values.organization_id).toBe('460000002')
  }
  await writeFile(file, '{"client_secret": 5')
  {
    await using _services = await openServices(config, log)
  }
  expect(lines.at(-1)).toContain('was not imported')
})
