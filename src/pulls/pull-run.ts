import type { Logger } from 'pino'
import { z } from 'zod'
import type { Database, Db } from '../database/client.ts'
import { isConnectionError } from '../database/errors.ts'
import type { BooksModule } from '../facts/books-modules.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError } from '../lib/errors.ts'
import { around, say } from '../messages/say.ts'
import { becauseOf, failureOf } from '../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../runs/run-handler.ts'
import { pausedUntil } from '../runs/run-handler.ts'
import { type ManifestFile, PullRequest, type SessionInfo } from '../schemas/pulls.ts'
import type { ZohoClient } from '../zoho/client.ts'
import { RateLimitedError } from '../zoho/errors.ts'
import type { RateLimitWait } from '../zoho/rate-limiter.ts'
import {
  type ModuleProgress,
  moduleResult,
  modulesOf,
  newModuleState,
  PULL,
  PullCheckpoint,
  pageRange,
  wantsDetails,
} from './checkpoint.ts'
import { type PullPaths, sessionName } from './files/paths.ts'
import { createSessionWriter, newFolder, type SessionWriter } from './files/session-writer.ts'
import { rangeOf } from './incremental-range.ts'
import { removeMissing } from './phases/deletions.ts'
import { fetchPendingDetails } from './phases/details.ts'
import { listModule } from './phases/list.ts'
import { readRecords, type Selection, writeModuleFiles } from './phases/write-files.ts'

export interface PullDeps {
  db: Database
  clock: Clock
  log: Logger
  paths: PullPaths
  /**
   * Opened when a run begins, so that changed settings apply immediately. Throws ConfigurationError
   * when Zoho is not set up.
   */
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
  /** Concurrent detail calls. */
  concurrency: number
}

/**
 * Pulls modules of Books or Invoice into PostgreSQL and files, one after another. What is listed,
 * changed and pending is in the database, so a crashed run resumes there, and the files are written
 * from it at the end.
 */
export function createPull(deps: PullDeps): RunHandler {
  return {
    kind: PULL,
    exclusiveKey: PULL,
    execute: (run) => pull(run, deps),
  }
}

/** One run of a pull; the progress of all modules is one value, saved with each write. */
async function pull(run: RunContext, deps: PullDeps): Promise<RunOutcome> {
  const { db, clock, paths } = deps
  const request = PullRequest.parse(run.params)
  const modules = modulesOf(request)
  const zoho = await deps.openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  let at = run.checkpoint === null ? null : PullCheckpoint.parse(run.checkpoint)
  if (!at) {
    const started = clock.now()
    const stamp = await newFolder(paths, { now: started, session: request.session })
    at = { mode: request.full ? 'full' : 'incremental', stamp, started_at: started.toISOString(), modules: modules.map(newModuleState) }
    const first = at
    await run.fenced((tx) => run.saveCheckpoint(tx, first))
  }
  let checkpoint: PullCheckpoint = at
  const writer = createSessionWriter(paths, { stamp: checkpoint.stamp, session: request.session })
  await writer.prepare()

  const statistics = () => countUp(checkpoint.modules)
  const progressOf = (module: BooksModule) => checkpoint.modules.find((it) => it.module === module.name)!
  /** In the transaction that wrote what the progress describes. */
  const save = async (tx: Db, progress: ModuleProgress) => {
    checkpoint = { ...checkpoint, modules: checkpoint.modules.map((it) => (it.module === progress.module ? progress : it)) }
    await run.saveCheckpoint(tx, checkpoint, statistics())
  }
  const step = (progress: ModuleProgress) => run.fenced((tx) => save(tx, progress))
  const info = async (status: SessionInfo['status'], more: Partial<SessionInfo> = {}): Promise<SessionInfo> => ({
    session: sessionName(checkpoint.stamp),
    stamp: checkpoint.stamp,
    app: request.app,
    run_id: run.id,
    organization_id: zoho.organizationId ?? '',
    status,
    started_at: checkpoint.started_at,
    finished_at: null,
    resumes_at: null,
    started_by: (await db.run.findUnique({ where: { id: run.id }, select: { started_by: true } }))?.started_by ?? null,
    full: request.full,
    since: request.since ? new Date(request.since).toISOString() : null,
    line_items: request.line_items,
    api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
    modules: checkpoint.modules.map(moduleResult),
    ...more,
  })

  await writer.note(clock.now(), run.checkpoint === null ? 'started' : 'resumed', { modules: modules.map((it) => it.name) })
  await writer.saveInfo(await info('running'))
  let signInFailed: ModuleProgress['error'] = null
  // The organization first: its zone says what the others' times without an offset mean.
  for (const module of [...modules].sort((a, b) => Number(b.name === 'organizations') - Number(a.name === 'organizations'))) {
    const before = progressOf(module)
    if (before.state === 'success' || before.state === 'failed') continue
    const zone = await pulledTimeZone(db, zoho.organizationId)
    if (zone !== null) zoho.setTimeZone(zone)
    try {
      // Sign-in fails: every further module would only request another token.
      if (signInFailed) throw signInFailed
      await writer.note(clock.now(), 'module started', { module: module.name })
      const done = await pullModule(run, before, { ...deps, zoho, request, module, writer, save, step })
      await writer.note(clock.now(), 'module succeeded', { module: module.name, listed: done.listed, files: done.files })
    } catch (error) {
      run.signal.throwIfAborted()
      // Not an error of the module: the pull resumes here when the database is back.
      if (isConnectionError(error)) throw error
      if (error instanceof RateLimitedError) {
        await writer.note(clock.now(), 'paused', { module: module.name, resumes_at: error.resetsAt.toISOString() })
        await writer.saveInfo(await info('paused', { resumes_at: error.resetsAt.toISOString() }))
        return pausedUntil(error, 'run_paused.pull')
      }
      const why: NonNullable<ModuleProgress['error']> = signInFailed ?? inWords(error)
      if (!(error instanceof AppError) && error !== signInFailed)
        deps.log.error({ err: error, run_id: run.id, module: module.name }, 'module failed')
      if (SIGN_IN.has(why.code)) signInFailed = why
      await run.fenced(async (tx) => {
        await run.fail(tx, [
          { stage: module.name, code: why.code, zoho_code: why.zoho_code, message: why.message, params: why.params ?? undefined },
        ])
        await save(tx, { ...progressOf(module), state: 'failed', error: why })
      })
      await writer.note(clock.now(), 'module failed', { module: module.name, ...why })
    }
    await writer.saveInfo(await info('running'))
    run.report({ statistics: statistics(), progress: { waiting: null } })
  }

  const failed = checkpoint.modules.filter((it) => it.state === 'failed')
  const finished_at = clock.now().toISOString()
  const status = failed.length > 0 ? 'incomplete' : 'complete'
  const files = checkpoint.modules.flatMap((it) => it.files)
  await writer.note(clock.now(), status)
  await writer.publish(await info(status, { finished_at }), { session: sessionName(checkpoint.stamp), created_at: finished_at, files })
  const [first] = failed
  if (!first) return { state: 'success' }
  const { code = 'internal', message = '', remedy, params } = first.error ?? {}
  const said = { code, message, remedy: remedy ?? undefined, params: params ?? {} }
  return {
    state: failed.length === modules.length ? 'failed' : 'partial',
    ...becauseOf(around(said, 'around.modules_failed', { modules: failed.map((it) => it.module) })),
  }
}

/** The organization's time zone as a pull last read it. */
async function pulledTimeZone(db: Db, organizationId: string | null | undefined): Promise<string | null> {
  const record = await db.zohoRecord.findFirst({
    where: { module: 'organizations', record_id: organizationId ?? '', deleted_at: null },
    select: { raw: true },
  })
  return z.object({ time_zone: z.string().min(1) }).safeParse(JSON.parse(record?.raw ?? 'null')).data?.time_zone ?? null
}

/** Codes of a sign-in that fails for every module alike. */
const SIGN_IN = new Set([
  'invalid_client',
  'invalid_client_secret',
  'invalid_code',
  'invalid_grant',
  'oauth_failed',
  'zoho_unreachable',
  'unknown_organization',
])

function inWords(error: unknown): NonNullable<ModuleProgress['error']> {
  const said = error instanceof AppError ? error : say('internal.module')
  return { ...failureOf(said), remedy: said.remedy ?? null }
}

function countUp(modules: ModuleProgress[]): Record<string, number> {
  const sum = (of: (it: ModuleProgress) => number) => modules.reduce((total, it) => total + of(it), 0)
  return {
    modules: modules.length,
    modules_done: modules.filter((it) => it.state === 'success').length,
    modules_failed: modules.filter((it) => it.state === 'failed').length,
    total: sum((it) => it.listed),
    new: sum((it) => it.new),
    updated: sum((it) => it.updated),
    removed: sum((it) => it.removed),
    records: sum((it) => moduleResult(it).records),
    line_items: sum((it) => moduleResult(it).line_items ?? 0),
  }
}

interface ModulePull extends PullDeps {
  zoho: ZohoClient
  request: PullRequest
  module: BooksModule
  writer: SessionWriter
  save(tx: Db, progress: ModuleProgress): Promise<void>
  step(progress: ModuleProgress): Promise<void>
}

/**
 * List, details, removals, files: each phase begins where the progress says, and the watermark
 * moves at the end of the last.
 */
async function pullModule(run: RunContext, start: ModuleProgress, deps: ModulePull): Promise<ModuleProgress> {
  const { db, clock, zoho, request, module, save, step } = deps
  const scope = { app: request.app, module: module.name }
  const range = pageRange(module)
  const details = wantsDetails(module, request)
  const staged = module.lineItems && !details
  const live = { app: scope.app, module: scope.module, deleted_at: null }
  let progress = start

  if (progress.state === 'waiting') {
    const listing = await rangeOf(db, request, module, clock.now())
    // A full pass corrects the cursor, whatever it was.
    progress = { ...progress, ...listing, newest: listing.mode === 'full' ? null : listing.newest, state: 'listing' }
    await step(progress)
  }
  if (progress.state === 'listing') {
    const known = await db.zohoRecord.count({ where: live })
    // The total is known only where all records are listed again, and only roughly: Zoho does not
    // report it.
    const expected = progress.mode === 'full' && known > 0 ? known : undefined
    const show = ({ listed }: ModuleProgress) =>
      run.report({ progress: { phase: module.name, done: listed, total: expected && Math.max(expected, listed), waiting: null } })
    const from = progress.since === null ? null : new Date(progress.since)
    progress = await listModule(run, progress, { zoho, clock, request, module, scope, from, known, save, show })
    progress = { ...progress, state: 'details' }
    await step(progress)
  }
  if (progress.state === 'details') {
    if (details) {
      const among = progress.mode === 'since' ? { runId: run.id, ...range } : undefined
      const total = await db.zohoRecord.count({ where: { ...live, needs_detail: true } })
      let done = 0
      const onDone = () => run.report({ progress: { phase: `${module.name} details`, done: ++done, total, waiting: null } })
      const phase = { zoho, clock, module, scope, changedIn: progress.changed_in, concurrency: deps.concurrency }
      const { removed, failed } = await fetchPendingDetails(run, phase, { among, onDone })
      progress = { ...progress, removed: progress.removed + removed }
      const [first] = failed
      if (first)
        throw Object.assign(
          first.error,
          around(first.error, 'around.records_failed', { failed: failed.length, module: module.name, id: first.id }),
        )
    }
    progress = { ...progress, state: 'removals' }
    await step(progress)
  }
  if (progress.state === 'removals') {
    if (progress.mode === 'full') {
      const removed = await removeMissing(run, { zoho, clock, module, scope, confirmed: request.confirm_removals })
      progress = { ...progress, removed: progress.removed + removed }
    }
    progress = { ...progress, state: 'files' }
    await step(progress)
  }
  const selection: Selection = staged
    ? { of: 'staged', runId: run.id }
    : progress.mode === 'full'
      ? { of: 'all' }
      : progress.mode === 'since'
        ? { of: 'listed', runId: run.id, ...range }
        : { of: 'changed', since: progress.changed_in - 1 }
  const { writer } = deps
  const files: ManifestFile[] = await writeModuleFiles(readRecords(db, scope, selection), module, {
    root: writer.root,
    inner: writer.folder.inner,
    lineItems: details,
  })
  run.signal.throwIfAborted()
  // After a crash before this, the same files are written again; after it, the module is finished.
  await run.fenced(async (tx) => {
    await moveWatermark(tx, progress, { request, module, runId: run.id, at: clock.now() })
    await tx.runPage.deleteMany({ where: { run_id: run.id, number: { gte: range.from, lte: range.to } } })
    await tx.pullRow.deleteMany({ where: { run_id: run.id, module: module.name } })
    progress = { ...progress, state: 'success', cursor: null, files }
    await save(tx, progress)
  })
  return progress
}

/**
 * A pull with `since` moves the watermark only where it leaves no gap: a gap would never be listed
 * again.
 */
async function moveWatermark(
  tx: Db,
  { mode, since, newest, changed_in }: ModuleProgress,
  { request, module, runId, at }: { request: PullRequest; module: BooksModule; runId: string; at: Date },
): Promise<void> {
  const key = { app: request.app, module: module.name }
  const known = await tx.pullModule.findUnique({ where: { app_module: key } })
  const gap = mode === 'since' && (!known?.up_to || Date.parse(since!) > known.up_to.getTime())
  const data = {
    succeeded_at: at,
    run_id: runId,
    ...(!gap && { up_to: newest }),
    ...(mode === 'full' && { full_at: at }),
    // Records that had changed earlier are not in any file yet.
    ...(mode !== 'since' && { pull_count: changed_in }),
  }
  await tx.pullModule.upsert({ where: { app_module: key }, create: { ...key, ...data }, update: data })
}
