import { createReadStream } from 'node:fs'
import { pipeline as pipe, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Logger } from 'pino'
import { z } from 'zod'
import { BadRequestError, ConflictError } from '../lib/errors.ts'
import { createClient } from './connection.ts'
import { MAGIC, MIGRATIONS, quoted, tablesInOrder } from './dump.ts'
import { INIT_MIGRATION, migrate, migrationNames } from './migrate.ts'

/** The last migration before all were merged into one: its tables are those of `INIT_MIGRATION`. */
const LAST_BEFORE_INIT = '20261125080000_store_pause'

/** A longer line is no row of zinc's, and would be kept in memory whole. */
const MAX_LINE_BYTES = 256 * 1024 * 1024

interface Line {
  number: number
  bytes: Buffer
}

/**
 * Yields the lines of a gzipped file, split only at line feeds: a row may contain any other line
 * separator, such as U+2028.
 */
async function* readLines(file: string): AsyncGenerator<Line> {
  let number = 0
  let rest: Buffer[] = []
  let restBytes = 0
  const unzipped = pipe(createReadStream(file), createGunzip(), () => {}) // the loop gets the error of either
  for await (const chunk of unzipped as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      rest.push(chunk.subarray(from, end))
      yield { number: ++number, bytes: rest.length === 1 ? rest[0]! : Buffer.concat(rest) }
      rest = []
      restBytes = 0
      from = end + 1
    }
    if (from === chunk.length) continue
    rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > MAX_LINE_BYTES) throw new Error(`line ${number + 1} is too long`)
  }
  if (rest.length > 0) yield { number: number + 1, bytes: Buffer.concat(rest) }
}

const COPY_LINE = /^COPY "([a-z0-9_]+)" \(("[a-z0-9_]+"(?:, "[a-z0-9_]+")*)\) FROM stdin;$/
const SETVAL_LINE = /^select setval\('"([a-z0-9_]+)"', (\d{1,19})\);$/

/**
 * Fills an empty database from a dump, in one transaction: all of it or nothing. Migrations newer
 * than the dump are applied afterwards. A dump may be malicious, so nothing in it is executed: each
 * line is either a known table with its known columns, a row of it, or a known sequence with a
 * number, and the statements are built from these names. `beforeCommit` may check and change the
 * rows in the same transaction; `upgrade: false` leaves out the newer migrations. Throws
 * BadRequestError `invalid_dump`, `older_dump` or `newer_dump`, ConflictError `database_not_empty`.
 */
export async function restoreDatabase(
  url: string,
  file: string,
  { log, beforeCommit, upgrade = true }: { log: Logger; beforeCommit?(client: pg.Client): Promise<void>; upgrade?: boolean },
): Promise<{ rows: number }> {
  const lines = readLines(file)
  const line = async (): Promise<Line | null> => {
    const next = await lines.next().catch((cause: Error) => {
      throw notADump(file, { cause })
    })
    return next.done ? null : next.value
  }
  const text = async () => (await line())?.bytes.toString('utf8') ?? ''
  const dumped = (await text()) === MAGIC ? readMigrations(await text()) : null
  if (dumped === null) throw notADump(file)
  const only = await migrationsFor(dumped)
  const functions = await refuseFilled(url)
  let rows: number
  try {
    await migrate(url, { log, only })
    rows = await fill(url, file, line, beforeCommit)
  } catch (error) {
    await removeTables(url, functions).catch((err: unknown) => log.warn({ err }, 'the empty tables of the restore could not be removed'))
    throw error
  }
  if (upgrade) await migrate(url, { log })
  return { rows }
}

/** Returns how many rows the tables have afterwards. */
async function fill(
  url: string,
  file: string,
  line: () => Promise<Line | null>,
  beforeCommit?: (client: pg.Client) => Promise<void>,
): Promise<number> {
  const client = createClient(url)
  await client.connect()
  let rows = 0
  try {
    await client.query('begin')
    const tables = await tablesInOrder(client)
    const columnsOf = new Map(tables.map(({ name, columns }) => [name, columns]))
    const sequences = await sequenceNames(client)
    // The rows already contain what the triggers did.
    for (const { name } of tables) await client.query(`alter table ${quoted(name)} disable trigger user`)
    const leaveRole = await enterRestoreRole(client)
    for (let at = await line(); at !== null; at = await line()) {
      const statement = at.bytes.length > MAX_STATEMENT_BYTES ? '' : at.bytes.toString('utf8')
      const [, table, columnList] = COPY_LINE.exec(statement) ?? []
      const [, sequence, value] = SETVAL_LINE.exec(statement) ?? []
      if (table !== undefined && columnList !== undefined) {
        const columns = columnList.split(', ').map((it) => it.slice(1, -1))
        const known = columnsOf.get(table)
        if (!known || new Set(columns).size !== columns.length || !columns.every((it) => known.includes(it)))
          throw notADump(file, { line: at.number })
        columnsOf.delete(table) // each table occurs once
        const copy = client.query(copyFrom(`copy ${quoted(table)} (${columns.map(quoted).join(', ')}) from stdin`))
        async function* block() {
          for (let row = await line(); ; row = await line()) {
            if (row === null) throw notADump(file)
            if (row.bytes.length === 2 && row.bytes.equals(END_OF_ROWS)) return
            rows++
            yield Buffer.concat([row.bytes, LINE_FEED])
          }
        }
        await pipeline(Readable.from(block()), copy)
      } else if (sequence !== undefined && sequences.has(sequence)) {
        await client.query('select setval($1::regclass, $2::bigint)', [quoted(sequence), value])
      } else throw notADump(file, { line: at.number })
    }
    await leaveRole()
    for (const { name } of tables) await client.query(`alter table ${quoted(name)} enable trigger user`)
    await beforeCommit?.(client)
    await client.query('commit')
  } catch (error) {
    // PostgreSQL's error classes for rows that do not fit their table.
    const { code } = error as { code?: string }
    throw code !== undefined && /^2[23]...$/.test(code) ? notADump(file, { cause: error as Error }) : error
  } finally {
    await client.end()
  }
  return rows
}

/** Schemas besides public that the migrations create: views for an ERP, and the job queue. */
const MIGRATED_SCHEMAS = ['erp', 'pgboss']

/**
 * Makes the database as empty as before the restore, so that another dump can be restored.
 * `functions` stay.
 */
export async function removeTables(url: string, functions: string[] = []): Promise<void> {
  const client = createClient(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ statement: string }>(
      `select format('drop table %s cascade', oid::regclass) as statement from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'
       union all
       select format('drop function if exists %s cascade', oid::regprocedure) from pg_proc
         where pronamespace = 'public'::regnamespace and oid <> all($1::oid[])
           and not exists (select 1 from pg_depend where objid = pg_proc.oid and deptype = 'e')`,
      [functions],
    )
    await client.query('begin')
    for (const schema of MIGRATED_SCHEMAS) await client.query(`drop schema if exists ${schema} cascade`)
    for (const { statement } of rows) await client.query(statement)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

/** No table has so many columns that a statement naming them is longer. */
const MAX_STATEMENT_BYTES = 64 * 1024
const END_OF_ROWS = Buffer.from('\\.')
const LINE_FEED = Buffer.from('\n')

/** Null: not the line that names the migrations. */
function readMigrations(text: string): string[] | null {
  if (!text.startsWith(MIGRATIONS)) return null
  try {
    return z.array(z.string()).parse(JSON.parse(text.slice(MIGRATIONS.length)))
  } catch {
    return null
  }
}

async function sequenceNames(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(`select sequencename as name from pg_sequences where schemaname = 'public'`)
  return new Set(rows.map((row) => row.name))
}

/**
 * Restricts a superuser to a role that may only insert rows and set sequences, until the returned
 * function is called. The role exists only in the open transaction. An owner without superuser
 * rights keeps its role.
 */
async function enterRestoreRole(client: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ superuser: boolean; pid: number }>(
    'select rolsuper as superuser, pg_backend_pid() as pid from pg_roles where rolname = current_user',
  )
  const [owner] = rows
  if (!owner?.superuser) return async () => {}
  const role = `zinc_restore_${owner.pid}`
  await client.query(`create role ${role} nologin nosuperuser nocreatedb nocreaterole`)
  await client.query(`grant usage on schema public to ${role}`)
  await client.query(`grant insert on all tables in schema public to ${role}`)
  await client.query(`grant update on all sequences in schema public to ${role}`)
  await client.query(`set local role ${role}`)
  return async () => {
    await client.query('reset role')
    await client.query(`drop owned by ${role}`)
    await client.query(`drop role ${role}`)
  }
}

/** Returns the migrations that make the tables of a dump, from the names in it. */
async function migrationsFor(dumped: string[]): Promise<string[]> {
  const known = await migrationNames()
  const unknown = dumped.filter((name) => !known.includes(name))
  if (unknown.some((name) => name >= INIT_MIGRATION)) {
    throw new BadRequestError('newer_dump', { migrations: unknown })
  }
  if (unknown.length === 0) return dumped
  if (unknown.includes(LAST_BEFORE_INIT)) return [INIT_MIGRATION]
  throw new BadRequestError('older_dump', { migration: LAST_BEFORE_INIT })
}

/** Returns the functions that exist in the otherwise empty database. */
async function refuseFilled(url: string): Promise<string[]> {
  const client = createClient(url)
  await client.connect()
  try {
    const { rows } = await client.query(`select 1 from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' limit 1`)
    if (rows.length > 0) {
      throw new ConflictError('database_not_empty')
    }
    const functions = await client.query<{ oid: string }>(
      `select oid::text from pg_proc where pronamespace = 'public'::regnamespace and not exists (select 1 from pg_depend where objid = pg_proc.oid and deptype = 'e')`,
    )
    return functions.rows.map(({ oid }) => oid)
  } finally {
    await client.end()
  }
}

const notADump = (file: string, { cause, line }: { cause?: Error; line?: number } = {}) =>
  new BadRequestError('invalid_dump', { file, line }, { ...(cause && { cause }) })
