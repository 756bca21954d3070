import { spawn } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { usesOldKey } from '../../src/settings/reencrypt.ts'
import { createSettingStore } from '../../src/settings/setting-store.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { runZinc } from '../helpers/cli.ts'
import { longTest, times } from '../helpers/long.ts'
import { startSecondInstance } from '../helpers/second-instance.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startZinc } from '../helpers/zinc.ts'

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64')
const VALUES = 600

longTest('a killed key rotation resumes, and afterwards the database refuses the old key', async () => {
  const zinc = await startZinc({ environment: { CREDENTIALS_KEY: key(1), JWT_SECRET: key(7) } })
  const { db, rotation } = zinc.services
  await zinc.sync() // an access token is sealed, too
  const stored = createSettingStore({ db, encryption: rotation.encryption })
  const nameOf = (n: number) => `test.${String(n).padStart(4, '0')}`
  const entry = { encrypted: true, by: 'test', at: new Date() }
  for (let n = 0; n < VALUES; n++) await stored.write(db, nameOf(n), `secret ${n}`, entry)
  await stored.write(db, 'test.plain', 'v1:no secret', { ...entry, encrypted: false })
  const old = rotation.encryption.prefixes().newest
  const left = () => db.setting.count({ where: { encrypted: true, value: { startsWith: old } } })

  const both = { ...zinc.environment, CREDENTIALS_KEY: `${key(2)},${key(1)}` }
  for (let kill = 0; kill < times(2, 10); kill++) {
    const before = await left()
    const child = spawn(process.execPath, ['src/cli/main.ts', 'keys', 'rotate'], {
      env: { ...childEnvironment, ...both },
      stdio: 'ignore',
      detached: true,
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await waitFor(async () => (await left()) < before || child.exitCode !== null)
    // The whole group: the door hands over to another Node.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL')
    await ended
  }
  const done = await runZinc(['--json', 'keys', 'rotate'], both)
  expect(done).toMatchObject({ status: 0 })
  expect(JSON.parse(done.stdout)).toMatchObject({ status: 'success', data: { unreadable: [] } })
  expect(done.stdout).toContain('The old CREDENTIALS_KEY may go now')
  expect(await left()).toBe(0)
  expect(await db.zohoToken.count({ where: { access_token: { startsWith: old } } })).toBe(0)

  // With the new key alone everything opens; the old one belongs to this database no more.
  const alone = { ...zinc.environment, CREDENTIALS_KEY: key(2) }
  expect(await runZinc(['user', 'list'], alone)).toMatchObject({ status: 0 })
  expect(await runZinc(['user', 'list'], zinc.environment)).toMatchObject({ status: 2, stderr: expect.stringContaining('CREDENTIALS_KEY') })
  const { createEncryption } = await import('../../src/settings/encryption.ts')
  const values = await createSettingStore({
    db,
    encryption: createEncryption(() => parseConfig(alone).keys.credentials.map((it) => Buffer.from(it, 'base64'))),
  }).read('test.')
  expect(values.size).toBe(VALUES + 1)
  for (let n = 0; n < VALUES; n++) expect(values.get(nameOf(n).slice(5))?.value).toBe(`secret ${n}`)
  expect(values.get('plain')?.value).toBe('v1:no secret')
  expect(await db.auditEntry.count({ where: { action: 'keys.rotate' } })).toBeGreaterThan(0)
})

longTest('the new key alone is refused while something is still sealed with the old one', async () => {
  const zinc = await startZinc({ environment: { CREDENTIALS_KEY: key(1) } })
  await zinc.sync()
  const rotating = await startSecondInstance(zinc, { CREDENTIALS_KEY: `${key(2)},${key(1)}` })
  expect((await fetch(`${rotating}/health/ready`)).status).toBe(200)
  await expect(startSecondInstance(zinc, { CREDENTIALS_KEY: key(2) })).rejects.toMatchObject({
    code: 'instance_mismatch',
    exitStatus: 2,
    detail: { remedy: expect.stringContaining('zinc keys rotate') },
  })
})

longTest('servers use a new key in the key file immediately, and tokens stay valid', async () => {
  const zinc = await startZinc()
  const file = join(zinc.dataDir, 'settings', 'credentials.key')
  await zinc.sync()
  const { db, rotation } = zinc.services
  const before = rotation.encryption.prefixes().newest
  const first = await readFile(file, 'utf8')
  expect(await runZinc(['keys', 'rotate', '--tokens'], zinc.environment)).toMatchObject({ status: 0 })

  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toBe(first.trim())
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(rotation.encryption.prefixes()).toMatchObject({ older: [before] })
  expect(await usesOldKey(db, rotation.encryption, rotation.columns)).toBe(false)
  // The running server goes on with the token that was sealed anew: no further sign-in at Zoho.
  const signIns = zinc.zoho.counters.token
  expect((await zinc.sync()).status).toBe('success')
  expect(zinc.zoho.counters.token).toBe(signIns)
  await createSettingStore({ db, encryption: rotation.encryption }).write(db, 'test.new', 'x', {
    encrypted: true,
    by: 'test',
    at: new Date(),
  })
  expect(
    (await db.setting.findUniqueOrThrow({ where: { name: 'test.new' } })).value.startsWith(rotation.encryption.prefixes().newest),
  ).toBe(true)
  // A server that starts now signs with the new token key and still reads the old one's tokens.
  const later = await startSecondInstance(zinc)
  const token = await zinc.services.sessions.open(await db.appUser.findFirstOrThrow(), null)
  expect((await fetch(`${later}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token.access_token}` } })).status).toBe(200)

  expect(await runZinc(['keys', 'rotate'], zinc.environment)).toMatchObject({ status: 0 })
  const again = (await readFile(file, 'utf8')).trim().split('\n')
  expect(again[1]).toBe(lines[0])
  expect(again).toHaveLength(2)
})

longTest('secrets of a lost key are forgotten only on demand, and never while a key opens them', async () => {
  const zinc = await startZinc({ environment: { CREDENTIALS_KEY: key(1) } })
  await zinc.sync()
  const { db, rotation } = zinc.services
  await createSettingStore({ db, encryption: rotation.encryption }).write(db, 'test.a', 'x', {
    encrypted: true,
    by: 'test',
    at: new Date(),
  })
  await createSettingStore({ db, encryption: rotation.encryption }).write(db, 'test.b', 'plain', {
    encrypted: false,
    by: 'test',
    at: new Date(),
  })
  expect(await runZinc(['keys', 'forget', '--yes'], zinc.environment)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('nothing was removed'),
  })

  const other = { ...zinc.environment, CREDENTIALS_KEY: key(2) }
  expect(await runZinc(['user', 'list'], other)).toMatchObject({ status: 2, stderr: expect.stringContaining('zinc keys forget') })
  expect(await runZinc(['keys', 'forget'], other)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('2 stored secrets would go'),
  })
  const done = await runZinc(['--json', 'keys', 'forget', '--yes'], other)
  expect([done.status, JSON.parse(done.stdout)]).toEqual([0, { status: 'success', data: { forgotten: 2 } }])
  expect(await runZinc(['user', 'list'], other)).toMatchObject({ status: 0 })
  expect((await db.setting.findMany({ where: { name: { startsWith: 'test.' } } })).map(({ name }) => name)).toEqual(['test.b'])
  expect(await db.auditEntry.count({ where: { action: 'keys.forget' } })).toBe(1)
})

longTest('every column that holds a sealed value is known to the rotation', async () => {
  const zinc = await startZinc()
  await zinc.sync()
  await zinc.call('/api/settings/integrations/zoho/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"webhook_secret":"a-secret-for-the-notices"}',
  })
  await zinc.call('/api/v1/auth/totp', { method: 'POST' })
  const { db, rotation } = zinc.services
  const texts = await db.$queryRaw<{ table_name: string; column_name: string }[]>`
    select table_name::text, column_name::text from information_schema.columns
    where table_schema = 'public' and data_type in ('text', 'jsonb', 'character varying')`
  const encrypted: string[] = []
  for (const { table_name, column_name } of texts) {
    const [row] = await db.$queryRawUnsafe<{ n: bigint }[]>(
      `select count(*) as n from "${table_name}" where "${column_name}"::text ~ 'v1:[0-9a-f]{8}:'`,
    )
    if (row && row.n > 0n) encrypted.push(`${table_name}.${column_name}`)
  }
  expect(encrypted.sort()).toEqual(rotation.columns.map(({ table, column }) => `${table}.${column}`).sort())
})
