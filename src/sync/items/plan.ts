import { estimateCompletion, knownLimits, type LimitsDeps } from '../../connection/estimate.ts'
import type { Run } from '../../generated/client.ts'
import type { ItemSyncPlan } from '../../schemas/sync-plan.ts'
import { SyncPart } from '../../schemas/zoho-settings.ts'
import { FOLLOW_UPS } from '../follow-ups.ts'
import { countsFrom, itemSyncResult } from './item-sync-result.ts'
import { ItemSyncParams } from './params.ts'

export interface PlanDeps extends LimitsDeps {
  /** Percent of the day's calls for stock by location now. */
  stockPercent(): Promise<number>
}

/**
 * Returns what a finished dry run predicts: what would change, and what it would cost at the
 * present limits.
 */
export async function itemSyncPlan(deps: PlanDeps, run: Run): Promise<ItemSyncPlan> {
  const { db } = deps
  const { statistics, mode } = await itemSyncResult(db, run)
  const params = ItemSyncParams.parse(run.params)
  const counted = run.statistics as Record<string, number>
  const counts = countsFrom(counted)
  const made = await db.zohoCall.groupBy({ by: ['path'], where: { run_id: run.id }, _count: true })
  const callsTo = (path: string) => made.find((it) => it.path === path)?._count ?? 0
  const toFetch = params.sync_images ? counts.images_to_fetch + (counted.images_pending ?? 0) : 0
  const list = callsTo('/inventory/v1/items')
  const details = callsTo('/inventory/v1/itemdetails')
  // For images behind a file's URLs there is no Zoho to ask.
  const rechecks = params.sync_images ? (counted.recheck_calls ?? 0) : 0
  const images = params.source === 'api' ? toFetch + rechecks : 0
  const at = deps.clock.now()
  const follows = params.source === 'api' && mode === 'full'
  const seen = { at, groupsListed: counted.groups_listed ?? 0, items: counts.total, stockPercent: await deps.stockPercent() }
  const followUps = { stock: 0, groups: 0, price_lists: 0 } satisfies Record<SyncPart, number>
  if (follows) for (const part of SyncPart.options) followUps[part] = await FOLLOW_UPS[part].expectedCalls(db, seen)
  const total = list + details + images + Object.values(followUps).reduce((sum, calls) => sum + calls, 0)
  const call = await db.zohoCall.findFirst({ where: { run_id: run.id }, select: { organization: true } })
  const limits = await knownLimits(deps, call?.organization ?? null, images > 0 ? 'images' : 'items')
  const { minutes, days, endsAt } = estimateCompletion(total, limits, at)
  return {
    status: 'success',
    data: {
      run_id: run.id,
      mode: mode === 'incremental' ? 'incremental' : 'full',
      source: params.source,
      items: {
        total: counts.total,
        new: counts.new,
        updated: counts.updated,
        unchanged: counts.unchanged,
        restored: counts.restored,
        removed: counts.removed,
        conflicts: statistics.conflicts ?? 0,
        failed: counts.failed,
      },
      images: {
        to_fetch: toFetch,
        unchanged: params.sync_images ? counts.images_listed_stored : 0,
        missing: params.sync_images ? counts.images_listed_missing : 0,
      },
      calls: { list, details, images, ...followUps, total },
      minutes,
      days,
      ends_at: endsAt.toISOString(),
      mass_delete: counted.removals_stopped ? { removed: counted.removals_stopped, of: counted.removals_of ?? 0 } : null,
    },
  }
}
