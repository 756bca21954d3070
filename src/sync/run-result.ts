import type { ItemSyncResult } from '../contract/runs.ts'
import type { Database } from '../db.ts'
import type { Run } from '../generated/client.ts'

/** At most so many failures stand in an answer; all of them stand under `/failures`. */
const MAX_ERRORS = 100

/** What a run of any kind has come to, in the words of the item sync's answer. */
export async function runResult(db: Database, run: Run): Promise<ItemSyncResult> {
  const parked = run.state === 'queued' || run.state === 'running'
  const errors = await db.failure.findMany({ where: { run_id: run.id }, orderBy: { created_at: 'asc' }, take: MAX_ERRORS })
  const params = run.params as { mode?: string; full?: boolean }
  const checkpoint = run.checkpoint as { mode?: string } | null
  return {
    // Whoever waits is only told of a run under way when the server stops: it is parked, and the next start goes on with it.
    status: parked ? 'paused' : run.state,
    run_id: run.id,
    mode: checkpoint?.mode ?? params.mode ?? (params.full ? 'full' : 'incremental'),
    statistics: {
      ...(run.statistics as Record<string, number>),
      api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
      duration_ms: (run.finished_at ?? new Date()).getTime() - (run.started_at ?? run.created_at).getTime(),
    },
    errors: errors.map(({ zoho_item_id, sku, stage, code, message }) => ({ zoho_item_id, sku, stage, code, message })),
    ...(parked && {
      resumes_at: new Date().toISOString(),
      cause: 'The server was told to stop',
      remedy: 'It goes on by itself at the next start.',
    }),
    ...(run.resumes_at && { resumes_at: run.resumes_at.toISOString() }),
    ...(run.cause !== null && { cause: run.cause }),
    ...(run.remedy !== null && { remedy: run.remedy }),
  }
}
