import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { type Because, because } from './because.ts'
import type { RunOutcome } from './run-handler.ts'

/** What a person requested for a run. */
export type RequestedAction = 'pause' | 'cancel'
/** A run's state when no process works on it; `queued`: the next start resumes it. */
export type RunStatus = RunOutcome | { state: 'cancelled' } | ({ state: 'paused'; resumes_at: null } & Because) | { state: 'queued' }

export const STATE_AFTER: Record<RequestedAction, RunStatus> = {
  pause: { state: 'paused', resumes_at: null, ...because('paused_by_user') },
  cancel: { state: 'cancelled' },
}

const waits = ({ state }: RunStatus): boolean => state === 'queued' || state === 'paused'

/**
 * A pause or cancel requested while the run was stopping wins over `queued` and `paused`; finished
 * states are final.
 */
export const applyRequestedAction = (status: RunStatus, action: RequestedAction | null): RunStatus =>
  action && waits(status) ? STATE_AFTER[action] : status

/** Returns the columns of a run that contain its state. */
export function toStatusColumns(status: RunStatus, now: Date) {
  return {
    state: status.state,
    cause: 'cause' in status ? (status.cause ?? null) : null,
    remedy: 'remedy' in status ? (status.remedy ?? null) : null,
    failure_code: 'failure_code' in status ? (status.failure_code ?? null) : null,
    zoho_code: 'zoho_code' in status ? (status.zoho_code ?? null) : null,
    failure_params: ('failure_params' in status ? (status.failure_params as Prisma.InputJsonObject) : undefined) ?? Prisma.DbNull,
    resumes_at: 'resumes_at' in status ? status.resumes_at : null,
    // A pause stays requested, so that a sweep does not resume what a person stopped.
    requested_action: status.state === 'paused' && status.resumes_at === null ? 'pause' : null,
    ...(!waits(status) && { finished_at: now }),
  }
}

/**
 * Locks the run's row and returns its state, so that a request and the end of the work on the run
 * see each other. Without the lock, a run that stops at that moment would keep a request that no
 * process reads.
 */
export async function lockRun(
  tx: Db,
  runId: string,
): Promise<{ state: string; fence: bigint; requested_action: RequestedAction | null } | undefined> {
  const [row] = await tx.$queryRaw<{ state: string; fence: bigint; requested_action: RequestedAction | null }[]>`
    select state, fence, requested_action from run where id = ${runId}::uuid for update`
  return row
}
