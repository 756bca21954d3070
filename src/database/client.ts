import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { Prisma, PrismaClient } from '../generated/client.ts'
import { createPool } from './connection.ts'

export type Database = PrismaClient
/** The client itself or an open transaction, for functions that work with either. */
export type Db = Prisma.TransactionClient
/**
 * For functions that only run raw SQL: either of the above, or a transaction bypassing Prisma
 * (`pgTransaction`).
 */
export interface RawDb {
  $queryRaw<T>(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): PromiseLike<T>
  $executeRaw(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): PromiseLike<number>
}

/**
 * Most connections of a process; a second connection is never taken inside a transaction, so this
 * cannot deadlock.
 */
const MAX_CONNECTIONS = 12
/** The timeout of a statement, and of an idle transaction. */
const STATEMENT_TIMEOUT_MS = 60_000
/**
 * Prepared statements per connection; each takes some memory. Further ones are planned each time.
 */
const MAX_PREPARED = 64

const pools = new WeakMap<PrismaClient, pg.Pool>()
const names = new Map<string, string>()

/** Opens the database of `url`. */
export function openDatabase(
  url: string,
  {
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    maxConnections = MAX_CONNECTIONS,
  }: { statementTimeoutMs?: number; maxConnections?: number | undefined } = {},
): Database {
  const pool = createPool(url, { max: maxConnections, statementTimeoutMs })
  const db = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: true, onConnectionError: () => {} }) })
  pools.set(db, pool)
  return db
}

async function read<T extends object>(pool: pg.Pool, { text, values }: Prisma.Sql): Promise<T[]> {
  let name = names.get(text)
  if (name === undefined && names.size < MAX_PREPARED) {
    name = `zinc_${names.size}`
    names.set(text, name)
  }
  const { rows } = await pool.query<T>({ text, values, ...(name !== undefined && { name }) })
  return rows
}

/**
 * Runs a query as a prepared statement, which each connection plans once: for queries that run
 * thousands of times a minute, planning and Prisma's overhead would cost more than the result. Rows
 * are as the driver returns them: a bigint is a string.
 */
export function queryPrepared<T extends object>(db: Database, sql: Prisma.Sql): Promise<T[]> {
  return read(poolOf(db), sql)
}

/** Runs statements of a library: several in one text, with parameters as the driver takes them. */
export function queryText(db: Database, text: string, values?: unknown[]): Promise<pg.QueryResult> {
  return poolOf(db).query(text, values)
}

function poolOf(db: Database): pg.Pool {
  const pool = pools.get(db)
  if (!pool) throw new Error('Only a database that openDatabase has opened can be asked past Prisma')
  return pool
}

/**
 * Runs a transaction bypassing Prisma, for whole pages of rows: Prisma writes each parameter into
 * JSON and reads it back, which for some hundred kilobytes costs more than everything else. Values
 * are as the driver returns them: a bigint or a decimal is a string.
 */
export async function pgTransaction<T>(db: Database, work: (tx: RawDb) => Promise<T>): Promise<T> {
  const client = await poolOf(db).connect()
  const run = (query: TemplateStringsArray | Prisma.Sql, values: unknown[]) => {
    const sql = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...values)
    return client.query({ text: sql.text, values: sql.values })
  }
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work({
      $queryRaw: async <R>(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) => (await run(query, values)).rows as R,
      $executeRaw: async (query, ...values) => (await run(query, values)).rowCount ?? 0,
    })
    await client.query('commit')
    return result
  } catch (error) {
    // A connection that cannot even roll back is not reused.
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}

export type DedicatedConnection = ReturnType<typeof createDedicatedConnection>

/**
 * Opens one connection outside the pool, for a query that many requests wait for and that must not
 * queue behind their long ones.
 */
export function createDedicatedConnection(url: string) {
  const pool = createPool(url, { max: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  return { read: <T extends object>(sql: Prisma.Sql) => read<T>(pool, sql), [Symbol.asyncDispose]: () => pool.end() }
}
