import pg from 'pg'

const LOOK_EVERY_MS = 1_000
/** A statement that says nothing for so long is asked after. */
const SILENT_MS = 4_500
const ASK_WITHIN_MS = 4_500

interface Seen {
  bytesRead: number
  sinceMs: number
}

/** A client's socket; the types of `pg` leave it out. */
const socketOf = (client: pg.PoolClient) => (client as unknown as { connection: { stream: import('node:net').Socket } }).connection.stream
const isAsking = (client: pg.PoolClient) => !(client as unknown as { readyForQuery: boolean }).readyForQuery
const pidOf = (client: pg.PoolClient) => (client as unknown as { processID: number }).processID

/**
 * Ends connections whose other side has vanished without a word (a cut cable, a firewall that forgot the line): TCP would wait for minutes, and a statement's
 * own time limit is the server's, which is not there. A statement that is silent for long is asked after on a fresh connection: if the server does not
 * answer, or knows of no such statement under way, the old connection is cut and its query fails as with any lost database, within ten seconds. One that
 * really works for long is left alone.
 */
export function cutSilent(pool: pg.Pool, url: string): void {
  const clients = new Map<pg.PoolClient, Seen>()
  let timer: NodeJS.Timeout | undefined
  let isLooking = false

  async function look(): Promise<void> {
    const now = performance.now()
    const silent: pg.PoolClient[] = []
    for (const [client, seen] of clients) {
      const { bytesRead } = socketOf(client)
      if (!isAsking(client) || bytesRead !== seen.bytesRead) clients.set(client, { bytesRead, sinceMs: now })
      else if (now - seen.sinceMs >= SILENT_MS) silent.push(client)
    }
    if (silent.length === 0) return
    const working = await statementsUnderWay(url, silent.map(pidOf))
    for (const client of silent) {
      const seen = clients.get(client)
      if (!seen || !isAsking(client) || socketOf(client).bytesRead !== seen.bytesRead) continue
      if (working.includes(pidOf(client))) clients.set(client, { ...seen, sinceMs: performance.now() })
      else socketOf(client).destroy(new Error('Connection terminated: the database does not answer'))
    }
  }

  pool.on('connect', (client) => {
    clients.set(client, { bytesRead: socketOf(client).bytesRead, sinceMs: performance.now() })
    timer ??= setInterval(() => {
      if (isLooking) return
      isLooking = true
      void look().finally(() => {
        isLooking = false
      })
    }, LOOK_EVERY_MS).unref()
  })
  pool.on('remove', (client) => {
    clients.delete(client)
    if (clients.size > 0) return
    clearInterval(timer)
    timer = undefined
  })
}

/** Which of these backends work on a statement; none if the server cannot be asked. */
async function statementsUnderWay(url: string, pids: number[]): Promise<number[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ASK_WITHIN_MS, query_timeout: ASK_WITHIN_MS })
  client.on('error', () => {}) // told by the query
  try {
    await client.connect()
    const { rows } = await client.query<{ pid: number; me: number; state: string }>(
      `select pid, pg_backend_pid() as me, state from pg_stat_activity where pid = any($1) or pid = pg_backend_pid()`,
      [pids],
    )
    // Behind a pooler the numbers are its own and mean nothing to the server: then it is enough that the server answers.
    if (rows[0]?.me !== (client as unknown as { processID: number }).processID) return pids
    return rows.filter(({ state }) => state === 'active').map(({ pid }) => pid)
  } catch {
    return []
  } finally {
    void client.end().catch(() => {})
  }
}
