import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError, zohoCodeOf } from '../../lib/errors.ts'
import { searchText } from '../../pulls/records/search-text.ts'
import { markDeleted, type RecordScope, upsertRecords } from '../../pulls/records/upsert.ts'
import { becauseOf, failureOf, failure as noted } from '../../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../../runs/run-handler.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { type CrmRecord, listCrm, listCrmDeletions } from '../../zoho/crm.ts'
import { CRM_MODULES, type CrmModule, crmFields, INVALID_MODULE } from '../../zoho/crm-fields.ts'
import { ConfigurationError, RateLimitedError, ZohoUnavailableError } from '../../zoho/errors.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { capCursor, isAhead } from '../../zoho/server-clock.ts'
import { pauseOnOutage } from '../pause-on-outage.ts'

export const CRM_SYNC = 'crm'
/**
 * Zoho's list may show a row late, so an incremental pass begins a little before the newest row it
 * knows.
 */
const OVERLAP_MS = 5 * 60_000
/** Deletions are requested by our clock, which may differ from Zoho's. */
const DELETIONS_OVERLAP_MS = 60 * 60_000
/** As with items: a list that lacks more than this share is more likely wrong than true. */
const MAX_GONE_SHARE = 0.2
const MAX_GONE = 10
/** Pages of one module within a run's list of pages. */
const PAGES_A_MODULE = 1_000_000

const Params = z.object({ mode: z.enum(['incremental', 'full']).optional() })
const Checkpoint = z.object({
  /** Modules that are finished. */
  done: z.array(z.string()),
  module: z.enum(CRM_MODULES).nullable(),
  mode: z.enum(['incremental', 'full']),
  from: z.iso.datetime().nullable(),
  newest: z.iso.datetime().nullable(),
  pages: z.number(),
  /** Rows of the last second or two that were processed already. */
  taken: z.array(z.string()),
})
type Checkpoint = z.infer<typeof Checkpoint>

export interface CrmSyncDeps {
  db: Database
  clock: Clock
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
}

/** The scope of a CRM module's records: readable through `GET /api/zoho/crm/{module}`. */
export const placeOf = (module: CrmModule): RecordScope => ({ app: 'crm', module: module.toLowerCase() })
export const CRM_WATERMARKS = 'crm:'
const watermarkOf = (module: CrmModule): string => `${CRM_WATERMARKS}${module.toLowerCase()}`

/**
 * Syncs contacts, accounts, leads, products and deals, one module after the other: modified records
 * first, then deleted ones. Each page is one transaction with the checkpoint, so a crash repeats at
 * most one page. A module that fails does not affect the others.
 */
export function createCrmSync(deps: CrmSyncDeps): RunHandler {
  return {
    kind: CRM_SYNC,
    exclusiveKey: CRM_SYNC,
    async execute(run) {
      try {
        return await sync(run, deps)
      } catch (error) {
        const paused = await pauseOnOutage(run, deps, error)
        if (paused) return paused
        throw error
      }
    },
  }
}

async function sync(run: RunContext, { db, clock, openZoho }: CrmSyncDeps): Promise<RunOutcome> {
  const { mode } = Params.parse(run.params)
  const zoho = await openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  let at: Checkpoint = run.checkpoint
    ? Checkpoint.parse(run.checkpoint)
    : { done: [], module: null, mode: mode ?? 'incremental', from: null, newest: null, pages: 0, taken: [] }
  const counts: Record<string, number> = { total: 0, new: 0, updated: 0, unchanged: 0, removed: 0, failed: 0, ...run.statistics }
  let failure: AppError | null = null

  for (const [index, module] of CRM_MODULES.entries()) {
    if (at.done.includes(module)) continue
    try {
      at = await syncModule(module, index)
    } catch (error) {
      // An error of the whole account is not retried for each module; an error of one module does
      // not affect the others.
      if (!(error instanceof AppError) || error instanceof RateLimitedError || error instanceof ZohoUnavailableError || wholeAccount(error))
        throw error
      if (isMissingModule(error)) {
        await leaveOut(module)
        continue
      }
      failure = error
      counts.failed = (counts.failed ?? 0) + 1
      at = { ...at, done: [...at.done, module], module: null }
      await run.fenced(async (tx) => {
        await run.fail(tx, [{ stage: `crm:${module.toLowerCase()}`, ...failureOf(error) }])
        await run.saveCheckpoint(tx, at, counts)
      })
    }
    run.report({ statistics: counts })
  }
  await run.fenced((tx) => tx.runPage.deleteMany({ where: { run_id: run.id } }))
  if (!failure) return { state: counts.stopped ? 'partial' : 'success' }
  return { state: counts.failed === CRM_MODULES.length ? 'failed' : 'partial', ...becauseOf(failure) }

  /**
   * A module that the CRM does not have is reported once; it neither fails the run nor holds back
   * its last sync.
   */
  async function leaveOut(module: CrmModule): Promise<void> {
    const stage = `crm:${module.toLowerCase()}`
    at = { ...at, done: [...at.done, module], module: null }
    await run.fenced(async (tx) => {
      const known = await tx.failure.count({ where: { stage, code: MODULE_MISSING, resolved_at: null } })
      const message = `Zoho CRM has no module ${module}: it is hidden or has another name there. It is left out.`
      if (known === 0) await run.fail(tx, [{ stage, code: MODULE_MISSING, zoho_code: INVALID_MODULE, message }])
      await run.saveCheckpoint(tx, at, counts)
    })
  }

  async function syncModule(module: CrmModule, index: number): Promise<Checkpoint> {
    const scope = placeOf(module)
    const known = await db.watermark.findUnique({ where: { name: watermarkOf(module) } })
    if (at.module !== module) {
      // The first pass of a module is a full one, whatever the run's mode.
      const full = mode === 'full' || !known?.full_at || isAhead(known.up_to, clock.now())
      const upTo = known?.up_to ?? null
      const from = full || !upTo ? null : new Date(upTo.getTime() - OVERLAP_MS).toISOString()
      at = {
        ...at,
        module,
        mode: full ? 'full' : 'incremental',
        from,
        newest: from === null ? null : upTo!.toISOString(),
        pages: 0,
        taken: [],
      }
    }
    const fields = await crmFields(zoho, module, { runId: run.id }, run.signal)
    // The next sync requests deletions from here on, so it is never later than Zoho's clock.
    const began = new Date(capCursor(clock.now().toISOString(), { zoho: zoho.serverTime(), ours: clock.now() }))
    run.report({ progress: { phase: scope.module, done: counts[`${scope.module}_total`] ?? 0, waiting: null } })

    const taken = new Set(at.taken)
    for await (const listed of listCrm(zoho, { module, fields, from: at.from ? new Date(at.from) : null, runId: run.id }, run.signal)) {
      const page = listed.filter((row) => !taken.has(rowKey(row)))
      if (page.length === 0) continue
      at = advance(at, page, { zoho: zoho.serverTime(), ours: clock.now() })
      await run.fenced(async (tx) => {
        const rows = [...new Map(page.map((row) => [row.id, toRow(row)])).values()]
        const written = await upsertRecords(tx, scope, rows, { runId: run.id, at: clock.now() })
        count(scope.module, { total: rows.length, new: written.new, updated: written.updated, unchanged: written.unchanged })
        if (at.mode === 'full') {
          const number = index * PAGES_A_MODULE + at.pages
          const ids = rows.map((row) => row.record_id)
          await tx.runPage.upsert({
            where: { run_id_number: { run_id: run.id, number } },
            create: { run_id: run.id, number, ids },
            update: { ids },
          })
        }
        await run.saveCheckpoint(tx, at, counts)
      })
      run.report({ statistics: counts, progress: { phase: scope.module, done: counts[`${scope.module}_total`] ?? 0, waiting: null } })
    }

    const since = at.mode === 'full' || !known?.succeeded_at ? null : new Date(known.succeeded_at.getTime() - DELETIONS_OVERLAP_MS)
    for await (const page of listCrmDeletions(zoho, { module, from: since, runId: run.id }, run.signal)) {
      await run.fenced(async (tx) => {
        const removed = await markDeleted(
          tx,
          scope,
          page.map(({ id }) => id),
          { runId: run.id, at: clock.now() },
        )
        count(scope.module, { removed })
        await run.saveCheckpoint(tx, at, counts)
      })
    }
    const end: Checkpoint = { ...at, done: [...at.done, module], module: null }
    await run.fenced(async (tx) => {
      if (at.mode === 'full') await removeUnlisted(tx, module, index)
      const done = { up_to: at.newest, succeeded_at: began, run_id: run.id, ...(at.mode === 'full' && { full_at: began }) }
      const name = watermarkOf(module)
      await tx.watermark.upsert({ where: { name }, create: { name, ...done }, update: done })
      // The record is back in the CRM: if it disappears again, that is reported again.
      await tx.failure.updateMany({
        where: { stage: `crm:${scope.module}`, code: MODULE_MISSING, resolved_at: null },
        data: { resolved_at: clock.now() },
      })
      await run.saveCheckpoint(tx, end, counts)
    })
    return end
  }

  /**
   * Whatever a complete pass did not list is deleted, even if the list of deletions no longer
   * reaches back that far.
   */
  async function removeUnlisted(tx: Parameters<Parameters<RunContext['fenced']>[0]>[0], module: CrmModule, index: number): Promise<void> {
    const scope = placeOf(module)
    const first = index * PAGES_A_MODULE
    const gone = await tx.$queryRaw<{ record_id: string }[]>`
      select record_id from zoho_record where app = ${scope.app} and module = ${scope.module} and deleted_at is null
      except select unnest(ids) from run_page where run_id = ${run.id}::uuid and number >= ${first} and number < ${first + PAGES_A_MODULE}`
    if (gone.length === 0) return
    const all = await tx.zohoRecord.count({ where: { ...scope, deleted_at: null } })
    if (gone.length > MAX_GONE && gone.length > all * MAX_GONE_SHARE) {
      counts.stopped = (counts.stopped ?? 0) + gone.length
      await run.fail(tx, [
        {
          stage: `crm:${scope.module}`,
          ...noted('mass_delete_stopped.crm', { removed: gone.length, known: all, module: scope.module }),
        },
      ])
      return
    }
    const removed = await markDeleted(
      tx,
      scope,
      gone.map(({ record_id }) => record_id),
      { runId: run.id, at: clock.now() },
    )
    count(scope.module, { removed })
  }

  function count(module: string, more: Record<string, number>): void {
    for (const [key, value] of Object.entries(more)) {
      counts[key] = (counts[key] ?? 0) + value
      counts[`${module}_${key}`] = (counts[`${module}_${key}`] ?? 0) + value
    }
  }
}

const MODULE_MISSING = 'crm_module_missing'
const isMissingModule = (error: AppError): boolean => zohoCodeOf(error) === INVALID_MODULE

/**
 * Scopes and permissions concern one module; sign-in, client and organization concern all of them.
 */
const wholeAccount = (error: AppError): boolean => error instanceof ConfigurationError && error.code !== 'scope_missing'

const toRow = ({ id, modifiedAt, record }: CrmRecord) => ({
  record_id: id,
  raw: JSON.stringify(record),
  modified_at: modifiedAt,
  search: searchText(record),
})

const rowKey = (row: CrmRecord): string => `${row.id} ${row.modifiedAt.getTime()}`

/** The checkpoint after a page: the last second is read again, without the rows remembered here. */
function advance(at: Checkpoint, page: CrmRecord[], clocks: { zoho: Date | null; ours: Date }): Checkpoint {
  const last = Math.max(...page.map((row) => row.modifiedAt.getTime()))
  const newest = capCursor(new Date(last).toISOString(), clocks)
  const from = Math.max(last, at.from ? Date.parse(at.from) : 0)
  const recent = page.filter((row) => row.modifiedAt.getTime() >= from - 1_000).map(rowKey)
  const still = at.from && from - Date.parse(at.from) <= 1_000 ? at.taken : []
  return {
    ...at,
    newest: new Date(Math.max(Date.parse(newest), at.newest ? Date.parse(at.newest) : 0)).toISOString(),
    from: new Date(from).toISOString(),
    pages: at.pages + 1,
    taken: [...still, ...recent],
  }
}
