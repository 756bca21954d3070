import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { openDatabase } from '../../src/database/client.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { createEmptyDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'
import { startZinc } from '../helpers/zinc.ts'

const run = promisify(execFile)

/**
 * The command line as a person calls it: a process of its own, started by whatever Node is on the
 * machine.
 */
async function zinc(args: string[], environment: Record<string, string> = {}) {
  const env = { ...childEnvironment, ...environment }
  return run(process.execPath, ['src/cli/main.ts', ...args], { env }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ status: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
}

longTest('a wrong call ends with status 2 and a hint, help with 0, and neither opens anything', async () => {
  const [nothing, unknown, help, wrongLevel] = await Promise.all([
    zinc([]),
    zinc(['migrat']),
    zinc(['db', '--help']),
    zinc(['migrate', '--log-level', 'loud']),
  ])
  expect(nothing.status).toBe(2)
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean migrate?') })
  expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('dump') })
  expect(wrongLevel).toMatchObject({ status: 2, stderr: expect.stringContaining('--log-level') })
})

longTest('a dump taken while zinc runs, restored elsewhere, holds every row to the byte and counts on', async () => {
  const { services, environment } = await startZinc({ synced: true })
  const dir = await mkdtemp(join(tmpdir(), 'zinc-dump-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const file = join(dir, 'zinc.dump')
  const empty = await createEmptyDatabase()
  onTestFinished(empty.drop)

  const dumped = await zinc(['--json', 'db', 'dump', file], environment)
  expect(dumped.status).toBe(0)
  expect(JSON.parse(dumped.stdout)).toMatchObject({ status: 'success', file, bytes: (await stat(file)).size })
  expect(await zinc(['db', 'restore', file], { ...environment, DATABASE_URL: empty.url })).toMatchObject({ status: 0 })

  const restored = openDatabase(empty.url)
  onTestFinished(() => restored.$disconnect())
  const all = async (db: typeof restored) => [
    await db.product.findMany({ orderBy: { id: 'asc' } }),
    await db.photo.findMany({ orderBy: { id: 'asc' } }),
    await db.appUser.findMany(),
  ]
  expect(await all(restored)).toEqual(await all(services.db))
  const [photo] = await restored.photo.findMany({ orderBy: { position: 'desc' }, take: 1 })
  const { id: _id, position: _position, feed_seq: _seq, ...facts } = photo!
  const next = await restored.photo.create({ data: { ...facts, is_primary: false, source: 'upload' } })
  expect(next.position).toBe(photo!.position + 1n)
})

longTest('a restore refuses a database with content, and a partial dump leaves nothing behind', async () => {
  const { environment } = await startZinc()
  const dir = await mkdtemp(join(tmpdir(), 'zinc-dump-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const file = join(dir, 'not-a-dump')
  await writeFile(file, 'hello')
  const empty = await createEmptyDatabase()
  onTestFinished(empty.drop)

  expect(await zinc(['db', 'restore', file], { ...environment, DATABASE_URL: empty.url })).toMatchObject({ status: 2 })
  const whole = join(dir, 'whole')
  await zinc(['db', 'dump', whole], environment)
  const filled = await zinc(['--json', 'db', 'restore', whole], environment)
  expect(filled.status).toBe(1)
  expect(JSON.parse(filled.stdout)).toMatchObject({ status: 'error', code: 'database_not_empty' })
})

longTest('a login for readers is printed once, reads the views, and is removed again', async () => {
  const { environment } = await startZinc({ synced: true })
  const name = `cli_reader_${process.pid}`
  const made = await zinc(['db', 'reader', '--name', name, '--json'], environment)
  expect(made.status).toBe(0)
  const { data } = JSON.parse(made.stdout) as { data: { name: string; password: string; url: string; schema: string } }
  expect(data).toMatchObject({ name, schema: 'erp', url: expect.stringContaining(data.password) })
  const client = new pg.Client(data.url)
  await client.connect()
  expect((await client.query('select count(*)::int as n from product')).rows).toEqual([{ n: 30 }])
  await client.end()
  expect(await zinc(['db', 'reader', '--name', name, '--revoke'], environment)).toMatchObject({ status: 0 })
  await expect(new pg.Client(data.url).connect()).rejects.toMatchObject({ code: '28P01' })
  expect(await zinc(['db', 'reader'], environment)).toMatchObject({ status: 2 })
})
