import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { Prisma, PrismaClient } from '../generated/client.ts'
import { createPool } from './connection.ts'

export type Database = PrismaClient
/** What a query function asks for: the client itself or an open transaction, it cannot tell. */
export type Db = Prisma.TransactionClient
/** What a function asks for that only runs SQL of its own: either of the above, or a transaction past Prisma (`pgTransaction`). */
export interface RawDb {
  $queryRaw<T>(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): PromiseLike<T>
  $executeRaw(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): PromiseLike<number>
}

/** Connections a process keeps at most; a second connection is never taken inside a transaction, so this cannot deadlock. */
const MAX_CONNECTIONS = 12
/** The longest a statement may take, and the longest a transaction may do nothing. */
const STATEMENT_TIMEOUT_MS = 60_000
/** Statements that each connection keeps planned; each costs it some memory. Further ones are planned anew each time. */
const MAX_PREPARED = 64

const pools = new WeakMap<PrismaClient, pg.Pool>()
const names = new Map<string, string>()

/** Opens the database of `url`. */
export function openDatabase(url: string, { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = {}): Database {
  const pool = createPool(url, { max: MAX_CONNECTIONS, statementTimeoutMs })
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
 * Reads with a statement that each connection plans once and keeps: for what is asked thousands of times a minute, planning and Prisma's own work would cost
 * more than the answer. Rows are as the driver gives them: a bigint is text.
 */
export function queryPrepared<T extends object>(db: Database, sql: Prisma.Sql): Promise<T[]> {
  return read(poolOf(db), sql)
}

/** Statements that a library writes: several in one text, with parameters as the driver takes them. */
export function queryText(db: Database, text: string, values?: unknown[]): Promise<pg.QueryResult> {
  return poolOf(db).query(text, values)
}

function poolOf(db: Database): pg.Pool {
  const pool = pools.get(db)
  if (!pool) throw new Error('Only a database that openDatabase has opened can be asked past Prisma')
  return pool
}

/**
 * A transaction past Prisma, for whole pages of rows: Prisma writes each parameter into JSON and reads it back, which for some hundred kilobytes costs more
 * than all else. Values are as the driver gives them: a bigint or a decimal is text.
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
    // A connection that cannot even roll back is not given to anybody else.
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}

export type DedicatedConnection = ReturnType<typeof createDedicatedConnection>

/** One connection apart from the others, for a question that many wait for and that must not stand in line behind their long ones. */
export function createDedicatedConnection(url: string) {
  const pool = createPool(url, { max: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  return { read: <T extends object>(sql: Prisma.Sql) => read<T>(pool, sql), [Symbol.asyncDispose]: () => pool.end() }
}
