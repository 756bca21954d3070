import { StorageUnavailableError } from '../../images/storage/disk-space.ts'
import { because, becauseOf } from '../../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../../runs/run-handler.ts'
import { pausedUntil } from '../../runs/run-handler.ts'
import { RateLimitedError } from '../../zoho/errors.ts'
import { queueFollowUps } from '../follow-ups.ts'
import { isStorageFailure } from '../images/sync-images.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'
import { ItemSyncParams } from './params.ts'
import { retryFailed } from './retry.ts'
import { type ApiSyncDeps, syncFromApi } from './sync-from-api.ts'
import { type FileSyncDeps, syncFromFile } from './sync-from-file.ts'
import { ListCheckpoint } from './sync-list.ts'

export const ITEM_SYNC = 'items'
/** After a full disk the run retries this often. */
const STORAGE_RETRY_MS = 60_000

export type ItemSyncDeps = ApiSyncDeps & FileSyncDeps

/**
 * Syncs items first, then removals, then images. The checkpoint is saved in one transaction with
 * what was written, so a crash is safe: the next worker resumes at the checkpoint, and stored
 * images are not fetched again.
 */
export function createItemSync(deps: ItemSyncDeps): RunHandler {
  return {
    kind: ITEM_SYNC,
    exclusiveKey: ITEM_SYNC,
    async execute(run) {
      const params = ItemSyncParams.parse(run.params)
      try {
        if (params.retry) return await retryFailed(run, deps, params.retry)
        return params.source === 'file' ? await syncFromFile(run, deps, params) : await syncFromApi(run, deps, params)
      } catch (error) {
        const parked = await pauseOnTransientError(run, deps, error)
        if (parked) return parked
        throw error
      }
    },
  }
}

/** All items are read and the images may take days: prices do not wait for them. */
async function followBeforeImages(
  run: RunContext,
  { db, clock, stockPercent }: Pick<ItemSyncDeps, 'db' | 'clock' | 'stockPercent'>,
): Promise<void> {
  const { checkpoint } = await db.run.findUniqueOrThrow({ where: { id: run.id }, select: { checkpoint: true } })
  const at = ListCheckpoint.safeParse(checkpoint).data
  const params = ItemSyncParams.parse(run.params)
  if (params.source !== 'api' || params.dry_run || at?.mode !== 'full' || at.phase !== 'images') return
  const moment = { at: clock.now(), stockPercent: await stockPercent() }
  await run.fencedRaw((tx) => queueFollowUps(tx, { runId: run.id, params, ...moment }))
}

/** A temporary error pauses the run; any other is thrown on. */
async function pauseOnTransientError(
  run: RunContext,
  { db, clock, stockPercent }: ItemSyncDeps,
  error: unknown,
): Promise<RunOutcome | null> {
  if (error instanceof RateLimitedError) {
    await followBeforeImages(run, { db, clock, stockPercent })
    return pausedUntil(error, 'run_paused.items')
  }
  const later = (ms: number) => new Date(clock.now().getTime() + ms)
  if (error instanceof StorageUnavailableError) {
    return {
      state: 'paused',
      resumes_at: later(STORAGE_RETRY_MS),
      ...becauseOf(error),
      remedy: 'Check the bucket and its keys. The run resumes automatically.',
    }
  }
  if (isStorageFailure(error)) {
    return {
      state: 'paused',
      resumes_at: later(STORAGE_RETRY_MS),
      ...because('storage_full.run'),
    }
  }
  return pauseOnOutage(run, { db, clock }, error)
}
