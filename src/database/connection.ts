import type { Socket } from 'node:net'
import pg from 'pg'

/** The kernel probes a connection that is idle this long; ten lost probes in ten seconds end it. */
const KEEPALIVE_IDLE_S = 10
/**
 * A missing response this long after the server's own statement timeout means that it is
 * unreachable.
 */
const RESPONSE_SLACK_MS = 5_000

export interface ConnectionLimits {
  /** To connect, or to wait for a free connection of a pool. */
  connectionTimeoutMs?: number
  /** For a statement, and for an idle transaction. Migrations and dumps have none. */
  statementTimeoutMs?: number
  /**
   * For a response on a connection that is mostly idle. The caller closes the connection when one
   * is missing.
   */
  queryTimeoutMs?: number
}

/** Parts of `pg` that its types leave out. */
interface Internals {
  connection: NodeJS.EventEmitter & { stream: Socket }
}

type ConnectCallback = ((error: Error) => void) | ((error: null, client: pg.Client) => void)

/**
 * A PostgreSQL connection on which the loss of either side is detected. The server's half is set
 * after connecting, since PgBouncer refuses startup parameters that it does not know.
 */
class Connection extends pg.Client {
  readonly #connectionTimeoutMs: number
  readonly #statementTimeoutMs: number | undefined

  constructor(config: pg.ClientConfig & ConnectionLimits = {}) {
    super(config)
    this.#connectionTimeoutMs = config.connectionTimeoutMillis ?? 0
    this.#statementTimeoutMs = config.statementTimeoutMs
    this.on('error', () => {}) // the query reports it; without a listener it would end the process
    // After a fatal message the server closes. Prisma would return such a connection to the pool,
    // and the next query would fail with it.
    const { connection } = this as unknown as Internals
    connection.on('errorMessage', ({ severity }: { severity?: string }) => {
      if (severity === 'FATAL') void this.end().catch(() => {})
    })
  }

  override connect(): Promise<pg.Client>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<pg.Client> | undefined {
    const ready = super.connect().then(() => this.#prepare())
    if (!callback) return ready
    const done = callback as (error: Error | null, client?: pg.Client) => void
    ready.then(() => done(null, this), done)
    return undefined
  }

  /**
   * Keepalive does not run while sent bytes are unacknowledged: TCP resends them for 15 minutes. So
   * a socket that is silent for longer than a statement may take is closed. pg's `query_timeout`
   * would end the query but leave the dead connection to the next one.
   */
  async #prepare(): Promise<pg.Client> {
    const settings = [`tcp_keepalives_idle = ${KEEPALIVE_IDLE_S}`, 'tcp_keepalives_interval = 1', 'tcp_keepalives_count = 10']
    const limit = this.#statementTimeoutMs
    if (limit !== undefined) settings.push(`statement_timeout = ${limit}`, `idle_in_transaction_session_timeout = ${limit}`)
    const { stream } = (this as unknown as Internals).connection
    stream.on('timeout', () => stream.destroy(new Error('Connection terminated: the database does not respond')))
    stream.setTimeout(this.#connectionTimeoutMs)
    try {
      await this.query(settings.map((it) => `set ${it}`).join('; '))
    } catch (error) {
      await this.end().catch(() => {})
      throw error
    }
    stream.setTimeout(limit === undefined ? 0 : limit + RESPONSE_SLACK_MS)
    return this
  }
}

/** The driver's options of every connection. */
const driverOptions = (url: string, { connectionTimeoutMs = 5_000, statementTimeoutMs, queryTimeoutMs }: ConnectionLimits) => ({
  connectionString: url,
  connectionTimeoutMillis: connectionTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEPALIVE_IDLE_S * 1_000,
  ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
  ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }),
})

/** Creates a connection outside any pool: connect it before use and end it afterwards. */
export function createClient(url: string, limits: ConnectionLimits = {}): pg.Client {
  return new Connection(driverOptions(url, limits))
}

/**
 * Creates a pool; while all of its connections are busy, a query fails after `connectionTimeoutMs`.
 */
export function createPool(url: string, { max, ...limits }: ConnectionLimits & { max: number }): pg.Pool {
  const pool = new pg.Pool({ ...driverOptions(url, limits), Client: Connection, max, idleTimeoutMillis: 30_000 })
  pool.on('error', () => {}) // an idle connection is replaced; a busy one fails its query
  return pool
}
