import type { Database } from '../../database/client.ts'
import type { Run } from '../../generated/client.ts'
import { say } from '../../messages/say.ts'
import type { ItemSyncResult } from '../../schemas/runs.ts'

/** Most failures in a response; `/failures` has all of them. */
const MAX_ERRORS = 100

// A request that waits for a run ends while it is running only when the server stops: the run is
// paused, and the next start resumes it.
const isParked = (run: Run) => run.state === 'queued' || run.state === 'running'

export const statusOf = (run: Run) => (isParked(run) ? 'paused' : run.state)

export const durationMs = (run: Run) => (run.finished_at ?? new Date()).getTime() - (run.started_at ?? run.created_at).getTime()

export async function firstFailures(db: Database, run: Run): Promise<ItemSyncResult['errors']> {
  return db.failure.findMany({
    where: { run_id: run.id },
    orderBy: { created_at: 'asc' },
    take: MAX_ERRORS,
    select: { zoho_item_id: true, sku: true, stage: true, code: true, zoho_code: true, message: true },
  })
}

/** When it resumes, why it paused or failed, and what to do. */
export function runOutcome(run: Run): Pick<ItemSyncResult, 'resumes_at' | 'cause' | 'remedy'> {
  return {
    ...(isParked(run) && {
      resumes_at: new Date().toISOString(),
      cause: say('server_stopped').message,
      remedy: say('server_stopped').remedy,
    }),
    ...(run.resumes_at && { resumes_at: run.resumes_at.toISOString() }),
    ...(run.cause !== null && { cause: run.cause }),
    ...(run.remedy !== null && { remedy: run.remedy }),
  }
}

/** Returns the result of a run of any kind, in the form of the item sync's response. */
export async function runResult(db: Database, run: Run): Promise<ItemSyncResult> {
  const params = run.params as { mode?: string; full?: boolean }
  const checkpoint = run.checkpoint as { mode?: string } | null
  return {
    status: statusOf(run),
    run_id: run.id,
    mode: checkpoint?.mode ?? params.mode ?? (params.full ? 'full' : 'incremental'),
    statistics: {
      ...(run.statistics as Record<string, number>),
      api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
      duration_ms: durationMs(run),
    },
    errors: await firstFailures(db, run),
    ...runOutcome(run),
  }
}
