import { setTimeout as sleep } from 'node:timers/promises'

/** The line or the server failed: worth another try. `retryAfterMs` when the server said how long to wait. */
export class LineFailure extends Error {
  readonly retryAfterMs: number | undefined
  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The server refused for good: another try would be refused as well. */
export class Refused extends Error {
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
/** Tries in a row that brought nothing at all: then the line counts as down, and the pull ends until it is started again. */
const MAX_EMPTY_TRIES = 12

export type Line = ReturnType<typeof createLine>

/**
 * Patience with a bad line, shared by everything that uses it: as long as bytes come, it is tried again at once and without end;
 * tries that bring nothing wait longer each time.
 */
export function createLine({ signal, onCut = () => {} }: { signal: AbortSignal; onCut?: (error: LineFailure) => void }) {
  let arrivals = 0
  return {
    /** Something arrived: the line is alive. */
    progressed(): void {
      arrivals++
    },
    /** Does the work again after each failure of the line. Throws what is no failure of the line, and the last one when the line is down. */
    async persist<T>(work: () => Promise<T>): Promise<T> {
      let emptyTries = 0
      for (;;) {
        const before = arrivals
        signal.throwIfAborted()
        try {
          return await work()
        } catch (error) {
          signal.throwIfAborted()
          if (!(error instanceof LineFailure)) throw error
          onCut(error)
          if (arrivals !== before) emptyTries = 0
          if (emptyTries >= MAX_EMPTY_TRIES) throw error
          const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** emptyTries++)
          await sleep(error.retryAfterMs ?? wait * (0.5 + Math.random() / 2), undefined, { signal })
        }
      }
    },
  }
}
