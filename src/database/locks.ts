import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { Db } from './client.ts'
import { createClient } from './connection.ts'

export interface AdvisoryLock {
  /**
   * Aborts when the connection that holds the lock ends, since then the lock is free for others.
   */
  lost: AbortSignal
  release(): Promise<void>
}

/** Advisory locks have 64-bit names; ours are words. */
const keyOf = (name: string): string => createHash('sha256').update(name).digest().readBigInt64BE(0).toString()

/**
 * Takes the session advisory lock `name` on a separate connection; returns null when another
 * process holds it. A killed process loses its connection and with it the lock, which shows that a
 * run has no worker.
 */
export async function tryAdvisoryLock(databaseUrl: string, name: string, { log }: { log: Logger }): Promise<AdvisoryLock | null> {
  const client = createClient(databaseUrl, { queryTimeoutMs: 5_000 })
  const lost = new AbortController()
  let released = false
  const gone = (err?: Error) => {
    if (released || lost.signal.aborted) return
    log.warn({ err, lock: name }, 'advisory lock lost: its connection closed')
    lost.abort()
  }
  client.on('error', gone)
  client.on('end', () => gone())
  const release = async () => {
    released = true
    await client.end().catch(() => {})
  }
  await client.connect()
  try {
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1::bigint) as held', [keyOf(name)])
    if (rows[0]?.held) return { lost: lost.signal, release }
  } catch (error) {
    await release()
    throw error
  }
  await release()
  return null
}

/** Waits for the advisory lock `name`; it is held until the transaction ends. */
export async function advisoryXactLock(tx: Db, name: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(${keyOf(name)}::bigint)`
}
