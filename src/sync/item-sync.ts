import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Database } from '../db.ts'
import type { RunContext, RunHandler, RunOutcome } from '../jobs/run-handler.ts'
import type { IngestDeps } from '../photos/ingest.ts'
import type { View } from '../photos/view.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { DayQuotaSpent } from '../zoho/failures.ts'
import { reportSkuConflicts } from './conflicts.ts'
import { countImages, imagePass, isStorageFailure } from './images.ts'
import { firstCheckpoint, ListCheckpoint, listPass } from './list-pass.ts'
import { dropRemovedPictures, removeGone } from './removals.ts'

export const ITEM_SYNC = 'items'
const WATERMARK = 'items'
/** After a full disk the run tries again this often. */
const STORAGE_RETRY_MS = 60_000

export const ItemSyncParams = z.object({
  mode: z.enum(['incremental', 'full']).optional(),
  sync_images: z.boolean().default(false),
  dry_run: z.boolean().default(false),
  confirm_removals: z.boolean().default(false),
})
export type ItemSyncParams = z.infer<typeof ItemSyncParams>

export interface ItemSyncDeps {
  db: Database
  /** Opened when a run begins, so that changed settings count at once. Throws NeedsPerson when Zoho is not set up. */
  openZoho(onWait: (wait: { reason: string; until: Date }) => void): Promise<ZohoClient>
  /** The organisation's currency; null until it is known. */
  currencyOf(zoho: ZohoClient, signal: AbortSignal): Promise<string | null>
  clock: Clock
  ingest: IngestDeps
  view: View
  imageConcurrency: number
}

/**
 * Items first, then removals, then pictures. Where it stands is saved in one transaction with what it has written:
 * killed at any line, the next owner goes on at the checkpoint, and the pictures that are stored are not fetched again.
 */
export function createItemSync(deps: ItemSyncDeps): RunHandler {
  return {
    kind: ITEM_SYNC,
    exclusiveKey: ITEM_SYNC,
    async execute(run) {
      try {
        return await sync(run, deps)
      } catch (error) {
        if (error instanceof DayQuotaSpent)
          return {
            state: 'paused',
            resumes_at: error.resetsAt,
            cause: error.message,
            remedy: 'It goes on by itself then; items come before pictures.',
          }
        if (isStorageFailure(error)) {
          return {
            state: 'paused',
            resumes_at: new Date(deps.clock.now().getTime() + STORAGE_RETRY_MS),
            cause: 'storage_full: the disk takes no more pictures',
            remedy: 'Free space under DATA_DIR; it goes on by itself.',
          }
        }
        throw error
      }
    },
  }
}

async function sync(run: RunContext, deps: ItemSyncDeps): Promise<RunOutcome> {
  const { db, clock, view } = deps
  const params = ItemSyncParams.parse(run.params)
  const zoho = await deps.openZoho((wait) =>
    run.report({ progress: { waiting: { reason: wait.reason, until: wait.until.toISOString() } } }),
  )
  const watermark = await db.watermark.findUnique({ where: { name: WATERMARK } })
  // Without a full pass there is nothing to be incremental on.
  const mode = params.mode === 'full' || !watermark?.full_at ? 'full' : 'incremental'
  let at = run.checkpoint ? ListCheckpoint.parse(run.checkpoint) : firstCheckpoint(mode, watermark?.up_to ?? null)
  let partial = false

  if (at.phase === 'items') {
    const currency = await deps.currencyOf(zoho, run.signal)
    at = await listPass(run, { zoho, clock, currency }, at, { withImages: params.sync_images, dryRun: params.dry_run })
    at = { ...at, phase: 'removals', taken: [] }
    if (!params.dry_run) await run.fenced((tx) => run.saveCheckpoint(tx, at))
  }
  if (at.phase === 'removals') {
    if (at.mode === 'full' && !params.dry_run) {
      const { removed, stopped } = await removeGone(run, { db, zoho, clock, view }, { confirmed: params.confirm_removals, dryRun: false })
      run.report({ statistics: { removed } })
      if (stopped) {
        partial = true
        await run.fenced((tx) =>
          run.fail(tx, [
            {
              stage: 'removal',
              code: 'mass_delete_stopped',
              message: `${stopped} items are gone from Zoho, more than a fifth; nothing was removed. Run it again with confirm_removals=true if that is right.`,
            },
          ]),
        )
      }
    }
    if (!params.dry_run) {
      await dropRemovedPictures(run, { db, view })
      const conflicts = await reportSkuConflicts(run)
      run.report({ statistics: { conflicts } })
      partial ||= conflicts > 0
      at = { ...at, phase: 'images' }
      await run.fenced(async (tx) => {
        const done = { up_to: at.newest, succeeded_at: clock.now(), run_id: run.id, ...(at.mode === 'full' && { full_at: clock.now() }) }
        await tx.watermark.upsert({ where: { name: WATERMARK }, create: { name: WATERMARK, ...done }, update: done })
        await tx.runPage.deleteMany({ where: { run_id: run.id } })
        await run.saveCheckpoint(tx, at)
      })
    }
  }
  if (params.sync_images && !params.dry_run) {
    await imagePass(run, { db, zoho, clock, ingest: deps.ingest, view, concurrency: deps.imageConcurrency })
    partial ||= (await countImages(db, run.id)).failed > 0
  }
  return { state: partial ? 'partial' : 'success' }
}
