import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import { ensureAppRole } from './app-role.ts'
import { openDatabase } from './client.ts'
import { openDatabaseClock } from './clock.ts'
import { openEmbeddedPostgres } from './embedded/embedded-postgres.ts'
import { migrate } from './migrate.ts'
import { refuseTransactionPooling } from './pooler.ts'

export interface ConfiguredDatabaseDeps {
  /** `databaseUrl` undefined: the embedded PostgreSQL of the data folder. */
  config: { databaseUrl: string | undefined; dataDir: string; maxDatabaseConnections?: number | undefined }
  log: Logger
  /** False in tests only: see openEmbeddedPostgres. */
  durable?: boolean
  /** True in tests only: the database of the URL is migrated, and no pooler is in between. */
  databasePrepared?: boolean
  /** Replaces the database's. */
  clock?: Clock
  signal?: AbortSignal
}

/**
 * Starts the embedded PostgreSQL where no URL is given, migrates, and connects. Disposing closes
 * all in reverse.
 */
export async function openConfiguredDatabase({
  config,
  log,
  durable = true,
  databasePrepared = false,
  clock,
  signal,
}: ConfiguredDatabaseDeps) {
  const opened = new AsyncDisposableStack()
  try {
    const ownerUrl = config.databaseUrl ?? opened.use(await openEmbeddedPostgres({ dataDir: config.dataDir, log, durable })).url
    signal?.throwIfAborted()
    if (!databasePrepared) {
      if (config.databaseUrl !== undefined) await refuseTransactionPooling(ownerUrl)
      await migrate(ownerUrl, { log })
    }
    signal?.throwIfAborted()
    // An external server keeps the rights that its owner granted; on the embedded one zinc uses a
    // role that cannot change the history.
    const databaseUrl = config.databaseUrl ?? (await ensureAppRole(ownerUrl))
    const db = opened.adopt(openDatabase(databaseUrl, { maxConnections: config.maxDatabaseConnections }), (it) => it.$disconnect())
    return {
      db,
      databaseUrl,
      ownerUrl,
      clock: clock ?? opened.use(await openDatabaseClock(db)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}
