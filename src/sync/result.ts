import type { ItemSyncResult } from '../contract/runs.ts'
import type { Database } from '../db.ts'
import type { Run } from '../generated/client.ts'
import { countImages } from './images.ts'
import { ItemSyncParams } from './item-sync.ts'
import { countsFrom } from './list-pass.ts'

/** At most so many failures stand in an answer; all of them stand under `/failures`. */
const MAX_ERRORS = 100

/** What a run of the item sync has come to, in the words of the API. */
export async function itemSyncResult(db: Database, run: Run): Promise<ItemSyncResult> {
  const parked = run.state === 'queued' || run.state === 'running'
  const params = ItemSyncParams.parse(run.params)
  const counted = run.statistics as Record<string, number>
  const { images_listed_missing, images_listed_stored, restored: _restored, ...items } = countsFrom(counted)
  const images = await countImages(db, run.id)
  const missing = images_listed_missing + images.missing
  const errors = await db.failure.findMany({ where: { run_id: run.id }, orderBy: { created_at: 'asc' }, take: MAX_ERRORS })
  const mode =
    typeof run.checkpoint === 'object' && run.checkpoint !== null && 'mode' in run.checkpoint
      ? String(run.checkpoint.mode)
      : (params.mode ?? 'full')
  return {
    // Whoever waits is only told of a run under way when the server stops: it is parked, and the next start goes on with it.
    status: parked ? 'paused' : run.state,
    run_id: run.id,
    mode,
    statistics: {
      ...items,
      conflicts: counted.conflicts ?? 0,
      images_total: images.downloaded + images_listed_stored + missing + images.failed,
      images_downloaded: images.downloaded,
      images_unchanged: images_listed_stored,
      images_missing: missing,
      images_failed: images.failed,
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
