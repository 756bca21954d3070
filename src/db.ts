import { PrismaPg } from '@prisma/adapter-pg'
import { type Prisma, PrismaClient } from './generated/client.ts'

export type Database = PrismaClient
/** What a query function asks for: the client itself or an open transaction, it cannot tell. */
export type Db = Prisma.TransactionClient

/** Connections a process keeps at most; a second connection is never taken inside a transaction, so this cannot deadlock. */
const MAX_CONNECTIONS = 12

/**
 * Opens the database of `url`. Every wait has an end, so that a connection whose other side silently vanished
 * fails within seconds instead of holding a request for ever.
 */
export function openDatabase(url: string): Database {
  const adapter = new PrismaPg(
    {
      connectionString: url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      statement_timeout: 60_000,
      idle_in_transaction_session_timeout: 60_000,
    },
    { onPoolError: () => {}, onConnectionError: () => {} }, // a dropped idle connection is replaced; its query fails by itself
  )
  return new PrismaClient({ adapter })
}
