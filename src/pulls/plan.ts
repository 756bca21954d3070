import { estimateCompletion, knownLimits, type LimitsDeps } from '../connection/estimate.ts'
import type { BooksModule } from '../facts/books-modules.ts'
import type { PullPlan, PullPlanRequest } from '../schemas/pulls.ts'
import { countBooks, walkCalls } from '../zoho/books-count.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { LIST_LAG_MS } from '../zoho/paginate.ts'
import { modulesOf, wantsDetails } from './checkpoint.ts'
import { rangeOf } from './incremental-range.ts'

export interface PullPlanDeps extends LimitsDeps {
  /** Called only when records are to be counted. */
  openZoho(): Promise<ZohoClient>
  /** Whose quota the pull uses; null before an organization is chosen. */
  organization(): Promise<string | null>
}

type ModulePlan = PullPlan['modules'][number]

/** Days before its last pull from which a module's rate of change is estimated. */
const PACE_DAYS = 30
const DAY_MS = 86_400_000

/**
 * Returns what a pull would cost at the present limits: from the known records, or counted in Zoho
 * when the request allows it.
 */
export async function planPull(deps: PullPlanDeps, request: PullPlanRequest, signal: AbortSignal): Promise<PullPlan> {
  const zoho = request.count ? await deps.openZoho() : null
  const planned = await Promise.all(modulesOf(request).map((module) => planModule(deps, { request, module, zoho }, signal)))
  const modules = planned.map((it) => it.plan)
  const sum = (of: (it: ModulePlan) => number) => modules.reduce((total, it) => total + of(it), 0)
  const calls = { list: sum((it) => it.calls.list), details: sum((it) => it.calls.details), total: sum((it) => it.calls.total) }
  const limits = await knownLimits(deps, await deps.organization(), 'records')
  const { minutes, days, endsAt } = estimateCompletion(calls.total, limits, deps.clock.now())
  return {
    modules,
    calls,
    complete: modules.every((it) => it.basis !== 'unknown'),
    counting_calls: planned.reduce((total, it) => total + it.counting, 0),
    minutes,
    days,
    ends_at: endsAt.toISOString(),
  }
}

interface ModuleAsk {
  request: PullPlanRequest
  module: BooksModule
  /** Null: Zoho is not called. */
  zoho: ZohoClient | null
}

async function planModule(deps: PullPlanDeps, ask: ModuleAsk, signal: AbortSignal): Promise<{ plan: ModulePlan; counting: number }> {
  const { db } = deps
  const { request, module, zoho } = ask
  const { mode, since, newest } = await rangeOf(db, request, module, deps.clock.now())
  const place = { app: request.app, from: since === null ? null : new Date(since) }
  const live = { app: request.app, module: module.name, deleted_at: null }
  /** What was modified up to then is known. */
  const seen = newest === null ? null : new Date(Date.parse(newest) - LIST_LAG_MS)
  let counting = 0
  const countAt = async (client: ZohoClient, from: Date | null): Promise<number> => {
    const { records, calls } = await countBooks(client, module, { app: request.app, from }, signal)
    counting += calls
    return records
  }
  const changedSince = async (from: Date): Promise<number> => {
    if (!zoho) return estimateChanged(deps, ask, from)
    // The last minutes before the watermark are listed again.
    return Math.max(0, (await countAt(zoho, from)) - (await db.zohoRecord.count({ where: { ...live, listed_modified_at: { gte: from } } })))
  }

  const known = await db.zohoRecord.count({ where: live })
  let records: number | null
  if (module.name === 'organizations') records = Math.max(1, known)
  else if (zoho) records = await countAt(zoho, place.from)
  else if (seen === null) records = null
  else records = place.from === null ? known : (await changedSince(place.from)) + (await knownSince(deps, ask, place.from))

  let details = 0
  if (wantsDetails(module, request) && records !== null) {
    const detailed = await db.zohoRecord.count({ where: { ...live, detailed: true, needs_detail: false } })
    // Unchanged records that are listed again need no detail call.
    if (seen === null) details = Math.max(0, records - detailed)
    else details = known - detailed + (await changedSince(mode === 'since' && place.from && place.from > seen ? place.from : seen))
    if (mode !== 'incremental') details = Math.min(records, details)
  }
  const list = walkCalls(module, place, records ?? 0)
  return {
    plan: {
      module: module.name,
      mode,
      since,
      records,
      basis: records === null ? 'unknown' : zoho || module.name === 'organizations' ? 'counted' : 'estimated',
      calls: { list, details, total: list + details },
    },
    counting,
  }
}

const knownSince = ({ db }: PullPlanDeps, { request: { app }, module }: ModuleAsk, from: Date): Promise<number> =>
  db.zohoRecord.count({ where: { app, module: module.name, deleted_at: null, modified_at: { gte: from } } })

/**
 * Estimates how many records have changed since `from`: as many per day as in the days before it.
 */
async function estimateChanged(deps: PullPlanDeps, ask: ModuleAsk, from: Date): Promise<number> {
  const before = await knownSince(deps, ask, new Date(from.getTime() - PACE_DAYS * DAY_MS))
  return Math.ceil((before / PACE_DAYS) * (Math.max(0, deps.clock.now().getTime() - from.getTime()) / DAY_MS))
}
