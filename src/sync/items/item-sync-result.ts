import type { Database } from '../../database/client.ts'
import type { Run } from '../../generated/client.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { ItemSyncResult } from '../../schemas/runs.ts'
import { countImages } from '../images/pending-images.ts'
import { ItemSyncParams } from './params.ts'
import { durationMs, firstFailures, runOutcome, statusOf } from './run-result.ts'

/**
 * Reported, but they do not make a run partial: no retry brings what is missing, so `last_sync`
 * would never move again.
 */
const REMARKS = ['placeholder_image', 'invalid_price', 'image_url_blocked', 'item_id_refused', 'file_fields_left', 'currency_unknown']

const IMAGE_KEYS = ['images_total', 'images_downloaded', 'images_unchanged', 'images_missing', 'images_failed'] as const
type ImageStatistics = Record<(typeof IMAGE_KEYS)[number], number>

/**
 * Counted from the rows as they are now, so right during a run and after a crash; valid until
 * another run works on the images.
 */
async function imageStatistics(db: Database, runId: string, counted: Record<string, number>): Promise<ImageStatistics> {
  const images = await countImages(db, runId)
  const { images_listed_missing, images_listed_stored } = countsFrom(counted)
  const missing = images_listed_missing + images.missing
  return {
    images_total: images.downloaded + images_listed_stored + missing + images.failed,
    images_downloaded: images.downloaded,
    images_unchanged: images_listed_stored,
    images_missing: missing,
    images_failed: images.failed,
  }
}

const noImages = (): ImageStatistics => ({
  images_total: 0,
  images_downloaded: 0,
  images_unchanged: 0,
  images_missing: 0,
  images_failed: 0,
})

/**
 * Ends a run's counting: saves the figures that later runs could change, and decides the state by
 * whether anything failed.
 */
export async function finalizeStatistics(
  run: RunContext,
  db: Database,
  { withImages }: { withImages: boolean },
): Promise<'success' | 'partial'> {
  run.report({
    statistics: {
      ...(withImages ? await imageStatistics(db, run.id, run.counted()) : noImages()),
      api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
    },
  })
  const failed = await db.failure.count({ where: { run_id: run.id, code: { notIn: REMARKS }, dismissed_at: null } })
  return failed > 0 ? 'partial' : 'success'
}

/** Returns the result of an item sync run as the API shows it. */
export async function itemSyncResult(db: Database, run: Run): Promise<ItemSyncResult> {
  const params = ItemSyncParams.parse(run.params)
  const counted = run.statistics as Record<string, number>
  const { total, new: added, updated, restored, unchanged, removed, failed } = countsFrom(counted)
  const closed = run.finished_at !== null && counted.images_total !== undefined
  const images = closed
    ? (Object.fromEntries(IMAGE_KEYS.map((key) => [key, counted[key] ?? 0])) as ImageStatistics)
    : params.sync_images || params.retry
      ? await imageStatistics(db, run.id, counted)
      : noImages()
  const mode =
    typeof run.checkpoint === 'object' && run.checkpoint !== null && 'mode' in run.checkpoint
      ? String(run.checkpoint.mode)
      : (params.mode ?? 'full')
  return {
    status: statusOf(run),
    run_id: run.id,
    mode,
    statistics: {
      total,
      new: added,
      updated: updated + restored,
      unchanged,
      removed,
      failed,
      conflicts: counted.conflicts ?? 0,
      ...images,
      api_calls: closed ? (counted.api_calls ?? 0) : await db.zohoCall.count({ where: { run_id: run.id } }),
      duration_ms: durationMs(run),
    },
    errors: await firstFailures(db, run),
    ...runOutcome(run),
  }
}

/** What a pass over items counts; some of it is used only for sums in the response. */
const COUNTED = [
  'total',
  'new',
  'updated',
  'unchanged',
  'removed',
  'restored',
  'failed',
  'images_listed_missing',
  'images_listed_stored',
  'images_to_fetch',
  'images_to_recheck',
] as const
export type ListCounts = Record<(typeof COUNTED)[number], number>

export const countsFrom = (statistics: Record<string, number>): ListCounts =>
  Object.fromEntries(COUNTED.map((key) => [key, statistics[key] ?? 0])) as ListCounts
