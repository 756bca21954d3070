import { setTimeout as sleep } from 'node:timers/promises'

/** The line or the server failed: worth another try. `retryAfterMs` when the server said how long to wait. */
export class NetworkError extends Error {
  readonly retryAfterMs: number | undefined
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A filter, a portal or a proxy on the way responded in place of zinc. It may pass, so it is tried again, but it is never progress. */
export class ForeignResponse extends NetworkError {}

/** The server refused for good: another try would be refused as well. */
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
/** A page of a filter does not go away within a tenth of a second. */
const FIRST_FOREIGN_WAIT_MS = 500
/** Tries in a row that brought nothing at all: then the line counts as down, and the pull ends until it is started again. */
export const MAX_EMPTY_TRIES = 12
const MAX_FOREIGN_TRIES = 8

export interface FailedTry {
  message: string
  /** How long until the next one. */
  waitMs: number
  /** In a row without progress; 0: the line was cut, but something had come. */
  emptyTries: number
}

export interface Persistence {
  /** Rises with what a try has brought. Left out: bytes of whatever picture. */
  progress?: () => number
  /** Tries in a row without progress, by what failed. */
  tries?: (error: NetworkError) => number
}

const defaultTries = (error: NetworkError) => (error instanceof ForeignResponse ? MAX_FOREIGN_TRIES : MAX_EMPTY_TRIES)

export type Transport = ReturnType<typeof createTransport>

/**
 * Patience with a bad line: as long as pictures come, it is tried again immediately and without end; tries that bring nothing wait longer
 * each time, and there are only so many of them. Only bytes of pictures are progress: a filter's page has bytes as well.
 */
export function createTransport({ signal, onFailedTry = () => {} }: { signal: AbortSignal; onFailedTry?: (failed: FailedTry) => void }) {
  let arrivals = 0
  return {
    /** Bytes of a picture arrived that were not here before: the line is alive. */
    progressed(): void {
      arrivals++
    },
    /** Does the work again after each failure of the line. Throws what is no failure of the line, and the last one when the tries are used up. */
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
