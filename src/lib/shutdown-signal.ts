/** From the first signal to the end of the process: supervisors kill after ten seconds. */
const STOP_WITHIN_MS = 9_500

export interface ShutdownSignal extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT. */
  signal: AbortSignal
}

/**
 * Listens for SIGTERM and SIGINT until disposed. The first one begins the shutdown, further ones
 * change nothing (npm and a terminal often send the same signal twice). A shutdown that takes
 * longer than STOP_WITHIN_MS is ended with exit status 1.
 */
export function listenForShutdown(): ShutdownSignal {
  const stopping = new AbortController()
  let deadline: NodeJS.Timeout | undefined
  const onSignal = () => {
    if (stopping.signal.aborted) return
    deadline = setTimeout(() => {
      console.error('The shutdown took too long and was cut. Nothing that was committed is lost; the next start resumes the rest.')
      process.exit(1)
    }, STOP_WITHIN_MS)
    stopping.abort(new Error('stopped by a signal'))
  }
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, onSignal)
  return {
    signal: stopping.signal,
    [Symbol.dispose]() {
      clearTimeout(deadline)
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.removeListener(name, onSignal)
    },
  }
}

/** Resolves when the signal is aborted, also if it is already. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
