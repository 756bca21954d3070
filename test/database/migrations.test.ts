import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { dumpDatabase } from '../../src/database/dump.ts'
import { INIT_MIGRATION, migrate } from '../../src/database/migrate.ts'
import { restoreDatabase } from '../../src/database/restore-dump.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { connect } from '../helpers/connection.ts'
import { createEmptyDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'

const log = pino({ level: 'silent' })
/** The last migration of the zinc that had many instead of `INIT_MIGRATION`. */
const LAST_OLD = '20261125080000_store_pause'
const FUTURE = '20991231000000_future'

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-migrations-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return dir
}

async function database(make: typeof createEmptyDatabase) {
  const { url, drop } = await make()
  onTestFinished(drop)
  return { url, client: await connect(url) }
}

/** A database whose `_prisma_migrations` has these names. */
async function databaseWith(...names: string[]) {
  const made = await database(createEmptyDatabase)
  // The tables of the first migration are those of the last zinc before it.
  await migrate(made.url, { log, only: [INIT_MIGRATION] })
  await made.client.query('delete from _prisma_migrations')
  await made.client.query(
    `insert into _prisma_migrations (id, checksum, finished_at, migration_name) select gen_random_uuid()::text, '', now(), name from unnest($1::text[]) as name`,
    [names],
  )
  return made
}

async function startServer(url: string): Promise<{ status: unknown; stderr: string }> {
  const env = { ...childEnvironment, DATABASE_URL: url, DATA_DIR: await folder(), PORT: '0', LOG_LEVEL: 'error' }
  return new Promise((resolve) =>
    execFile(process.execPath, ['src/server.ts'], { env }, (error, _, stderr) => resolve({ status: error?.code ?? 0, stderr })),
  )
}

test('the init migration never changes: a change of the schema is a migration of its own', () => {
  const sql = readFileSync(`prisma/migrations/${INIT_MIGRATION}/migration.sql`)
  expect(createHash('sha256').update(sql).digest('hex')).toBe('44df2534a1f01e66728e660911c56115f7a8b17ac17dd054f47bc20e4edff98c')
})

longTest.each([
  ['an older', [LAST_OLD], 'older_database', ['zinc db dump FILE', 'zinc db restore FILE']],
  ['an older, half migrated', ['20261124100000_catalog_photos_jobs'], 'older_database', ['zinc db dump FILE', 'zinc db restore FILE']],
  ['a newer', [INIT_MIGRATION, FUTURE], 'newer_database', [FUTURE, 'Start the newer version']],
])('a database of %s zinc is refused with the way out and stays as it was', async (_, names, code, words) => {
  const { url, client } = await databaseWith(...names)
  await expect(migrate(url, { log })).rejects.toMatchObject({ code, exitStatus: 1 })
  const { status, stderr } = await startServer(url)
  expect(status).toBe(1)
  for (const word of words) expect(stderr).toContain(word)
  expect(stderr.trim().split('\n')).toHaveLength(2)
  const { rows } = await client.query('select migration_name from _prisma_migrations order by 1')
  expect(rows.map((row) => row.migration_name)).toEqual(names)
})

longTest('a dump of an older database is restored to a database of this zinc, row by row', async () => {
  const { url, client } = await databaseWith('20261124100000_catalog_photos_jobs', LAST_OLD)
  await client.query(`insert into product (sku, name) select 'SKU-' || n, 'كوب ' || n from generate_series(1, 50) n`)
  await client.query(`insert into audit_entry (actor, action, target) values ('sara', 'login', 'sara')`)
  const file = join(await folder(), 'old.dump')
  await dumpDatabase(url, file)
  const fresh = await database(createEmptyDatabase)
  expect(await restoreDatabase(fresh.url, file, { log })).toEqual({ rows: 51 })
  const products = `select id, sku, name, search, created_at from product order by id`
  expect((await fresh.client.query(products)).rows).toEqual((await client.query(products)).rows)
  const { rows } = await fresh.client.query('select migration_name from _prisma_migrations order by 1 limit 1')
  expect(rows).toEqual([{ migration_name: INIT_MIGRATION }])
  await fresh.client.query(`insert into audit_entry (actor, action, target) values ('sara', 'logout', 'sara')`)
  await migrate(fresh.url, { log })
})

test.each([
  ['of an older zinc that was not migrated to its end', ['20261124100000_catalog_photos_jobs'], 'older_dump'],
  ['of a newer zinc', [INIT_MIGRATION, FUTURE], 'newer_dump'],
])('a dump %s is refused and the empty database stays empty', async (_, names, code) => {
  const { url } = await databaseWith(...names)
  const file = join(await folder(), 'other.dump')
  await dumpDatabase(url, file)
  const fresh = await database(createEmptyDatabase)
  await expect(restoreDatabase(fresh.url, file, { log })).rejects.toMatchObject({ code })
  expect((await fresh.client.query(`select relname from pg_class where relnamespace = 'public'::regnamespace`)).rows).toEqual([])
})
