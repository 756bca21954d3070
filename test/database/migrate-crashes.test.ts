import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import { migrate } from '../../src/database/migrate.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { connect } from '../helpers/connection.ts'
import { createEmptyDatabase, createTestDatabase } from '../helpers/database.ts'
import { longTest } from '../helpers/long.ts'

const log = pino({ level: 'silent' })

/**
 * Tables, columns, indexes, functions, triggers and rules, as text: two databases with the same are
 * alike.
 */
const SHAPE = `
  select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') as line
    from information_schema.columns where table_schema = 'public'
  union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
  union all select 'function ' || proname || ' ' || md5(prosrc) from pg_proc where pronamespace = 'public'::regnamespace
  union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
  order by 1`

async function shapeOf(url: string): Promise<string[]> {
  const client = await connect(url)
  const { rows } = await client.query<{ line: string }>(SHAPE)
  await client.end()
  return rows.map(({ line }) => line)
}

/**
 * Migrates in a process of its own, whose first call of the database after \`kill\` others is its
 * last.
 */
function migrateAndDie(url: string, kill: number): Promise<unknown> {
  const script = `
    import pg from 'pg'
    import { pino } from 'pino'
    const { query } = pg.Client.prototype
    let calls = 0
    pg.Client.prototype.query = function (...args) {
      if (calls++ === ${kill}) process.kill(process.pid, 'SIGKILL')
      return query.apply(this, args)
    }
    const { migrate } = await import('./src/database/migrate.ts')
    await migrate(process.env.DATABASE, { log: pino({ level: 'silent' }) })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...childEnvironment, DATABASE: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return once(child, 'exit')
}

longTest('migrating that is killed at any statement is gone on with by the next start, to the same database', async () => {
  const [database, untouched] = [await createEmptyDatabase(), await createTestDatabase()]
  onTestFinished(async () => {
    await database.drop()
    await untouched.drop()
  })
  // A statement later each time, until one process comes to the end.
  let killed = 0
  for (; ; killed++) {
    const [status, signal] = (await migrateAndDie(database.url, killed)) as [number | null, string | null]
    if (status === 0) break
    expect([status, signal]).toEqual([null, 'SIGKILL'])
  }
  // The lock, two looks, and four statements of the migration.
  expect(killed).toBeGreaterThanOrEqual(7)
  await migrate(database.url, { log })
  expect(await shapeOf(database.url)).toEqual(await shapeOf(untouched.url))
  await migrate(database.url, { log })
})
