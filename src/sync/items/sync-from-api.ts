import { settleListedFields } from '../../catalog/custom-fields.ts'
import { readFieldRules } from '../../catalog/field-mapping.ts'
import type { Database } from '../../database/client.ts'
import type { ItemLinks } from '../../images/storage/item-links.ts'
import type { Clock } from '../../lib/clock.ts'
import { failure } from '../../runs/because.ts'
import type { RunContext, RunFailure, RunOutcome } from '../../runs/run-handler.ts'
import { deleteOldRecords } from '../../runs/run-records.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ping } from '../../zoho/inventory.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { isAhead } from '../../zoho/server-clock.ts'
import { queueChangedFields, queueFollowUps } from '../follow-ups.ts'
import { countPending, countUnlistedRechecks } from '../images/pending-images.ts'
import { type RecheckDeps, recheckAllowance, recheckImages } from '../images/recheck.ts'
import { syncImages } from '../images/sync-images.ts'
import { countsFrom, finalizeStatistics } from './item-sync-result.ts'
import type { ItemSyncParams } from './params.ts'
import { countSkuConflicts, reportSkuConflicts } from './sku-conflicts.ts'
import { dropRemovedImages, type RemovalResult, removeGone, restorePhotos } from './sync-deletions.ts'
import { firstCheckpoint, ListCheckpoint, syncList } from './sync-list.ts'
import type { ItemMapping } from './to-item-row.ts'

export const WATERMARK = 'items'

export interface ApiSyncDeps extends Omit<RecheckDeps, 'zoho'> {
  db: Database
  clock: Clock
  itemLinks: ItemLinks
  /**
   * Opened when a run begins, so that changed settings apply immediately. Throws ConfigurationError
   * when Zoho is not set up.
   */
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
  /** The organization's currency; null until it is known. */
  currencyOf(zoho: ZohoClient, signal: AbortSignal): Promise<string | null>
  /** Percent of the day's calls for stock by location now; 0: it is not read. */
  stockPercent(): Promise<number>
}

const NOTHING_READ: ItemMapping = { currency: null, rules: new Map() }

/**
 * Returns how the items of this run are read. A mapping that changes meanwhile applies from the
 * next run on, its field ownership immediately.
 */
export const mappingFor = async (zoho: ZohoClient, { db, currencyOf }: ApiSyncDeps, signal: AbortSignal): Promise<ItemMapping> => ({
  currency: await currencyOf(zoho, signal),
  rules: await readFieldRules(db),
})

/** Opens Zoho for a run; waits for rate limits are shown in the run's progress. */
export const openClient = (run: RunContext, deps: ApiSyncDeps): Promise<ZohoClient> =>
  deps.openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))

/**
 * Syncs from Zoho's own list. A dry run stops before the images and only records what would change.
 */
export async function syncFromApi(run: RunContext, deps: ApiSyncDeps, params: ItemSyncParams): Promise<RunOutcome> {
  const { db, clock, itemLinks } = deps
  const dryRun = params.dry_run
  const zoho = await openClient(run, deps)
  const watermark = await db.watermark.findUnique({ where: { name: WATERMARK } })
  // Without a full pass there is no base for an incremental one.
  const mode = params.mode === 'full' || !watermark?.full_at || isAhead(watermark.up_to, clock.now()) ? 'full' : 'incremental'
  let at = run.checkpoint ? ListCheckpoint.parse(run.checkpoint) : firstCheckpoint(mode, watermark?.up_to ?? null)

  const mapping = at.phase === 'images' ? NOTHING_READ : await mappingFor(zoho, deps, run.signal)
  if (at.phase === 'items') {
    const { created_at } = await db.run.findUniqueOrThrow({ where: { id: run.id }, select: { created_at: true } })
    at = await syncList(run, { db, zoho, clock, mapping }, at, { dryRun, began: created_at })
    at = { ...at, phase: 'removals', taken: [], outages: 0 }
    await run.fenced((tx) => run.saveCheckpoint(tx, at))
  }
  if (at.phase === 'removals') {
    let found: RemovalResult = { removed: 0, leftOut: 0 }
    if (at.mode === 'full') {
      found = await removeGone(run, { db, zoho, clock, itemLinks, mapping }, { confirmed: params.confirm_removals, dryRun })
      run.report({
        statistics: {
          removed: found.removed,
          ...(found.stopped && { removals_stopped: found.stopped.count, removals_of: found.stopped.of }),
        },
      })
    }
    if (dryRun) {
      const pending = await countPending(db, { runId: run.id, zoho: true, only: null, unlistedOnly: true })
      const { organizationId: organization } = zoho
      const allowed = await recheckAllowance(db, { organization, requestsPerDay: deps.requestsPerDay, now: clock.now() })
      const edited = countsFrom(run.counted()).images_to_recheck + (await countUnlistedRechecks(db, run.id))
      run.report({
        statistics: {
          conflicts: await countSkuConflicts(db, run.id),
          images_pending: pending,
          recheck_calls: Math.min(allowed, edited),
        },
      })
    } else {
      await restorePhotos(run, { db, clock, itemLinks })
      await dropRemovedImages(run, { db, itemLinks })
      run.report({ statistics: { conflicts: await reportSkuConflicts(run, { clock }) } })
    }
    at = { ...at, phase: 'images' }
    await run.fenced(async (tx) => {
      if (!dryRun) {
        const done = { up_to: at.newest, succeeded_at: clock.now(), run_id: run.id, ...(at.mode === 'full' && { full_at: clock.now() }) }
        await tx.watermark.upsert({ where: { name: WATERMARK }, create: { name: WATERMARK, ...done }, update: done })
        if (at.mode === 'full') await settleListedFields(tx, { runId: run.id })
      }
      await tx.runPage.deleteMany({ where: { run_id: run.id } })
      await run.fail(tx, removalFailures(found))
      await run.saveCheckpoint(tx, at)
      await deleteOldRecords(tx, clock.now())
    })
  }
  if (params.sync_images && !dryRun) {
    // Paused because nothing was answered: one small call tells whether Zoho is back. If it is,
    // images that still get no answer are at fault themselves.
    if (at.outages > 0) await ping(zoho, { runId: run.id }, run.signal)
    await syncImages(run, { ...deps, zoho, useBreaker: at.outages === 0 }, { runId: run.id, zoho: true, only: null })
    await recheckImages(run, { ...deps, zoho }, { rotation: at.mode === 'full' })
  }
  const state = await finalizeStatistics(run, db, { withImages: params.sync_images && !dryRun })
  if (!dryRun) {
    const stockPercent = await deps.stockPercent()
    await run.fencedRaw((tx) =>
      at.mode === 'full'
        ? queueFollowUps(tx, { runId: run.id, params, at: clock.now(), stockPercent })
        : queueChangedFields(tx, { runId: run.id }),
    )
  }
  return { state }
}

/** Results of the removal that a person should know. */
function removalFailures({ stopped, leftOut }: Pick<RemovalResult, 'stopped' | 'leftOut'>): RunFailure[] {
  const found: RunFailure[] = []
  if (stopped) {
    found.push({
      stage: 'removal',
      ...failure('mass_delete_stopped.items', { removed: stopped.count, known: stopped.of }),
    })
  }
  if (leftOut > 0) {
    found.push({
      stage: 'list',
      ...failure('list_missing_items', { items: leftOut }),
    })
  }
  return found
}
