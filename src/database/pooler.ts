import type pg from 'pg'
import { StartupError } from '../lib/errors.ts'
import { createClient } from './connection.ts'

/** Rounds of the check: another client may take the server connection between two statements. */
const ROUNDS = 3
const STATEMENT_POOLING = /statement pooling/i

/** The server process behind a connection; its start tells apart equal ids on two machines. */
const BACKEND = `select pid || ' ' || backend_start as backend from pg_stat_get_activity(pg_backend_pid())`

async function backendOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ backend: string }>(BACKEND)
  return rows[0]?.backend ?? ''
}

/**
 * Refuses a connection pooler that gives a connection another server process after each
 * transaction. A process belongs to one connection on plain PostgreSQL and in session mode: two
 * open connections never have the same one, and none changes. Throws StartupError
 * `pooler_transaction_mode` (exit status 1).
 */
export async function refuseTransactionPooling(url: string): Promise<void> {
  const clients = [createClient(url), createClient(url)] as const
  try {
    // What cannot connect, or connects only once, is reported by whatever needs it next.
    for (const client of clients) await client.connect()
    const [first, second] = clients
    const own = await backendOf(first)
    for (let round = 0; round < ROUNDS; round++) {
      // The transaction holds its server process, so that the first connection gets another one.
      await second.query('begin')
      const held = await backendOf(second)
      const now = await backendOf(first)
      await second.query('rollback')
      if (held === own || now === held || now !== own) throw transactionMode()
    }
  } catch (error) {
    if (error instanceof StartupError) throw error
    if (STATEMENT_POOLING.test((error as Error).message)) throw transactionMode(error)
  } finally {
    for (const client of clients) await client.end().catch(() => {})
  }
}

const transactionMode = (cause?: unknown) => new StartupError('pooler_transaction_mode', {}, { exitStatus: 1, cause })
