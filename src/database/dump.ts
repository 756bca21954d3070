import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { Logger } from 'pino'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import { createClient } from './connection.ts'
import { INIT_MIGRATION, migrate, migrationNames } from './migrate.ts'

/** The first line of every dump; the number changes when the lines below it mean something else. */
const MAGIC = '-- zinc database dump 1'
const MIGRATIONS = '-- migrations: '

/** The last migration before all became one: its tables are those of `INIT_MIGRATION`. */
const LAST_BEFORE_INIT = '20261125080000_store_pause'

interface Table {
  name: string
  /** Without generated ones, which PostgreSQL computes again. */
  columns: string[]
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Our tables, each after those that it refers to, so that a restore never meets a row whose parent is missing. */
async function tablesInOrder(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table & { parents: string[] }>(`
    select c.relname as name,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      array(select p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as parents
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '_prisma_migrations' order by c.relname`)
  const done = new Set<string>()
  const ordered: Table[] = []
  while (ordered.length < rows.length) {
    const next = rows.filter((row) => !done.has(row.name) && row.parents.every((parent) => done.has(parent)))
    if (next.length === 0) throw new Error('Tables refer to each other in a circle; a dump cannot be put in order')
    for (const { name, columns } of next) {
      done.add(name)
      ordered.push({ name, columns })
    }
  }
  return ordered
}

/**
 * Writes everything in the database to `file`, as of one moment, while zinc goes on working: a gzipped script of COPY blocks that `psql` reads too.
 * The embedded PostgreSQL comes without pg_dump, and a newer zinc may bring a PostgreSQL that cannot read the older one's folder; this file bridges both.
 */
export async function dumpDatabase(url: string, file: string): Promise<{ tables: number; rows: number }> {
  const client = createClient(url)
  await client.connect()
  const unfinished = `${file}.part`
  let count = 0
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const migrations = await client.query<{ migration_name: string }>(
      'select migration_name from _prisma_migrations where finished_at is not null order by migration_name',
    )
    const tables = await tablesInOrder(client)
    async function* script(): AsyncGenerator<string | Buffer> {
      yield `${MAGIC}\n${MIGRATIONS}${JSON.stringify(migrations.rows.map((row) => row.migration_name))}\n`
      for (const { name, columns } of tables) {
        const list = columns.map(quoted).join(', ')
        yield `COPY ${quoted(name)} (${list}) FROM stdin;\n`
        const copy = client.query(copyTo(`copy ${quoted(name)} (${list}) to stdout`))
        for await (const chunk of copy) yield chunk as Buffer
        count += copy.rowCount ?? 0
        yield '\\.\n'
      }
      const sequences = await client.query<{ name: string; last: string | null }>(
        `select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public' order by 1`,
      )
      for (const { name, last } of sequences.rows)
        if (last !== null) yield `select setval('${quoted(name).replaceAll("'", "''")}', ${last});\n`
    }
    await pipeline(Readable.from(script(), { objectMode: false }), createGzip(), createWriteStream(unfinished, { mode: 0o600 }))
    await client.query('commit')
    await rename(unfinished, file)
    return { tables: tables.length, rows: count }
  } finally {
    await client.end()
    await rm(unfinished, { force: true })
  }
}

/**
 * Fills an empty database from a dump, in one transaction: all of it or nothing. Migrations that are newer than the dump are applied afterwards.
 * Throws BadRequestError `invalid_dump`, `older_dump` or `newer_dump`, ConflictError `database_not_empty`.
 */
export async function restoreDatabase(url: string, file: string, { log }: { log: Logger }): Promise<{ rows: number }> {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  const line = async (): Promise<string | null> => {
    const next = await lines.next().catch((cause: Error) => {
      throw notADump(file, cause)
    })
    return next.done ? null : next.value
  }
  const names = (await line()) === MAGIC ? /^-- migrations: (\[.*\])$/.exec((await line()) ?? '')?.[1] : undefined
  if (names === undefined) throw notADump(file)
  const only = await migrationsFor(JSON.parse(names) as string[])
  await refuseFilled(url)
  await migrate(url, { log, only })
  const client = createClient(url)
  await client.connect()
  let rows = 0
  try {
    await client.query('begin')
    const tables = await tablesInOrder(client)
    // The rows are already what the triggers made of them.
    for (const { name } of tables) await client.query(`alter table ${quoted(name)} disable trigger user`)
    for (let at = await line(); at !== null; at = await line()) {
      if (at.startsWith('COPY ')) {
        const copy = client.query(copyFrom(at.replace(/;$/, '')))
        async function* block() {
          for (let row = await line(); row !== '\\.'; row = await line()) {
            if (row === null) throw notADump(file)
            rows++
            yield `${row}\n`
          }
        }
        await pipeline(Readable.from(block()), copy)
      } else if (at.startsWith('select setval(')) await client.query(at)
      else throw notADump(file)
    }
    for (const { name } of tables) await client.query(`alter table ${quoted(name)} enable trigger user`)
    await client.query('commit')
  } finally {
    await client.end()
  }
  await migrate(url, { log })
  return { rows }
}

/** The migrations that make the tables of a dump, from the names that it carries. */
async function migrationsFor(dumped: string[]): Promise<string[]> {
  const known = await migrationNames()
  const unknown = dumped.filter((name) => !known.includes(name))
  if (unknown.some((name) => name >= INIT_MIGRATION)) {
    throw new BadRequestError('newer_dump', 'The dump was written by a newer zinc, whose tables this one does not know', {
      detail: { migrations: unknown },
      remedy: 'Restore it with the zinc that wrote it, or a newer one.',
    })
  }
  if (unknown.length === 0) return dumped
  if (unknown.includes(LAST_BEFORE_INIT)) return [INIT_MIGRATION]
  throw new BadRequestError(
    'older_dump',
    `The dump is of a database without the migration ${LAST_BEFORE_INIT}, which this zinc cannot make`,
    {
      remedy: `With a zinc that has ${LAST_BEFORE_INIT} run \`zinc db restore\` and \`zinc db dump\`; this zinc restores that dump.`,
    },
  )
}

async function refuseFilled(url: string): Promise<void> {
  const client = createClient(url)
  await client.connect()
  try {
    const { rows } = await client.query(`select 1 from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' limit 1`)
    if (rows.length > 0) {
      throw new ConflictError('database_not_empty', 'The database is not empty; a restore would mix two shops', {
        remedy: 'Restore into a fresh DATA_DIR, or name an empty database in DATABASE_URL.',
      })
    }
  } finally {
    await client.end()
  }
}

const notADump = (file: string, cause?: Error) =>
  new BadRequestError('invalid_dump', `${file} is not a whole dump of zinc`, {
    ...(cause && { cause }),
    remedy: 'Name a file that `zinc db dump` wrote to its end.',
  })
