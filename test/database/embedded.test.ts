import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { deleteEmbeddedPostgres, openEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.ts'
import { migrate, migrationNames } from '../../src/database/migrate.ts'
import { longTest, longTestOnLinux } from '../helpers/long.ts'
import { waitFor } from '../helpers/wait-for.ts'

const log = pino({ level: 'silent' })

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'zinc-embedded-'))
  await chmod(dir, 0o755)
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function ask<T>(url: string, sql: string): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(sql)).rows[0] as T
  } finally {
    await client.end().catch(() => {})
  }
}

longTest('the embedded database is UTF-8, shared by a second opener, and keeps its data', async () => {
  const dataDir = await folder()
  const first = await openEmbeddedPostgres({ dataDir, log, durable: false })
  expect(await ask(first.url, 'show server_encoding')).toEqual({ server_encoding: 'UTF8' })
  await ask(first.url, "create table kept as select 'قلم' as word")
  const second = await openEmbeddedPostgres({ dataDir, log, durable: false })
  expect(second.url).toBe(first.url)
  await second[Symbol.asyncDispose]()
  expect(await ask(first.url, 'select word from kept')).toEqual({ word: 'قلم' })
  await first[Symbol.asyncDispose]()

  const again = await openEmbeddedPostgres({ dataDir, log, durable: false })
  expect(await ask(again.url, 'select word from kept')).toEqual({ word: 'قلم' })
  await again[Symbol.asyncDispose]()
  await expect(ask(again.url, 'select 1')).rejects.toThrow()
})

longTest('a database that dies is started again, also when it left its lock file', async () => {
  const dataDir = await folder()
  await using server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  const pid = Number((await readFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0])
  process.kill(pid, 'SIGKILL')
  const pidNow = async () =>
    Number((await readFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  await waitFor(async () => ![0, pid].includes(await pidNow()))
  await waitFor(async () =>
    ask(server.url, 'select 1').then(
      () => true,
      () => false,
    ),
  )
})

test('the embedded database listens on a socket in a folder of its account, and on no port', async () => {
  const dataDir = await folder()
  await using server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  const socketDir = new URL(server.url).searchParams.get('host')!
  const { mode, uid } = await stat(socketDir)
  expect([mode & 0o777, uid]).toEqual([0o700, (await stat(join(dataDir, 'postgres', 'cluster'))).uid])
  expect(await ask(server.url, 'show listen_addresses')).toEqual({ listen_addresses: '' })
  expect(await ask(server.url, 'select inet_server_addr() as address')).toEqual({ address: null })
})

/** Accounts of every Linux, for trials that only root can make. */
const [NOBODY, DAEMON] = [65_534, 1]
const longTestAsRoot = process.getuid?.() === 0 ? longTestOnLinux : test.skip

/** Runs a module as another account; `printed` is what it writes first. */
function asAccount(account: number, code: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    uid: account,
    gid: account,
    cwd: process.cwd(),
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH ?? '' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { printed: once(child.stdout, 'data').then(([bytes]) => String(bytes)), end: () => child.stdin.end(), ended: once(child, 'exit') }
}

longTestAsRoot('zinc as an ordinary account has its database on a socket that no other account reaches', async () => {
  const dataDir = await folder()
  await chown(dataDir, NOBODY, NOBODY)
  const owner = asAccount(
    NOBODY,
    `import pg from 'pg'
    import { pino } from 'pino'
    import { openEmbeddedPostgres } from './src/database/embedded/embedded-postgres.ts'
    const server = await openEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log: pino({ level: 'silent' }), durable: false })
    const client = new pg.Client(server.url)
    await client.connect()
    await client.query('select 1')
    await client.end()
    process.stdout.write(server.url)
    process.stdin.resume().on('end', () => server[Symbol.asyncDispose]())`,
  )
  const url = await owner.printed
  const socketDir = new URL(url).searchParams.get('host')!
  const { mode, uid } = await stat(socketDir)
  expect([mode & 0o777, uid]).toEqual([0o700, NOBODY])
  // Even with the password.
  const stranger = asAccount(
    DAEMON,
    `import pg from 'pg'
    const client = new pg.Client(${JSON.stringify(url)})
    client.connect().then(() => 'connected', (error) => error.code).then((text) => process.stdout.write(text))`,
  )
  expect(await stranger.printed).toBe('EACCES')
  expect(await ask(url, 'show listen_addresses')).toEqual({ listen_addresses: '' })
  owner.end()
  expect(await owner.ended).toEqual([0, null])
})

longTest('where the path is too long for a socket, the embedded database listens on loopback', async () => {
  const dataDir = join(await folder(), 'a-folder-with-a-long-name'.repeat(4))
  await mkdir(dataDir)
  await using server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  expect(new URL(server.url).hostname).toBe('127.0.0.1')
  expect(await ask(server.url, 'show listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' })
})

longTest('a folder of another major version is refused with the way out', async () => {
  const dataDir = await folder()
  await (await openEmbeddedPostgres({ dataDir, log, durable: false }))[Symbol.asyncDispose]()
  await writeFile(join(dataDir, 'postgres', 'cluster', 'PG_VERSION'), '15\n')
  await expect(openEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({
    code: 'database_version',
    exitStatus: 1,
    detail: { remedy: expect.stringContaining('zinc db dump') },
  })
})

longTest('a database that is in use is not deleted; afterwards it is, and the next start makes an empty one', async () => {
  const dataDir = await folder()
  const server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  await migrate(server.url, { log })
  await expect(deleteEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({ code: 'database_in_use' })
  expect(await ask(server.url, "select to_regclass('product')::text as name")).toEqual({ name: 'product' })
  await server[Symbol.asyncDispose]()
  await deleteEmbeddedPostgres({ dataDir, log })
  await using fresh = await openEmbeddedPostgres({ dataDir, log, durable: false })
  expect(await ask(fresh.url, "select to_regclass('product')::text as name")).toEqual({ name: null })
})

longTest('several processes that migrate at once apply each migration once', async () => {
  const dataDir = await folder()
  await using server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  await Promise.all(Array.from({ length: 6 }, () => migrate(server.url, { log })))
  const { n, all } = await ask<{ n: string; all: string }>(
    server.url,
    'select count(distinct migration_name) as n, count(*) as all from _prisma_migrations',
  )
  expect([Number(n), Number(all)]).toEqual(Array(2).fill((await migrationNames()).length))
})

test('the migrations make just what the Prisma schema says', async () => {
  const dataDir = await folder()
  await using server = await openEmbeddedPostgres({ dataDir, log, durable: false })
  await migrate(server.url, { log })
  const { Prisma } = await import('../../src/generated/client.ts')
  const { PrismaClient } = await import('../../src/generated/client.ts')
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: server.url }) })
  // Reading every column of every model fails when one is missing in the database.
  for (const model of Object.values(Prisma.ModelName)) {
    const delegate = Reflect.get(db, model.charAt(0).toLowerCase() + model.slice(1)) as { findFirst(): Promise<unknown> }
    expect(await delegate.findFirst()).toBeNull()
  }
  await db.$disconnect()
})
