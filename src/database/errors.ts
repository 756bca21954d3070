import { AppError } from '../lib/errors.ts'

/** Connection errors of PostgreSQL as Prisma and the driver name them. */
const DATABASE_GONE =
  /P1001|P1002|P1008|P1017|P2024|P2028|Can't reach database server|ECONNREFUSED|connect ENOENT \S*\.s\.PGSQL\.|ECONNRESET|EPIPE|57P01|57P02|57P03|terminating connection|Connection terminated|Server has closed the connection|timeout exceeded when trying to connect|timeout expired|is not queryable|ConnectionClosed|DatabaseNotReachable|SocketTimeout|Query read timeout|the database system is (starting up|shutting down|in recovery mode)/

/**
 * Whether the database is unreachable, which is temporary, rather than a statement wrong. Checks
 * the wrapped causes too. An AppError is never a connection error, although an image host that
 * refuses a connection has the same text.
 */
export function isConnectionError(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AppError) return false
    if (DATABASE_GONE.test(`${'code' in at ? String(at.code) : ''} ${at.message}`)) return true
  }
  return false
}
