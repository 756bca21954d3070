import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { StartupError } from '../lib/errors.ts'
import { createClient } from './connection.ts'

const MIGRATIONS = join(import.meta.dirname, '../../prisma/migrations')
/** Never edited. Migrations dated before it were merged into it before the first release. */
export const INIT_MIGRATION = '20261130100000_init'
/** Any fixed number: zinc processes that start concurrently wait for each other here. */
export const MIGRATION_LOCK = 7_281_994
/**
 * The table of Prisma's own command line, so that `prisma migrate deploy` works on the same
 * database.
 */
const TABLE = `create table if not exists _prisma_migrations (
  id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null, logs text,
  rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`

/** Returns the migrations of this zinc, in their order. */
export async function migrationNames(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/**
 * Applies the missing migrations of `prisma/migrations`, in the order of their names. `only` names
 * those to apply, for a database that will be filled from an older dump. Each migration is one
 * transaction together with its row of `_prisma_migrations`: after a crash in the middle it is
 * rolled back, and the next start applies it. Throws StartupError `database_unreachable`,
 * `older_database`, `newer_database` (exit status 1).
 */
export async function migrate(url: string, { log, only }: { log: Logger; only?: string[] }): Promise<void> {
  const client = createClient(url, { connectionTimeoutMs: 10_000 })
  await client.connect().catch((cause: Error) => {
    throw new StartupError('database_unreachable', { problem: cause.message }, { exitStatus: 1, cause })
  })
  try {
    await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`)
    // Checked first: a role that owns nothing may not even run `create … if not exists`, and need
    // not where everything is migrated.
    const table = await client.query<{ there: boolean }>("select to_regclass('_prisma_migrations') is not null as there")
    if (!table.rows[0]?.there) await client.query(TABLE)
    const { rows } = await client.query<{ migration_name: string }>(
      'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
    )
    const applied = new Set(rows.map((row) => row.migration_name))
    const names = await migrationNames()
    refuseUnknown([...applied].filter((it) => !names.includes(it)))
    for (const name of names.filter((it) => !applied.has(it) && (only?.includes(it) ?? true))) {
      const sql = await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8')
      await client.query('begin')
      await client.query(sql)
      await client.query(
        'insert into _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) values ($1, $2, now(), $3, 1)',
        [randomUUID(), createHash('sha256').update(sql).digest('hex'), name],
      )
      await client.query('commit')
      log.info({ migration: name }, 'migration applied')
    }
  } finally {
    await client.end()
  }
}

/** Without its newer migrations, zinc would read and write these tables wrongly. */
function refuseUnknown(unknown: string[]): void {
  if (unknown.some((name) => name < INIT_MIGRATION)) {
    throw new StartupError('older_database', { migrations: unknown }, { exitStatus: 1 })
  }
  if (unknown.length > 0) {
    throw new StartupError('newer_database', { migrations: unknown }, { exitStatus: 1 })
  }
}
