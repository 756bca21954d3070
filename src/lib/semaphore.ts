import { ServiceUnavailableError } from './errors.ts'

export interface Semaphore {
  /** Waits for a slot, works, gives the slot back. Throws ServiceUnavailableError `overloaded` when too many wait already or the wait is too long. */
  use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

/** Bounded work under way and a bounded queue before it: more load gets a 503 with Retry-After instead of memory. */
export function createSemaphore({ running, waiting, maxWaitMs }: { running: number; waiting: number; maxWaitMs: number }): Semaphore {
  let taken = 0
  const queue: (() => void)[] = []
  const busy = () => new ServiceUnavailableError('overloaded', {}, { retryAfterMs: 5_000 })

  async function enter(signal: AbortSignal): Promise<void> {
    if (taken < running) {
      taken++
      return
    }
    if (queue.length >= waiting) throw busy()
    // The slot is handed over by the one who leaves, so `taken` does not change here.
    await new Promise<void>((resolve, reject) => {
      const leaveQueue = (error: unknown) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        queue.splice(queue.indexOf(turn), 1)
        reject(error)
      }
      const onAbort = () => leaveQueue(signal.reason)
      const turn = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const timer = setTimeout(() => leaveQueue(busy()), maxWaitMs)
      signal.addEventListener('abort', onAbort, { once: true })
      queue.push(turn)
    })
  }
  function leave(): void {
    const next = queue.shift()
    if (next) next()
    else taken--
  }
  return {
    async use(signal, work) {
      signal.throwIfAborted()
      await enter(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
