import type { Logger } from 'pino'

const FIRST_AFTER_MS = 60_000
const EVERY_MS = 3_600_000

/**
 * Small chores that somebody must do now and then, each safe to do in several processes at once: old logins go, the day's coverage is noted.
 * A chore that fails is tried again at the next turn.
 */
export function startMaintenance(tasks: Record<string, () => Promise<void>>, { log }: { log: Logger }): Disposable {
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
