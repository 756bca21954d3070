import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The network or the server failed: a retry can help. `retryAfterMs` when the server said how long
 * to wait.
 */
export class NetworkError extends Error {
  readonly retryAfterMs: number | undefined
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/**
 * A filter, a portal or a proxy responded in place of zinc. It may be temporary, so it is retried,
 * but it never counts as progress.
 */
export class ForeignResponse extends NetworkError {}

/** The server refused for good: a retry would be refused as well. */
export class HttpError extends Error {
  readonly status: number
  readonly code: string
  readonly remedy: string | undefined
  constructor(status: number, { code, message, remedy }: { code: string; message: string; remedy?: string | undefined }) {
    super(message)
    this.status = status
    this.code = code
    this.remedy = remedy
  }
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000
/** A filter's page does not disappear within a tenth of a second. */
const FIRST_FOREIGN_WAIT_MS = 500
/**
 * Attempts in a row without any bytes: then the network counts as down, and the pull ends until it
 * is started again.
 */
export const MAX_EMPTY_TRIES = 12
const MAX_FOREIGN_TRIES = 8

export interface FailedTry {
  message: string
  /** How long until the next attempt. */
  waitMs: number
  /** In a row without progress; 0: the connection was cut, but something had arrived. */
  emptyTries: number
}

export interface Persistence {
  /** Grows with what an attempt has brought. Left out: bytes of any image. */
  progress?: () => number
  /** Attempts in a row without progress, by the kind of error. */
  tries?: (error: NetworkError) => number
}

const defaultTries = (error: NetworkError) => (error instanceof ForeignResponse ? MAX_FOREIGN_TRIES : MAX_EMPTY_TRIES)

export type Transport = ReturnType<typeof createTransport>

/**
 * Retries on a bad connection: as long as image bytes arrive, immediately and without end; attempts
 * without any wait longer each time, and are limited. Only image bytes are progress: a filter's
 * page has bytes as well.
 */
export function createTransport({ signal, onFailedTry = () => {} }: { signal: AbortSignal; onFailedTry?: (failed: FailedTry) => void }) {
  let arrivals = 0
  return {
    /** New image bytes arrived: the connection works. */
    progressed(): void {
      arrivals++
    },
    /**
     * Repeats the work after each network error. Throws any other error, and the last network error
     * when the attempts are used up.
     */
    async withRetry<T>(work: () => Promise<T>, { progress = () => arrivals, tries = defaultTries }: Persistence = {}): Promise<T> {
      let emptyTries = 0
      for (;;) {
        const before = progress()
        signal.throwIfAborted()
        try {
          return await work()
        } catch (error) {
          signal.throwIfAborted()
          if (!(error instanceof NetworkError)) throw error
          const foreign = error instanceof ForeignResponse
          emptyTries = !foreign && progress() !== before ? 0 : emptyTries + 1
          if (emptyTries >= tries(error)) throw error
          const longest = (foreign ? FIRST_FOREIGN_WAIT_MS : FIRST_WAIT_MS) * 2 ** Math.max(0, emptyTries - 1)
          const waitMs = error.retryAfterMs ?? Math.min(LONGEST_WAIT_MS, longest) * (0.5 + Math.random() / 2)
          onFailedTry({ message: error.message, waitMs, emptyTries })
          await sleep(waitMs, undefined, { signal })
        }
      }
    },
  }
}
