import type { Db } from '../database/client.ts'
import { Prisma } from '../generated/client.ts'
import { type Because, because } from './because.ts'
import type { RunOutcome } from './run-handler.ts'

/** What a person asked of a run. */
export type RequestedAction = 'pause' | 'cancel'
/** How a run stands when nobody works on it any more; `queued`: the next start goes on with it. */
export type RunStatus = RunOutcome | { state: 'cancelled' } | ({ state: 'paused'; resumes_at: null } & Because) | { state: 'queued' }

export const STATE_AFTER: Record<RequestedAction, RunStatus> = {
  pause: { state: 'paused', resumes_at: null, ...because('paused_by_user') },
  cancel: { state: 'cancelled' },
}

const waits = ({ state }: RunStatus): boolean => state === 'queued' || state === 'paused'

/** A run that would wait, for a worker or for a time, stands as a person wished at the same moment; one that has ended has ended. */
export const applyRequestedAction = (status: RunStatus, action: RequestedAction | null): RunStatus =>
  action && waits(status) ? STATE_AFTER[action] : status

/** The columns of a run that say how it stands. */
export function toStatusColumns(status: RunStatus, now: Date) {
  return {
    state: status.state,
    cause: 'cause' in status ? (status.cause ?? null) : null,
    remedy: 'remedy' in status ? (status.remedy ?? null) : null,
    failure_code: 'failure_code' in status ? (status.failure_code ?? null) : null,
    zoho_code: 'zoho_code' in status ? (status.zoho_code ?? null) : null,
    failure_params: ('failure_params' in status ? (status.failure_params as Prisma.InputJsonObject) : undefined) ?? Prisma.DbNull,
    resumes_at: 'resumes_at' in status ? status.resumes_at : null,
    // A pause keeps its wish, so that a sweep does not go on with what a person stopped.
    requested_action: status.state === 'paused' && status.resumes_at === null ? 'pause' : null,
    ...(!waits(status) && { finished_at: now }),
  }
}

/**
 * Locks the run's row and tells how it is, so that a wish and the end of the work on the run see each other: without the lock, a run that comes to
 * stand still just then would keep a wish that nobody reads.
 */
export async function lockRun(
  tx: Db,
  runId: string,
): Promise<{ state: string; fence: bigint; requested_action: RequestedAction | null } | undefined> {
  const [row] = await tx.$queryRaw<{ state: string; fence: bigint; requested_action: RequestedAction | null }[]>`
    select state, fence, requested_action from run where id = ${runId}::uuid for update`
  return row
}
