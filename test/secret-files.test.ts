import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ENVIRONMENT_KEYS, NEEDED_WITH, parseConfig } from '../src/config.ts'

async function secretFile(text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-secret-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'secret'), text)
  return join(dir, 'secret')
}

test.each([
  ['a line end of Unix is cut', 'fake-metrics-token\n', 'fake-metrics-token'],
  ['a line end of Windows is cut', 'fake-metrics-token\r\n', 'fake-metrics-token'],
  ['only one line end is cut', 'fake-metrics-token\n\n', 'fake-metrics-token\n'],
  ['blanks are kept', ' fake-metrics-token ', ' fake-metrics-token '],
])('of a secret in a file %s', async (_, text, value) => {
  expect(parseConfig({ METRICS_TOKEN_FILE: await secretFile(text) }).http.metricsToken).toBe(value)
})

test.each([
  ['is empty', async () => ({ METRICS_TOKEN_FILE: await secretFile('\n') }), /METRICS_TOKEN_FILE: .* is empty/],
  ['is missing', async () => ({ DATABASE_URL_FILE: '/nonexistent/url' }), /DATABASE_URL_FILE: .* cannot be read \(ENOENT\)/],
  [
    'comes beside the key itself',
    async () => ({ METRICS_TOKEN: 'fake-metrics-token', METRICS_TOKEN_FILE: await secretFile('fake-other-token') }),
    /METRICS_TOKEN_FILE: METRICS_TOKEN is set as well/,
  ],
  ['holds a wrong value', async () => ({ DATABASE_URL_FILE: await secretFile('fake-secret-text') }), /DATABASE_URL: must be a postgresql/],
])('a secret file that %s ends the start with status 2, without its content', async (_, environment, message) => {
  const error = await environment().then((env) => {
    try {
      parseConfig(env)
    } catch (failure) {
      return failure as Error & { exitStatus: number }
    }
    throw new Error('the configuration was taken')
  })
  expect(error.message).toMatch(message)
  expect(error.exitStatus).toBe(2)
  expect(error.message).not.toContain('fake-')
})

test('a key that is set to nothing leaves the file in force', async () => {
  expect(parseConfig({ METRICS_TOKEN: '', METRICS_TOKEN_FILE: await secretFile('fake-metrics-token') }).http.metricsToken).toBe(
    'fake-metrics-token',
  )
})

/** A value that the key takes. */
const acceptedValue = (key: string): string =>
  /ENDPOINT/.test(key) ? 'http://127.0.0.1:9000' : /PATH_STYLE/.test(key) ? '1' : 'fake-value'

test('half of a pair ends the start with the name of the other half, from a file too; both are accepted', async () => {
  const halves = ENVIRONMENT_KEYS.filter((key) => /(ACCESS_KEY_ID|SECRET_ACCESS_KEY)$/.test(key))
  expect(NEEDED_WITH.map(([key]) => key)).toEqual(expect.arrayContaining(halves))
  for (const [key, needed] of NEEDED_WITH) {
    const refusal = { exitStatus: 2, message: expect.stringContaining(`${needed}: is needed with ${key}`) }
    expect(() => parseConfig({ [key]: acceptedValue(key) }), key).toThrow(expect.objectContaining(refusal))
    if (halves.includes(key)) {
      const path = await secretFile('fake-value')
      expect(() => parseConfig({ [`${key}_FILE`]: path })).toThrow(expect.objectContaining(refusal))
    }
    expect(() => parseConfig({ [key]: acceptedValue(key), [needed]: acceptedValue(needed) })).not.toThrow()
  }
  expect(() => parseConfig({ SMTP_URL: 'smtps://zinc@mail.example' })).toThrow(/SMTP_URL: a user name and a password/)
  expect(() => parseConfig({ BACKUP_S3_FORCE_PATH_STYLE: '0', SMTP_URL: 'smtp://mail.example' })).not.toThrow()
})
