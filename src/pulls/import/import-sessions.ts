import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { makePrivateFolder } from '../../lib/data-dir.ts'
import { ConflictError } from '../../lib/errors.ts'
import { fsyncPath } from '../../lib/fsync.ts'
import { InvalidFileError } from '../../lib/json-array.ts'
import { knownTimeZone } from '../../lib/local-time.ts'
import { partInEnglish } from '../../messages/say.ts'
import type { ManifestFile, ModuleResult, SessionInfo } from '../../schemas/pulls.ts'
import { PULL } from '../checkpoint.ts'
import { exists } from '../files/find-sessions.ts'
import { writeWhole } from '../files/json-array-writer.ts'
import { type PullPaths, sessionDir, sessionName } from '../files/paths.ts'
import { type RecordRow, upsertRecords } from '../records/upsert.ts'
import { findOldPulls, type OldPull } from './find-old-pulls.ts'
import { type OldModule, readOldModule } from './read-old-module.ts'

export interface SessionImportDeps {
  db: Database
  clock: Clock
  paths: PullPaths
  /** The organization's, for times without an offset; UTC when it is not known. */
  timeZone?: string | null
}

export interface SessionImportOptions {
  app: 'books' | 'invoice'
  /** Read everything, write nothing. */
  dryRun: boolean
}

export interface SessionImportReport {
  sessions: { stamp: string; from: string; to: string; copied: boolean; modules: string[] }[]
  modules: {
    module: string
    records: number
    line_items: number | null
    /** Written; the others are in the database already, as new or newer. */
    new: number
    updated: number
    /** From where the next fetch asks Zoho; null: without times, the module is listed whole. */
    up_to: string | null
  }[]
  /** What was not taken, and why. */
  left: { file: string; reason: string }[]
  /** Modules with a file that could not be read: the next fetch lists them whole. */
  unreadable: string[]
}

/** Of no run: the folder was made by another program. */
const NO_RUN = '00000000-0000-0000-0000-000000000000'

/**
 * Takes over a predecessor's pulls: copies their files below the data folder, writes their records,
 * and sets each module's watermark from its newest record, so that the next fetch asks Zoho only
 * for what changed since. The old files are only read. It may be repeated: newer records are never
 * replaced by older ones. Throws BadRequestError `no_such_folder`, `no_old_pulls`; ConflictError
 * `sync_running` while a pull has not ended.
 */
export async function importSessions(
  { db, clock, paths, timeZone }: SessionImportDeps,
  directory: string,
  { app, dryRun }: SessionImportOptions,
  signal: AbortSignal,
): Promise<SessionImportReport> {
  const pulls = await findOldPulls(directory)
  const running = await db.run.findFirst({ where: { kind: PULL, state: { in: ['queued', 'running', 'paused'] } } })
  if (running && !dryRun) throw new ConflictError('sync_running', { run_id: running.id, state: running.state, resumes_at: null })
  const report: SessionImportReport = { sessions: [], modules: [], left: [], unreadable: [] }
  const totals = new Map<string, SessionImportReport['modules'][number]>()
  for (const pull of pulls) {
    for (const file of pull.others)
      report.left.push({ file: join(pull.folder, file), reason: 'no module of Zoho Books has this name; the file is copied only' })
    const results: ModuleResult[] = []
    const files: ManifestFile[] = []
    for (const entry of pull.modules) {
      signal.throwIfAborted()
      const counts = { new: 0, updated: 0 }
      const write = async (rows: RecordRow[]) => {
        const newer = await onlyNewer(db, { app, module: entry.module.name }, rows, entry.linesFile !== null)
        if (dryRun) return void countPlanned(counts, newer)
        const detailed = entry.module.lineItems && entry.linesFile !== null
        const written = await upsertRecords(db, { app, module: entry.module.name }, newer.rows, { runId: null, at: clock.now(), detailed })
        counts.new += written.new
        counts.updated += written.updated
      }
      const read = await readOldModule({ ...pull, timeZone: knownTimeZone(timeZone) }, entry, write, signal).catch((error: unknown) => {
        if (!(error instanceof InvalidFileError)) throw error
        report.left.push({ file: join(pull.folder, entry.file), reason: partInEnglish(error.finding) })
        if (!report.unreadable.includes(entry.module.name)) report.unreadable.push(entry.module.name)
        return null
      })
      if (!read) continue
      noteLeft(report, pull, entry, read)
      files.push(...read.files)
      const before = totals.get(entry.module.name)
      const up_to = [before?.up_to, cap(read.newest, clock.now())].reduce<string | null>(
        (a, b) => (b && (!a || b > a) ? b : (a ?? null)),
        null,
      )
      const total = {
        module: entry.module.name,
        records: (before?.records ?? 0) + read.records,
        line_items: read.lineItems === null ? (before?.line_items ?? null) : (before?.line_items ?? 0) + read.lineItems,
        new: (before?.new ?? 0) + counts.new,
        updated: (before?.updated ?? 0) + counts.updated,
        up_to,
      }
      totals.set(entry.module.name, total)
      results.push(resultOf(total, { read, counts, isFirst: before === undefined }))
    }
    const copy = await copyPull(paths, pull, { app, dryRun, results, files, at: clock.now() })
    report.sessions.push({ stamp: pull.stamp, from: pull.folder, ...copy, modules: results.map((it) => it.module) })
  }
  report.modules = [...totals.values()]
  for (const total of report.modules) {
    // An incremental fetch would never list what only the unreadable file had.
    if (report.unreadable.includes(total.module)) total.up_to = await readWatermark(db, app, total.module)
    else if (!dryRun) total.up_to = await setWatermark(db, app, total, { first: pulls[0]!, at: clock.now() })
  }
  return report
}

/** A time in the future would make the next fetch miss what is edited until then. */
const cap = (newest: Date | null, now: Date): string | null => (newest === null ? null : (newest > now ? now : newest).toISOString())

function noteLeft(
  report: SessionImportReport,
  pull: OldPull,
  { module, file, linesFile }: OldPull['modules'][number],
  read: OldModule,
): void {
  const path = join(pull.folder, file)
  if (read.unreadable > 0) report.left.push({ file: path, reason: `${read.unreadable} records without a readable ${module.idField}` })
  if (module.lineItems && linesFile === null && read.records > 0)
    report.left.push({
      file: path,
      reason: `its documents come without line items; \`zinc fetch ${module.name} --full\` reads them, one call each`,
    })
}

interface Newer {
  rows: RecordRow[]
  known: number
}

/** What the database does not have as new or newer. */
async function onlyNewer(db: Database, scope: { app: string; module: string }, rows: RecordRow[], detailed: boolean): Promise<Newer> {
  const held = await db.zohoRecord.findMany({
    where: { ...scope, record_id: { in: rows.map((row) => row.record_id) } },
    select: { record_id: true, modified_at: true, detailed: true, deleted_at: true },
  })
  const byId = new Map(held.map((it) => [it.record_id, it]))
  const newer = rows.filter((row) => {
    const there = byId.get(row.record_id)
    if (!there) return true
    // What Zoho has deleted since, zinc knows better than an old file.
    if (there.deleted_at) return false
    const [old, given] = [there.modified_at?.getTime() ?? 0, row.modified_at?.getTime() ?? 0]
    return given > old || (given === old && !(there.detailed && !detailed))
  })
  return { rows: newer, known: newer.filter((row) => byId.has(row.record_id)).length }
}

function countPlanned(counts: { new: number; updated: number }, { rows, known }: Newer): void {
  counts.new += rows.length - known
  counts.updated += known
}

const resultOf = (
  { module, up_to }: SessionImportReport['modules'][number],
  { read, counts, isFirst }: { read: OldModule; counts: { new: number; updated: number }; isFirst: boolean },
): ModuleResult => ({
  module,
  state: 'success',
  // Later files are laid over the first one, whether they hold the whole module or what changed.
  mode: isFirst ? 'full' : 'incremental',
  since: null,
  up_to,
  listed: read.records,
  records: read.records,
  line_items: read.lineItems,
  new: counts.new,
  updated: counts.updated,
  removed: 0,
  error: null,
})

const timeOfStamp = (stamp: string): string => `${stamp.slice(0, 10)}T${stamp.slice(11).replaceAll('-', ':')}.000Z`

/** Copies a pull's folder with a manifest, under a name with a dot until it is complete. */
async function copyPull(
  paths: PullPaths,
  pull: OldPull,
  {
    app,
    dryRun,
    results,
    files,
    at,
  }: { app: SessionInfo['app']; dryRun: boolean; results: ModuleResult[]; files: ManifestFile[]; at: Date },
): Promise<{ to: string; copied: boolean }> {
  const session = pull.session !== null
  const target = sessionDir(paths, { stamp: pull.stamp, session })
  const to = target.finished
  const isInPlace = resolve(join(to, target.inner)) === pull.folder
  if (dryRun) return { to, copied: !isInPlace && !(await exists(to)) }
  const root = isInPlace ? to : target.unfinished
  if (!isInPlace) {
    if (await exists(to)) return { to, copied: false }
    await rm(root, { recursive: true, force: true })
    await makePrivateFolder(dirname(root))
    await copyFolder(pull.session ?? pull.folder, root)
  } else if (await exists(join(root, target.about('manifest.json')))) return { to, copied: false }
  const info: SessionInfo = {
    session: sessionName(pull.stamp),
    stamp: pull.stamp,
    app,
    run_id: NO_RUN,
    organization_id: '',
    status: 'complete',
    started_at: timeOfStamp(pull.stamp),
    finished_at: timeOfStamp(pull.stamp),
    resumes_at: null,
    started_by: 'import',
    full: false,
    since: null,
    line_items: pull.modules.some((it) => it.linesFile !== null),
    api_calls: 0,
    modules: results,
  }
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const listed = files.map((it) => ({ ...it, file: join(target.inner, it.file) }))
  // The predecessor's own file is kept under another name.
  const about = join(root, target.about('session_info.json'))
  if (await exists(about)) await rename(about, join(root, target.about('session_info.old.json')))
  await writeWhole(about, json(info))
  await writeWhole(join(root, target.about('manifest.json')), json({ session: info.session, created_at: at.toISOString(), files: listed }))
  if (!isInPlace) await rename(root, to)
  await fsyncPath(dirname(to))
  return { to, copied: !isInPlace }
}

/** Files and folders only, readable by this account only; links could lead anywhere. */
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700, recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const target = join(to, entry.name)
    if (entry.isDirectory()) await copyFolder(join(from, entry.name), target)
    else if (entry.isFile()) {
      await copyFile(join(from, entry.name), target)
      await fsyncPath(target)
    }
  }
}

const readWatermark = async (db: Database, app: string, module: string): Promise<string | null> =>
  (await db.pullModule.findUnique({ where: { app_module: { app, module } } }))?.up_to?.toISOString() ?? null

/** Returns the module's watermark; a later one of zinc's own pulls stays. */
async function setWatermark(
  db: Database,
  app: SessionInfo['app'],
  { module, up_to }: SessionImportReport['modules'][number],
  { first, at }: { first: OldPull; at: Date },
): Promise<string | null> {
  const key = { app, module }
  const known = await db.pullModule.findUnique({ where: { app_module: key } })
  const newest = [known?.up_to?.toISOString(), up_to].reduce<string | null>((a, b) => (b && (!a || b > a) ? b : (a ?? null)), null)
  // The oldest file is the base: the next fetch lists only what changed.
  const data = { up_to: newest, full_at: known?.full_at ?? new Date(timeOfStamp(first.stamp)), succeeded_at: known?.succeeded_at ?? at }
  await db.pullModule.upsert({ where: { app_module: key }, create: { ...key, ...data }, update: data })
  return newest
}
