import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createDedicatedConnection, openDatabase } from '../../src/database/client.ts'
import { createClient, createPool } from '../../src/database/connection.ts'
import { tryAdvisoryLock } from '../../src/database/locks.ts'
import { Prisma } from '../../src/generated/client.ts'
import { connect } from '../helpers/connection.ts'
import { createTestDatabase } from '../helpers/database.ts'

const log = pino({ level: 'silent' })

async function testDatabase(): Promise<string> {
  const { url, drop } = await createTestDatabase()
  onTestFinished(drop)
  return url
}

/**
 * Seconds to the first keepalive probe, by local and remote port; Linux writes it in hundredths.
 */
function keepaliveTimers(): Map<string, number> {
  const timers = new Map<string, number>()
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', , , timer = ''] = line.trim().split(/\s+/)
    const [kind, when = ''] = timer.split(':')
    const port = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16)
    if (kind === '02') timers.set(`${port(local)}-${port(remote)}`, Number.parseInt(when, 16) / 100)
  }
  return timers
}

test.runIf(process.platform === 'linux')('both ends of every connection probe a quiet line after ten seconds', async () => {
  const url = await testDatabase()
  const server = Number(new URL(url).port)
  const db = openDatabase(url)
  const reader = createDedicatedConnection(url)
  const client = createClient(url)
  await Promise.all([db.product.count(), reader.read(Prisma.sql`select 1`), client.connect()])
  const lock = await tryAdvisoryLock(url, 'a run', { log })
  onTestFinished(async () => {
    await Promise.all([db.$disconnect(), reader[Symbol.asyncDispose](), client.end(), lock!.release()])
  })
  const { rows } = await client.query<{ port: number }>(
    'select client_port as port from pg_stat_activity where datname = current_database() and client_port is not null',
  )
  expect(rows).toHaveLength(4)
  // An end that still waits for an acknowledgement shows another timer in the meantime.
  await expect
    .poll(() => {
      const timers = keepaliveTimers()
      const ends = rows.flatMap(({ port }) => [timers.get(`${port}-${server}`), timers.get(`${server}-${port}`)])
      return ends.filter((seconds = Infinity) => seconds <= 10)
    })
    .toHaveLength(8)
})

test('connections to PostgreSQL are made in one file only', () => {
  const makers = globSync('src/**/*.ts', { exclude: ['src/generated/**'] }).filter((file) =>
    /new pg\.(Client|Pool)\(|extends pg\.Client|new PrismaPg\(\{/.test(readFileSync(file, 'utf8')),
  )
  expect(makers).toEqual(['src/database/connection.ts'])
})

test('a connection begins with nothing that PgBouncer with default settings refuses', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const url = `postgresql://zinc@127.0.0.1:${port}/zinc`
  const pool = createPool(url, { max: 1, statementTimeoutMs: 60_000 })
  for (const begin of [() => pool.connect(), () => createClient(url).connect()]) {
    const connection = once(server, 'connection')
    const failed = begin().catch((error: unknown) => error)
    const [socket] = await connection
    const [packet] = (await once(socket, 'data')) as [Buffer]
    // Length and protocol, then names and values, each with a zero behind it.
    const words = packet.subarray(8).toString('latin1').split('\0')
    const names = words.filter((word, n) => n % 2 === 0 && word !== '')
    expect(names).toEqual(['user', 'database', 'client_encoding'])
    socket.destroy()
    expect(await failed).toBeInstanceOf(Error)
  }
  await pool.end()
  server.close()
})

test('the time limits of a pool are those of its connections, and a client apart has none', async () => {
  const url = await testDatabase()
  const pool = createPool(url, { max: 1, statementTimeoutMs: 60_000 })
  const client = createClient(url)
  await client.connect()
  const limits = `select current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle`
  expect((await pool.query(limits)).rows).toEqual([{ statement: '1min', idle: '1min' }])
  expect((await client.query(limits)).rows).toEqual([{ statement: '0', idle: '0' }])
  await Promise.all([pool.end(), client.end()])
})

test('a connection that cannot be prepared is closed on both sides', async () => {
  const url = await testDatabase()
  const admin = await connect(url)
  const pool = createPool(url, { max: 1, statementTimeoutMs: -5 })
  await expect(pool.query('select 1')).rejects.toThrow('statement_timeout')
  await expect
    .poll(async () => (await admin.query('select 1 from pg_stat_activity where datname = current_database()')).rows.length)
    .toBe(1)
  await pool.end()
})
