import { spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { openServices } from '../../src/services.ts'
import { startServer } from '../../src/start-server.ts'
import { longTest } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64')

longTest('a second instance with other keys or another disk is refused with the remedy, and rotation is not', async () => {
  const first = { JWT_SECRET: key(1), CREDENTIALS_KEY: key(2) }
  const { environment } = await startZinc({ environment: first })
  const open = async (change: Record<string, string>) => {
    const services = await openServices(parseConfig({ ...environment, ...change }), pino({ level: 'silent' }))
    await services[Symbol.asyncDispose]()
  }
  for (const wrong of [{ JWT_SECRET: key(9) }, { CREDENTIALS_KEY: key(9) }, { DATA_DIR: `${environment.DATA_DIR}/elsewhere` }]) {
    await expect(open(wrong)).rejects.toMatchObject({ code: 'instance_mismatch', exitStatus: 2, detail: { remedy: expect.any(String) } })
  }
  await open({})
  await open({ CREDENTIALS_KEY: `${key(3)},${key(2)}` })
  await open({ CREDENTIALS_KEY: key(3) })
  await expect(open({ CREDENTIALS_KEY: key(2) })).rejects.toMatchObject({ code: 'instance_mismatch' })
})

longTest('a lost or empty key file stops the start, and with the file restored everything opens', async () => {
  const { environment, services } = await startZinc()
  await services.connect.settings.change({ webhook_secret: 'a secret of the webhook' }, { actor: 'admin', request_id: null, ip: null })
  const open = () => openServices(parseConfig(environment), pino({ level: 'silent' }))
  for (const [name, lost] of [
    ['credentials.key', 'instance_mismatch'],
    ['jwt.key', 'instance_mismatch'],
  ] as const) {
    const file = join(environment.DATA_DIR!, 'settings', name)
    const key = await readFile(file)
    await rm(file)
    await expect(open()).rejects.toMatchObject({ code: lost, exitStatus: 2 })
    for (const text of ['', '\n', key.subarray(0, 20)]) {
      await writeFile(file, text)
      await expect(open()).rejects.toMatchObject({
        code: 'invalid_key_file',
        exitStatus: 2,
        detail: { remedy: expect.stringContaining('backup') },
      })
      expect(await readFile(file)).toEqual(Buffer.from(text))
    }
    await writeFile(file, key)
  }
  await using again = await open()
  expect((await again.connect.settings.effective()).values.webhook_secret).toBe('a secret of the webhook')
})

test.each([
  [{ PORT: 'many' }, 'PORT'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  [{ STORAGE: 's3' }, 'S3_BUCKET'],
  [{ SECRETS_PROVIDER: 'gcp' }, 'GCP_PROJECT_ID'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
  [{ JWT_SECRET: 'short' }, 'JWT_SECRET'],
  [{ PORT: '70000' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ MAX_UPLOAD_BYTES: '1.5' }, 'MAX_UPLOAD_BYTES: must be a whole number from 1'],
  [{ IMAGE_URL_ALLOWLIST: 'images.example:8080,https://images.example' }, 'IMAGE_URL_ALLOWLIST'],
  [{ NOTIFY_EMAIL: 'nobody' }, 'NOTIFY_EMAIL'],
])('a wrong value %j stops the start with exit status 2 and names the key', (environment, name) => {
  expect(() => parseConfig(environment)).toThrow(expect.objectContaining({ exitStatus: 2, message: expect.stringContaining(name) }))
})

test('ROLE=api answers and queues, ROLE=worker works and answers only health and metrics', async () => {
  const api = await startZinc({ environment: { ROLE: 'api' } })
  const started = await api.call('/api/settings/integrations/zoho/sync/item/execute?wait=false', { method: 'POST' })
  const { run_id } = (await started.json()) as { run_id: string }
  expect((await api.services.runs.get(run_id)).state).toBe('queued')

  await using worker = await startServer(parseConfig({ ...api.environment, ROLE: 'worker' }), pino({ level: 'silent' }))
  await waitFor(async () => (await api.services.runs.get(run_id)).state === 'success')
  const paths = ['/health/ready', '/metrics', '/api/products', '/settings/integrations/zoho', '/api/v1/auth/me']
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(`${worker.url}${path}`)).status))
  expect(statuses).toEqual([200, 200, 404, 404, 404])
})

test.each(['/proc/nowhere/data', fileURLToPath(import.meta.url)])(
  'a data folder that cannot be used, %s, ends the start with one message',
  async (folder) => {
    for (const more of [{}, { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nowhere' }]) {
      const opening = openServices(parseConfig({ DATA_DIR: folder, ...more }), pino({ level: 'silent' }))
      await expect(opening).rejects.toMatchObject({ code: 'data_dir_unusable', exitStatus: 1, detail: { remedy: expect.any(String) } })
    }
  },
)

longTest.each([['--items', 'many'], ['--bogus']])('a demo that is called wrongly (%s) says so, and how it is called', async (...args) => {
  const { status, stderr } = spawnSync(process.execPath, ['src/demo.ts', ...args], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^.+\n\nnpm run demo --/)])
})
