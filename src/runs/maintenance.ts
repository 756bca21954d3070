import type { Logger } from 'pino'

const FIRST_AFTER_MS = 60_000
const EVERY_MS = 3_600_000

/**
 * Runs periodic maintenance tasks, such as deleting old logins and recording the day's coverage.
 * Each must be idempotent and safe to run concurrently in several processes. A task that fails is
 * retried at the next interval.
 */
export function startMaintenance(tasks: Record<string, () => Promise<unknown>>, { log }: { log: Logger }): Disposable {
  const turn = async () => {
    for (const [name, task] of Object.entries(tasks))
      await task().catch((err: unknown) => log.warn({ err, task: name }, 'maintenance task failed, will retry'))
  }
  const first = setTimeout(turn, FIRST_AFTER_MS).unref()
  const timer = setInterval(turn, EVERY_MS).unref()
  return {
    [Symbol.dispose]() {
      clearTimeout(first)
      clearInterval(timer)
    },
  }
}
