import { spawnSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { openEmbeddedPostgres } from '../src/database/embedded/embedded-postgres.ts'
import { migrate } from '../src/database/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    /** What makes the copy of a template fast. */
    createDatabaseOptions: string
    /**
     * Where the first test that needs a synced shop puts its data folder; see
     * test/helpers/synced.ts.
     */
    syncedDir: string
  }
}

const log = pino({ level: 'silent' })
/** What the databases of a whole run take at most, with room to spare. */
const MIN_MEMORY_BYTES = 4 * 1024 ** 3
const TEMPLATES = ['template_zinc', 'template_synced']

/**
 * One PostgreSQL for the whole run, in a folder of its own, with one migrated template that each
 * test clones.
 * TEST_POSTGRES_URL names another server, to try zinc on an older PostgreSQL; its databases are
 * made and dropped freely.
 */
export default async function setup(project: TestProject) {
  buildIfStale()
  const other = process.env.TEST_POSTGRES_URL
  if (other) return makeTemplate(project, other)
  const dataDir = await mkdtemp(join(await databaseFolder(), 'zinc-test-'))
  await chmod(dataDir, 0o755) // the account that PostgreSQL runs as under root must get in
  const server = await openEmbeddedPostgres({ dataDir, log, durable: false, tcp: true })
  await makeLoginCheap(server.url)
  const end = await makeTemplate(project, server.url)
  return async () => {
    await end()
    await server[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/**
 * Memory where there is enough of it: a database is some 900 small files, and making and dropping
 * one takes 0.2 s of processor time on a disk and 0.03 s there.
 */
async function databaseFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => null)
  return memory && memory.bavail * memory.bsize >= MIN_MEMORY_BYTES ? '/dev/shm' : tmpdir()
}

/** Thousands of connections are made, and the usual 4,096 rounds of hashing take each some 3 ms. */
async function makeLoginCheap(url: string): Promise<void> {
  const { username, password } = new URL(url)
  const client = new pg.Client(url)
  await client.connect()
  await client.query('set scram_iterations = 1')
  await client.query(`alter role ${client.escapeIdentifier(username)} password ${client.escapeLiteral(decodeURIComponent(password))}`)
  await client.end()
}

async function makeTemplate(project: TestProject, url: string): Promise<() => Promise<void>> {
  const admin = new pg.Client(url)
  await admin.connect()
  const template = new URL(url)
  template.pathname = '/template_zinc'
  const syncedDir = await mkdtemp(join(tmpdir(), 'zinc-synced-'))
  project.provide('syncedDir', syncedDir)
  for (const name of TEMPLATES) await admin.query(`drop database if exists ${name}`)
  await admin.query('create database template_zinc')
  await migrate(template.href, { log })
  project.provide('postgresUrl', url)
  // Twice as fast as through the write-ahead log, which is the default since PostgreSQL 15 and the
  // only way before.
  const { rows } = await admin.query<{ version: number }>("select current_setting('server_version_num')::int as version")
  project.provide('createDatabaseOptions', rows[0]!.version >= 150_000 ? 'strategy file_copy' : '')
  return async () => {
    for (const name of TEMPLATES) await admin.query(`drop database if exists ${name}`)
    await admin.end()
    await rm(syncedDir, { recursive: true, force: true })
  }
}

/**
 * The page and the package's exports are tested as they are built, so an older build would prove
 * nothing.
 */
function buildIfStale(): void {
  // For quick runs of tests that use neither.
  if (process.env.ZINC_TEST_BUILD === '0') return
  const builtAt = statSync('dist/server.js', { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = globSync(['src/**/*.{ts,tsx,css,html,js,json,svg}', 'prisma/*.prisma', 'tsconfig.build.json', 'docs/openapi.json'], {
    exclude: ['src/generated/**'],
  })
  if (sources.every((path) => statSync(path).mtimeMs <= builtAt)) return
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.js'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
