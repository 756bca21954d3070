import { integrationDisabled } from '../../connection/connection.ts'
import type { Database, Db } from '../../database/client.ts'
import { Prisma, type Run, type Schedule } from '../../generated/client.ts'
import { BadRequestError, ConflictError } from '../../lib/errors.ts'
import { knownTimeZone } from '../../lib/local-time.ts'
import type { Params } from '../../messages/message.ts'
import { PULL } from '../../pulls/checkpoint.ts'
import type { Runs } from '../../runs/runs.ts'
import type { ScheduleMode, Scheduler } from '../../runs/scheduler.ts'
import type { ModuleSelection, SyncPart, ZohoModule } from '../../schemas/zoho-settings.ts'
import { type Actor, recordAudit } from '../../settings/audit-log.ts'
import { enabledModules, MODULES, type Module, type ModuleSlug, moduleOf, setModuleEnabled } from '../../settings/modules.ts'
import { CRM_SYNC } from '../crm/crm-sync-run.ts'
import { FOLLOW_UPS } from '../follow-ups.ts'
import { ITEM_SYNC } from '../items/item-sync-run.ts'
import { changeSelection, offeredBy, readSelection, selectionParams } from './selection.ts'
import { moveCursor, readCursor } from './watermark.ts'

const BY_SCHEDULE = 'schedule'
/** A part is read in a few calls, unless a limit holds them up. */
const MAX_WAIT_MS = 20_000

export const KINDS: Record<ModuleSlug, string> = { crm: CRM_SYNC, books: PULL, inventory: ITEM_SYNC, invoice: PULL }

/** Kinds of runs that a sync of a module starts, with those that follow a full one. */
export const kindsOf = (slug: ModuleSlug, mode: string): string[] =>
  mode === 'stock'
    ? [FOLLOW_UPS.stock.kind]
    : [KINDS[slug], ...(slug === 'inventory' && mode === 'full' ? Object.values(FOLLOW_UPS).map(({ kind }) => kind) : [])]

export interface ModulesDeps {
  db: Database
  runs: Runs
  scheduler: Scheduler
  isEnabled(): Promise<boolean>
  /** The time zone of the shop as Zoho reports it; null before that is known. */
  shopZone(): Promise<string | null>
  /** False while stock by location has used more of its share than of the day has passed. */
  isStockWithinPace(): Promise<boolean>
}

/** What a sync by hand reads. */
export interface SyncChoice {
  mode?: Exclude<ScheduleMode, 'stock'> | undefined
  /** Only this part of Zoho Inventory. */
  only?: SyncPart | undefined
}

export interface ModuleChange {
  enabled?: boolean | undefined
  schedule?: string | null | undefined
  full_schedule?: string | null | undefined
  stock_schedule?: string | null | undefined
  selection?: { [Key in keyof ModuleSelection]?: ModuleSelection[Key] | undefined } | undefined
}

export type ZohoModules = ReturnType<typeof createModules>

/**
 * The four Zoho modules as an operator sees them: whether each is on, its schedule, and the real
 * sync behind it.
 */
export function createModules({ db, runs, scheduler, isEnabled, shopZone, isStockWithinPace }: ModulesDeps) {
  const zone = async () => knownTimeZone(await shopZone())

  async function paramsOf(slug: ModuleSlug, mode: SyncChoice['mode']): Promise<Prisma.InputJsonObject> {
    const chosen = selectionParams(slug, await readSelection(db, slug))
    if (slug === 'inventory') return { ...(mode && { mode }), ...chosen, dry_run: false, confirm_removals: false }
    if (slug === 'crm') return { ...(mode && { mode }) }
    return { app: slug, ...chosen, ...(mode === 'full' && { full: true }) }
  }

  /**
   * Condition for the runs that sync a module: real ones from Zoho, no dry runs and no file
   * imports. A missing key is null in SQL, hence coalesce.
   */
  function isOf(slug: ModuleSlug): Prisma.Sql {
    const app = KINDS[slug] === PULL ? Prisma.sql`and coalesce(params->>'app', 'books') = ${slug}` : Prisma.empty
    return Prisma.sql`kind = ${KINDS[slug]} and coalesce(params->>'dry_run', 'false') <> 'true' and coalesce(params->>'source', 'api') <> 'file' ${app}`
  }

  const isMode = (mode: ScheduleMode): Prisma.Sql =>
    Prisma.sql`coalesce(params->>'mode', case when params->>'full' = 'true' then 'full' else 'incremental' end) = ${mode}`

  async function shown(module: Module, { enabled, planned }: { enabled: boolean; planned: Schedule[] }): Promise<ZohoModule> {
    const { slug, name, description, suggested } = module
    const [last] = await db.$queryRaw<Run[]>`select * from run where ${isOf(slug)} order by created_at desc limit 1`
    const [success] = await db.$queryRaw<
      { at: Date | null }[]
    >`select max(finished_at) as at from run where ${isOf(slug)} and state = 'success'`
    const mine = planned.filter((it) => it.module === slug)
    const next = mine.map((it) => it.next_at.getTime()).sort((a, b) => a - b)[0]
    return {
      name,
      slug,
      enabled,
      description,
      schedule: mine.find((it) => it.mode === 'incremental')?.cron ?? null,
      full_schedule: mine.find((it) => it.mode === 'full')?.cron ?? null,
      stock_schedule: mine.find((it) => it.mode === 'stock')?.cron ?? null,
      suggested,
      last_sync: success?.at?.toISOString() ?? null,
      last_run: last ? await shownRun(last) : null,
      next_run: enabled && next !== undefined ? new Date(next).toISOString() : null,
      selection: await readSelection(db, slug),
      offered: offeredBy(slug),
      cursor: (await readCursor(db, slug))?.toISOString() ?? null,
    }
  }

  async function list(): Promise<ZohoModule[]> {
    const enabled = await enabledModules(db)
    const planned = await scheduler.list()
    return Promise.all(MODULES.map((module) => shown(module, { enabled: enabled.get(module.slug) ?? false, planned })))
  }

  /** Runs in the transaction of a larger change; returns the names of what changed. */
  async function apply(tx: Db, module: Module, change: ModuleChange, shopsZone: string): Promise<string[]> {
    const changed: string[] = []
    if (change.enabled !== undefined && change.enabled !== (await enabledModules(tx)).get(module.slug)) {
      await setModuleEnabled(tx, module.slug, change.enabled)
      changed.push('enabled')
    }
    if (change.selection) {
      const enabled = (await enabledModules(tx)).get(module.slug) ?? false
      if (await changeSelection(tx, module.slug, change.selection, { enabled })) changed.push('selection')
    }
    for (const [field, mode] of [
      ['schedule', 'incremental'],
      ['full_schedule', 'full'],
      ['stock_schedule', 'stock'],
    ] as const) {
      const cron = change[field]
      if (cron === undefined) continue
      const line = cron === null || cron.trim() === '' ? null : cron.trim().replace(/\s+/g, ' ')
      if (mode === 'stock' && module.slug !== 'inventory') {
        // The settings as GET shows them have a null here, and may be sent back.
        if (line === null) continue
        throw new BadRequestError('invalid_selection.part', { field })
      }
      if (await scheduler.set(tx, { module: module.slug, mode, cron: line, zone: shopsZone })) changed.push(field)
    }
    return changed
  }

  async function start(module: Module, { mode, only }: SyncChoice, startedBy: string): Promise<{ run_id: string; kind: string }> {
    if (only && module.slug !== 'inventory') throw new BadRequestError('invalid_sync_part', { only, module: module.slug })
    if (!(await isEnabled())) throw integrationDisabled()
    if (!(await enabledModules(db)).get(module.slug)) {
      throw new ConflictError('module_disabled', { module: module.slug, name: module.name })
    }
    if (only) {
      const { kind } = FOLLOW_UPS[only]
      const { sync_images: images } = await readSelection(db, module.slug)
      return { run_id: await startPart(kind, { mode: mode ?? 'full', images: images ?? true }, startedBy), kind }
    }
    const kind = KINDS[module.slug]
    return { ...(await runs.start(kind, await paramsOf(module.slug, mode), { startedBy, sameTrace: startedBy === BY_SCHEDULE })), kind }
  }

  /**
   * Starts a run of a part. One that a full sync has queued takes these parameters instead; one
   * that is running has begun before, so it is waited for.
   */
  async function startPart(kind: string, params: Prisma.InputJsonObject, startedBy: string): Promise<string> {
    const [queued] = await db.run.updateManyAndReturn({
      where: { kind, state: 'queued', started_at: null },
      data: { params, started_by: startedBy },
    })
    if (queued) {
      await runs.resumeHere(queued.id)
      return queued.id
    }
    const running = await db.run.findFirst({ where: { kind, state: 'running' }, select: { id: true } })
    if (running) await runs.wait(running.id, AbortSignal.timeout(MAX_WAIT_MS)).catch(() => {}) // then start refuses
    return (await runs.start(kind, params, { startedBy })).run_id
  }

  return {
    list,
    zone,

    async one(nameOrSlug: string): Promise<ZohoModule> {
      const { slug } = moduleOf(nameOrSlug)
      return (await list()).find((it) => it.slug === slug)!
    },

    /**
     * For a larger change of the settings: returns what to do in its transaction. Throws
     * NotFoundError, BadRequestError `invalid_schedule`.
     */
    async changes(
      requested: (ModuleChange & { slug?: string | undefined; name?: string | undefined })[],
    ): Promise<(tx: Db) => Promise<string[]>> {
      const shopsZone = await zone()
      const each = requested.map((it) => ({ module: moduleOf(it.slug ?? it.name ?? ''), change: it }))
      return async (tx) => {
        const changed: string[] = []
        for (const { module, change } of each)
          changed.push(...(await apply(tx, module, change, shopsZone)).map((field) => `modules.${module.slug}.${field}`))
        return changed
      }
    },

    /** Throws NotFoundError `module_not_found`, BadRequestError `invalid_schedule`. */
    async change(nameOrSlug: string, change: ModuleChange, actor: Actor): Promise<ZohoModule> {
      const module = moduleOf(nameOrSlug)
      const shopsZone = await zone()
      await db.$transaction(async (tx) => {
        const fields = await apply(tx, module, change, shopsZone)
        if (fields.length > 0) await recordAudit(tx, { ...actor, action: 'module.change', target: `zoho.${module.slug}`, fields })
      })
      return this.one(module.slug)
    },

    /**
     * Throws NotFoundError `module_not_found`, ConflictError `sync_running`, BadRequestError
     * `cursor_ahead`.
     */
    async moveCursor(nameOrSlug: string, upTo: Date | null, actor: Actor): Promise<ZohoModule> {
      const { slug } = moduleOf(nameOrSlug)
      await moveCursor(db, slug, { kind: KINDS[slug], upTo })
      await recordAudit(db, { ...actor, action: 'module.cursor', target: `zoho.${slug}`, fields: ['cursor'] })
      return this.one(slug)
    },

    /**
     * Starts a real sync. Throws ConflictError `module_disabled`, `integration_disabled`,
     * `sync_running`, BadRequestError `invalid_sync_part`.
     */
    start: (nameOrSlug: string, choice: SyncChoice, startedBy: string) => start(moduleOf(nameOrSlug), choice, startedBy),

    /**
     * Starts a scheduled sync. A module that is off is skipped, and so is what a running sync does
     * anyway. Another sync in the way is waited for (returns false), so that a full one is not lost
     * to an incremental one of the same minute, nor Invoice to Books.
     */
    async startDue({ module, mode, since }: { module: string; mode: ScheduleMode; since: Date | null }): Promise<boolean> {
      const it = moduleOf(module)
      const isSame = mode === 'stock' ? Prisma.sql`kind = ${FOLLOW_UPS.stock.kind}` : Prisma.sql`${isOf(it.slug)} and ${isMode(mode)}`
      if (since) {
        const [begun] = await db.$queryRaw<{ id: string }[]>`
          select id from run where ${isSame} and started_by = ${BY_SCHEDULE} and created_at >= ${since} limit 1`
        if (begun) return true
      }
      // A later slot reads it: the share of the day is for the whole day.
      if (mode === 'stock' && !(await isStockWithinPace())) return true
      try {
        await start(it, mode === 'stock' ? { only: 'stock', mode: 'incremental' } : { mode }, BY_SCHEDULE)
        return true
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        if (error.code !== 'sync_running') return true
        const [covered] = await db.$queryRaw<{ id: string }[]>`
          select id from run where ${mode === 'incremental' ? isOf(it.slug) : isSame} and state in ('queued', 'running', 'paused') limit 1`
        return covered !== undefined
      }
    },
  }

  async function shownRun(run: Run): Promise<NonNullable<ZohoModule['last_run']>> {
    // Every kind of run makes calls, but not every kind counts them. Old rows are deleted from the
    // log of calls; then only the run's own count is left.
    const logged = await db.zohoCall.count({ where: { run_id: run.id } })
    return {
      id: run.id,
      state: run.state,
      mode: modeOf(run),
      started_at: run.started_at?.toISOString() ?? null,
      finished_at: run.finished_at?.toISOString() ?? null,
      cause: run.cause,
      code: run.failure_code,
      failure_params: run.failure_params as Params | null,
      listed: counted(run, 'total'),
      failed: counted(run, 'failed', 'images_failed'),
      calls: run.finished_at === null ? null : Math.max(logged, counted(run, 'api_calls') ?? 0),
    }
  }
}

function modeOf(run: Run): string | null {
  const named = (value: Prisma.JsonValue) =>
    typeof value === 'object' && value !== null && 'mode' in value && typeof value.mode === 'string' ? value.mode : null
  return named(run.checkpoint) ?? named(run.params)
}

/** The sum of these figures of an ended run; null where it does not have the first. */
function counted(run: Run, first: string, ...more: string[]): number | null {
  const figures = run.statistics as Record<string, unknown>
  if (run.finished_at === null || typeof figures[first] !== 'number') return null
  return [first, ...more].reduce((sum, name) => sum + (typeof figures[name] === 'number' ? figures[name] : 0), 0)
}
