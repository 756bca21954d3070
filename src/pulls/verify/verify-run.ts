import { join } from 'node:path'
import { z } from 'zod'
import type { Database } from '../../database/client.ts'
import type { BooksModule } from '../../facts/books-modules.ts'
import type { Clock } from '../../lib/clock.ts'
import { makePrivateFolder } from '../../lib/data-dir.ts'
import { AppError, NotFoundError } from '../../lib/errors.ts'
import { around, messageOf } from '../../messages/say.ts'
import { because, becauseOf } from '../../runs/because.ts'
import type { RunContext, RunHandler, RunOutcome } from '../../runs/run-handler.ts'
import { type ModuleReport, PULL_APPS, PullModule, type VerifyReport } from '../../schemas/pulls.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { QuotaExceededError } from '../../zoho/errors.ts'
import type { RateLimitWait } from '../../zoho/rate-limiter.ts'
import { type ModuleScope, modulesOf, PULL } from '../checkpoint.ts'
import { chooseSources, fileHistory, type ModuleSource, type Source } from '../files/find-sessions.ts'
import { readFileState } from '../files/inspect-file.ts'
import { writeWhole } from '../files/json-array-writer.ts'
import { type PullPaths, stampOf } from '../files/paths.ts'
import { countRecords } from '../records/query.ts'
import { reportText } from './format-report.ts'
import { keepDifferentRows, repairModule } from './repair.ts'
import { compareWithDatabase, differencesOf, listForVerify, reportOf } from './verify-module.ts'

export const PULL_VERIFY = 'pull_verify'
export const PULL_REPAIR = 'pull_repair'

export const VerifyParams = z.object({
  app: z.enum(PULL_APPS).default('books'),
  session: z.string().optional(),
  directory: z.string().optional(),
  modules: z.array(PullModule).optional(),
  quick: z.boolean().default(false),
})
export type VerifyParams = z.infer<typeof VerifyParams>

/** The path of a finished check's report; the run's checkpoint. */
export const VerifyCheckpoint = z.object({ mode: z.string(), report: z.string() })

export interface VerifyDeps {
  db: Database
  clock: Clock
  paths: PullPaths
  openZoho(onWait: (wait: RateLimitWait) => void): Promise<ZohoClient>
  concurrency: number
}

/**
 * Checks the files against Zoho (or, in a quick check, only against the database); `pull_repair`
 * also repairs what differs. Neither runs during a pull.
 */
export function createVerify(deps: VerifyDeps, kind: typeof PULL_VERIFY | typeof PULL_REPAIR): RunHandler {
  return { kind, exclusiveKey: PULL, execute: (run) => verify(run, deps, kind === PULL_REPAIR) }
}

async function verify(run: RunContext, deps: VerifyDeps, repair: boolean): Promise<RunOutcome> {
  const { db, clock, paths } = deps
  const given = VerifyParams.parse(run.params)
  const params = { ...given, quick: given.quick && !repair }
  const sources = await chooseSources(paths, params)
  const newest = sources.at(-1) ?? null
  const zoho = params.quick
    ? null
    : await deps.openZoho((wait) => run.report({ progress: { waiting: { ...wait, until: wait.until.toISOString() } } }))
  const modules = await modulesToCheck(db, params, sources)
  const reports: ModuleReport[] = []
  for (const [n, module] of modules.entries()) {
    run.report({ progress: { phase: `${repair ? 'repair' : 'verify'} ${module.name}`, done: n, total: modules.length, waiting: null } })
    try {
      reports.push(await checkModule(run, { ...deps, zoho, module, app: params.app, sources, repair }))
    } catch (error) {
      run.signal.throwIfAborted()
      if (error instanceof QuotaExceededError)
        return {
          state: 'paused',
          resumes_at: error.resetsAt,
          ...becauseOf(error),
          remedy: 'It begins again then.',
        }
      if (!(error instanceof AppError)) throw error
      reports.push(unread(module, error))
    }
  }
  const report: VerifyReport = {
    session: newest?.session ?? null,
    checked_at: clock.now().toISOString(),
    quick: params.quick,
    repair,
    ok: reports.every((it) => it.ok),
    api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
    modules: reports,
  }
  const path = await saveReport(paths, newest, report)
  await run.fenced((tx) =>
    run.saveCheckpoint(
      tx,
      { mode: params.quick ? 'quick' : 'full', report: path },
      {
        modules: reports.length,
        modules_failed: reports.filter((it) => !it.ok).length,
        records: reports.reduce((sum, it) => sum + it.records, 0),
        repaired: reports.reduce((sum, it) => sum + (it.repaired?.fetched ?? 0) + (it.repaired?.removed ?? 0), 0),
      },
    ),
  )
  run.report({ progress: { phase: repair ? 'repair' : 'verify', done: modules.length, total: modules.length } })
  if (report.ok) return { state: 'success' }
  const wrong = reports.filter((it) => !it.ok)
  return {
    state: 'partial',
    ...because(repair ? 'differs.repaired' : 'differs', {
      found: wrong.map(({ module, findings }) => ({ module, problem: findings?.[0] ?? '' })),
    }),
  }
}

/**
 * Returns the requested modules; without any, those of the session or folder; otherwise every
 * module, since one that was never pulled is a finding, too.
 */
async function modulesToCheck(db: Database, params: VerifyParams, sources: Source[]): Promise<BooksModule[]> {
  const all = modulesOf({ app: params.app, modules: params.modules })
  if (params.modules) return all
  const named =
    params.session !== undefined || params.directory !== undefined ? sources.at(-1)?.info?.modules.map((it) => it.module) : undefined
  if (named) return all.filter((it) => named.includes(it.name))
  if (!params.quick && params.directory === undefined) return all
  // Without a call to Zoho it is unknown whether a module that was never pulled has any records.
  const chains = await Promise.all(all.map((module) => fileHistory(sources, module)))
  const records = params.directory === undefined ? await countRecords(db, params.app) : new Map<string, unknown>()
  const some = all.filter((module, n) => chains[n]!.length > 0 || records.has(module.name))
  if (some.length === 0) throw new NotFoundError('no_data')
  return some
}

interface ModuleCheck extends VerifyDeps {
  /** Null: a quick check. */
  zoho: ZohoClient | null
  module: BooksModule
  app: VerifyParams['app']
  sources: Source[]
  repair: boolean
}

async function checkModule(run: RunContext, deps: ModuleCheck): Promise<ModuleReport> {
  const { db, zoho, module, app, sources, repair } = deps
  const scope: ModuleScope = { app, module: module.name }
  const chain = await fileHistory(sources, module)
  // Without Zoho there is no time to compare those of the files with.
  const reading = { timeZone: zoho?.timeZone() ?? 'UTC', signal: run.signal }
  const state = await readFileState(module, chain, reading)
  const database = await compareWithDatabase(db, module, scope, { state, chain })
  const kept = new Set<string>()
  const onRows = async (rows: Parameters<typeof keepDifferentRows>[3]) => {
    if (repair) await keepDifferentRows(run, { ...deps, scope }, { state, database, kept }, rows)
  }
  const listed = zoho && (await listForVerify(zoho, module, { scope, runId: run.id, onRows }, run.signal))
  const differences = differencesOf(state, database, listed)
  const found = reportOf(module, { state, differences, listed, chain })
  if (found.ok || !repair || !zoho || !listed) return found

  const mended = chain.length > 0 ? chain : newFileIn(sources, module)
  const { refreshed, ...repaired } = await repairModule(
    run,
    { ...deps, zoho, scope },
    { chain: mended, state, database, differences, listed, kept },
  )
  const after = await fileHistory(sources, module)
  const again = await readFileState(module, after, reading)
  const left = differencesOf(again, await compareWithDatabase(db, module, scope, { state: again, chain: after }), listed, refreshed)
  const report = reportOf(module, { state: again, differences: left, listed: current(again, listed, refreshed), chain: after })
  return { ...report, repaired }
}

/** A module without any file gets one in the newest folder. */
function newFileIn(sources: Source[], module: BooksModule): ModuleSource[] {
  const source = sources.at(-1)
  if (!source) throw new NotFoundError('no_data')
  const file = join(source.inner, `${module.name}.json`)
  const linesFile = module.lineItems ? join(source.inner, `${module.name}_line_items.json`) : null
  return [{ source, file, linesFile, full: true, lineItems: module.lineItems }]
}

/** The list as it would be now: records fetched since count as they were fetched. */
function current(
  state: Awaited<ReturnType<typeof readFileState>>,
  listed: Awaited<ReturnType<typeof listForVerify>>,
  refreshed: Set<string>,
) {
  const now = new Map(listed)
  for (const id of refreshed) {
    const here = state.records.get(id)
    if (here && now.has(id)) now.set(id, here)
  }
  return now
}

function unread(module: BooksModule, error: AppError): ModuleReport {
  const none = { count: 0, ids: [] }
  const { message, ...finding } = around(error, 'around.unread', {})
  return {
    module: module.name,
    ok: false,
    problems: [message],
    findings: [messageOf(finding)],
    records: 0,
    api_records: null,
    missing: none,
    extra: none,
    stale: none,
    altered: none,
    duplicates: none,
    totals: [],
    line_items: null,
    files: [],
    repaired: null,
  }
}

/**
 * Saves the report in the session's own `reports/`, or in the common folder; returns the JSON
 * file's path.
 */
async function saveReport(paths: PullPaths, source: Source | null, report: VerifyReport): Promise<string> {
  const folder = source?.session ? join(source.root, 'reports') : paths.reportsDir
  await makePrivateFolder(folder)
  const name = join(folder, `verify_${stampOf(new Date(report.checked_at))}`)
  await writeWhole(`${name}.txt`, reportText(report))
  await writeWhole(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`)
  return `${name}.json`
}
