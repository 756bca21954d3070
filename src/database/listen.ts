import type pg from 'pg'
import type { Logger } from 'pino'
import { createClient } from './connection.ts'

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 10_000

export interface ListenOptions {
  databaseUrl: string
  log: Logger
  /** By channel, with the payload. */
  onNotification: Record<string, (payload: string) => void>
  /** Connected (again): notifications sent before were missed. */
  onConnected(): void
}

/** Listens for PostgreSQL's notifications on one connection, and reconnects when it is lost. */
export function listenForNotifications({ databaseUrl, log, onNotification, onConnected }: ListenOptions): AsyncDisposable {
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let retryMs = FIRST_RETRY_MS
  let connecting = connect()

  async function connect(): Promise<void> {
    const next = createClient(databaseUrl)
    next.on('notification', ({ channel, payload }) => onNotification[channel]?.(payload ?? ''))
    next.once('end', () => {
      if (client === next) lost()
    })
    try {
      await next.connect()
      await next.query(
        Object.keys(onNotification)
          .map((channel) => `listen ${channel}`)
          .join('; '),
      )
    } catch (err) {
      await next.end().catch(() => {})
      if (!closed) lost(err)
      return
    }
    client = next
    retryMs = FIRST_RETRY_MS
    if (!closed) onConnected()
  }

  function lost(err?: unknown): void {
    client = undefined
    if (closed) return
    log.info({ err }, 'connection for notifications lost, reconnecting')
    timer = setTimeout(() => {
      connecting = connect()
    }, retryMs).unref()
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
  }

  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await connecting
      await client?.end().catch(() => {})
    },
  }
}
