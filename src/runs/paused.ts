import type { RunOutcome } from './run-handler.ts'

/** How a run stands that is held back by a limit with a known end. */
export const pausedUntil = (
  { resetsAt, message, code }: { resetsAt: Date; message: string; code: string },
  remedy = 'It goes on by itself then.',
): RunOutcome => ({ state: 'paused', resumes_at: resetsAt, cause: message, remedy, failure_code: code })
