import { rm } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import type { Logger } from 'pino'
import type { Database, Db } from '../database/client.ts'
import { tryAdvisoryLock } from '../database/locks.ts'
import type { Backup, BackupPlan as PlanRow, Prisma } from '../generated/client.ts'
import type { Clock } from '../lib/clock.ts'
import { AppError, BadRequestError, ConflictError } from '../lib/errors.ts'
import type { JobQueue, JobWorker } from '../queue/queue.ts'
import type { Scheduler } from '../runs/scheduler.ts'
import type { BackupPlan, BackupRow, BackupScheduleBody, Backups as Shown } from '../schemas/backups.ts'
import { type Actor, recordAudit } from '../settings/audit-log.ts'
import { type BackupSource, createBackup } from './create.ts'
import { findManifest } from './manifest.ts'
import { rehearseRestore } from './rehearse.ts'
import { pruneBackups } from './retention.ts'
import { type BackupTarget, type BucketAccess, normalizeTarget, openTarget } from './target.ts'

export interface BackupsDeps {
  db: Database
  /** A role that may create databases, for rehearsals. */
  ownerUrl: string
  clock: Clock
  log: Logger
  queue: JobQueue
  scheduler: Scheduler
  /** The shop's time zone. */
  zone(): Promise<string>
  source: BackupSource
  bucketAccess: BucketAccess
  dataDir: string
}

/** In DATA_DIR, besides the folders that are backed up: no backup may be kept in them. */
const OWN_FOLDERS = ['images', 'postgres', 'tmp']

type Kind = 'backup' | 'rehearsal'
/** The names of the schedules in the table that the scheduler reads. */
export const BACKUP_SCHEDULE = 'backup'
const REHEARSAL_SCHEDULE = 'backup_rehearsal'
export const isBackupSchedule = (module: string): boolean => module === BACKUP_SCHEDULE || module === REHEARSAL_SCHEDULE
const BY_SCHEDULE = 'schedule'
const SHOWN = 100
/** How often the row says how far the backup is. */
const PROGRESS_MS = 2_000
const HOUR_MS = 3_600_000

export type Backups = ReturnType<typeof createBackups>

/** Backups of this zinc: by the clock and on request, one at a time in all processes. */
export function createBackups(deps: BackupsDeps) {
  const { db, clock, log, queue, scheduler, source, bucketAccess, dataDir, ownerUrl } = deps
  /** A folder for unfinished work, which is emptied before each. */
  const workDir = join(dataDir, 'tmp', 'backup')
  const ownFolders = OWN_FOLDERS.map((name) => join(dataDir, name))

  /** Throws BadRequestError: a backup in there would contain itself. */
  function refuseOwnFolder(target: string): void {
    const folder = [...Object.values(source.folders), ...ownFolders].find((it) => target === it || target.startsWith(it + sep))
    if (folder !== undefined) throw new BadRequestError('invalid_backup_target.own_folder', { target, folder })
  }

  const readPlan = async (): Promise<PlanRow> =>
    (await db.backupPlan.findUnique({ where: { id: 1 } })) ??
    (await db.backupPlan.upsert({ where: { id: 1 }, create: { id: 1 }, update: {} }))

  async function newestGood(target: string | null): Promise<Date | null> {
    const row = await db.backup.findFirst({
      where: { kind: 'backup', state: 'success', ...(target !== null && { target }) },
      orderBy: { finished_at: 'desc' },
    })
    return row?.finished_at ?? null
  }

  /** Adds the row and its job in one transaction. */
  async function enqueue(tx: Db, kind: Kind, { target, startedBy }: { target: string; startedBy: string }): Promise<string> {
    const { id } = await tx.backup.create({ data: { kind, target, started_by: startedBy, created_at: clock.now() } })
    await queue.add(tx, 'backup', [{ data: { id } }])
    return id
  }

  async function work(row: Backup, target: BackupTarget, { withKeys, signal, onProgress }: WorkOptions): Promise<Prisma.BackupUpdateInput> {
    if (row.kind === 'rehearsal') {
      const manifest = await findManifest(target, { name: row.target })
      const { backup_id, tables, rows, files, took_ms } = await rehearseRestore({ target, manifest, ownerUrl, log, signal })
      return { state: 'success', backup_id, counts: { tables, rows, files, took_ms } }
    }
    let savedAt = 0
    const progress = (done: number, total: number) => {
      onProgress?.(done, total)
      if (Date.now() - savedAt < PROGRESS_MS && done < total) return
      savedAt = Date.now()
      // Nobody waits for it: a row that has ended stays as it is, and a lost figure is followed by
      // the next.
      void db.backup.updateMany({ where: { id: row.id, state: 'running' }, data: { counts: { done, total } } }).catch(() => {})
    }
    const manifest = await createBackup(source, { target, withKeys, signal, onProgress: progress })
    const { files, images, bytes, added, missing, database, state } = manifest
    const counts = {
      files,
      images,
      bytes,
      rows: database.rows,
      added_files: added.files,
      added_bytes: added.bytes,
      missing: missing.length,
    }
    return { state, backup_id: manifest.id, counts }
  }

  /** Runs a row that waits, in this process. Throws ConflictError `backup_running`. */
  async function run(id: string, options: WorkOptions): Promise<Backup> {
    const lock = await tryAdvisoryLock(source.databaseUrl, 'backup', { log })
    if (!lock) throw new ConflictError('backup_running')
    const signal = AbortSignal.any([options.signal, lock.lost])
    try {
      await rm(workDir, { recursive: true, force: true }) // of a process that was killed
      // While this process has the lock nobody else runs one: these were killed.
      await db.backup.updateMany({
        where: { state: 'running', id: { not: id } },
        data: { state: 'failed', finished_at: clock.now(), code: 'stopped' },
      })
      const row = await db.backup.update({ where: { id }, data: { state: 'running', started_at: clock.now() } })
      try {
        await using target = await openTarget(row.target, { bucketAccess, workDir, mustExist: row.kind === 'rehearsal' })
        const data = await work(row, target, { ...options, signal })
        return await db.backup.update({ where: { id }, data: { ...data, finished_at: clock.now() } })
      } catch (error) {
        signal.throwIfAborted()
        const said = error instanceof AppError ? error : null
        const message = said?.message ?? (error instanceof Error ? error.message : String(error))
        await db.backup.update({
          where: { id },
          data: {
            state: 'failed',
            finished_at: clock.now(),
            code: said?.code ?? 'unexpected_error',
            message,
            params: (said?.params ?? {}) as object,
          },
        })
        throw error
      }
    } finally {
      await lock.release()
    }
  }

  /** What follows a backup by the clock; a failure of it leaves the backup good. */
  async function afterwards(row: Backup, signal: AbortSignal): Promise<void> {
    const plan = await readPlan()
    if (row.kind !== 'backup' || row.state === 'failed' || row.target !== plan.target) return
    if (plan.rehearse_after_backup) await enqueue(db, 'rehearsal', { target: row.target, startedBy: BY_SCHEDULE })
    const keep = keepOf(plan)
    if (keep === null) return
    const lock = await tryAdvisoryLock(source.databaseUrl, 'backup', { log })
    if (!lock) return // the next one removes what is too much
    try {
      await using target = await openTarget(row.target, { bucketAccess, workDir })
      const removed = await pruneBackups(target, keep, signal)
      await db.backup.updateMany({ where: { kind: 'backup', backup_id: { in: removed } }, data: { pruned_at: clock.now() } })
    } finally {
      await lock.release()
    }
  }

  const worker: JobWorker<'backup'> = {
    queue: 'backup',
    concurrency: 1,
    pollSeconds: 5,
    async execute({ id }, signal) {
      const row = await db.backup.findUnique({ where: { id } })
      if (!row || !['queued', 'running'].includes(row.state)) return null
      try {
        const done = await run(id, { withKeys: false, signal })
        await afterwards(done, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof ConflictError && error.code === 'backup_running') throw error // tried again
        log.warn({ err: error, target: row.target }, `a ${row.kind} failed`)
      }
      return null
    },
  }

  async function plan(): Promise<BackupPlan> {
    const row = await readPlan()
    const schedules = await scheduler.list()
    const of = (module: string) => schedules.find((it) => it.module === module) ?? null
    const newest = await newestGood(row.target)
    return {
      schedule: of(BACKUP_SCHEDULE)?.cron ?? null,
      target: row.target,
      keep: keepOf(row),
      rehearsal: of(REHEARSAL_SCHEDULE)?.cron ?? row.rehearse_after_backup,
      warn_after_hours: row.warn_after_hours,
      next_at: of(BACKUP_SCHEDULE)?.next_at.toISOString() ?? null,
      newest_good_at: newest?.toISOString() ?? null,
      too_old: isTooOld(row, newest, clock.now()),
    }
  }

  return {
    plan,
    open: () => queue.work(worker),

    async list(): Promise<Shown> {
      const rows = await db.backup.findMany({ orderBy: { created_at: 'desc' }, take: SHOWN })
      return { ...(await plan()), backups: rows.map(shown) }
    },

    /**
     * Changes the plan. Throws BadRequestError `invalid_backup_target`, `backup_target_missing`,
     * `invalid_schedule`.
     */
    async change(body: BackupScheduleBody, actor: Actor): Promise<BackupPlan> {
      if (body.target && !body.target.startsWith('s3://') && !isAbsolute(body.target))
        throw new BadRequestError('invalid_backup_target', { target: body.target })
      const before = await readPlan()
      const target = body.target === undefined ? before.target : body.target && normalizeTarget(body.target)
      if (target !== null) refuseOwnFolder(target)
      const cron = (line: string | null) => (line === null || line.trim() === '' ? null : line.trim().replace(/\s+/g, ' '))
      const needsTarget = Boolean(body.schedule) || (body.rehearsal !== undefined && body.rehearsal !== null && body.rehearsal !== false)
      if (needsTarget && target === null) throw new BadRequestError('backup_target_missing')
      const zone = await deps.zone()
      await db.$transaction(async (tx) => {
        await tx.backupPlan.update({
          where: { id: 1 },
          data: {
            target,
            changed_at: clock.now(),
            ...(body.keep !== undefined && {
              keep_daily: body.keep?.daily ?? null,
              keep_weekly: body.keep?.weekly ?? null,
              keep_monthly: body.keep?.monthly ?? null,
            }),
            ...(body.rehearsal !== undefined && { rehearse_after_backup: body.rehearsal === true }),
            ...(body.warn_after_hours !== undefined && { warn_after_hours: body.warn_after_hours }),
          },
        })
        const off = target === null
        if (body.schedule !== undefined || off)
          await scheduler.set(tx, { module: BACKUP_SCHEDULE, mode: 'full', cron: off ? null : cron(body.schedule ?? null), zone })
        if (body.rehearsal !== undefined || off) {
          const line = typeof body.rehearsal === 'string' && !off ? cron(body.rehearsal) : null
          await scheduler.set(tx, { module: REHEARSAL_SCHEDULE, mode: 'full', cron: line, zone })
        }
        await recordAudit(tx, { ...actor, action: 'backup.schedule', target: 'backups', fields: Object.keys(body) })
      })
      return plan()
    },

    /** Queues one for a worker. Throws BadRequestError `backup_target_missing`. */
    async start(kind: Kind, actor: Actor): Promise<string> {
      const { target } = await readPlan()
      if (target === null) throw new BadRequestError('backup_target_missing')
      return db.$transaction(async (tx) => {
        await recordAudit(tx, { ...actor, action: kind === 'backup' ? 'backup.start' : 'backup.rehearse', target: 'backups' })
        return enqueue(tx, kind, { target, startedBy: actor.actor })
      })
    },

    /** For the scheduler: always settles, since a later slot does the same. */
    async startDue({ module, since }: { module: string; since: Date | null }): Promise<boolean> {
      const kind: Kind = module === BACKUP_SCHEDULE ? 'backup' : 'rehearsal'
      const { target } = await readPlan()
      const begun = since && (await db.backup.findFirst({ where: { kind, started_by: BY_SCHEDULE, created_at: { gte: since } } }))
      if (target !== null && !begun) await db.$transaction((tx) => enqueue(tx, kind, { target, startedBy: BY_SCHEDULE }))
      return true
    },

    /** Runs one here and now, for the command line; the schedule's target without one. */
    async runNow(kind: Kind, target: string | null, options: WorkOptions): Promise<Backup> {
      const name = target === null ? (await readPlan()).target : normalizeTarget(target)
      if (name === null) throw new BadRequestError('backup_target_missing')
      if (kind === 'backup') refuseOwnFolder(name)
      const { id } = await db.backup.create({ data: { kind, target: name, started_by: 'command line', created_at: clock.now() } })
      try {
        return await run(id, options)
      } catch (error) {
        // Not left to look as if it still ran.
        await db.backup
          .updateMany({
            where: { id, state: { in: ['queued', 'running'] } },
            data: { state: 'failed', finished_at: clock.now(), code: 'stopped' },
          })
          .catch(() => {})
        throw error
      }
    },
  }
}

export interface WorkOptions {
  withKeys: boolean
  signal: AbortSignal
  onProgress?(done: number, total: number): void
}

const keepOf = ({ keep_daily, keep_weekly, keep_monthly }: PlanRow) =>
  keep_daily === null ? null : { daily: keep_daily, weekly: keep_weekly ?? 0, monthly: keep_monthly ?? 0 }

/** Without any good backup the time counts from the last change of the plan. */
export const isTooOld = (
  { target, warn_after_hours, changed_at }: Pick<PlanRow, 'target' | 'warn_after_hours' | 'changed_at'>,
  newest: Date | null,
  now: Date,
): boolean => target !== null && warn_after_hours !== null && now.getTime() - (newest ?? changed_at).getTime() > warn_after_hours * HOUR_MS

const shown = ({ created_at, started_at, finished_at, pruned_at, ...row }: Backup): BackupRow => ({
  ...(row as Pick<BackupRow, 'kind' | 'state' | 'counts' | 'params'> & typeof row),
  created_at: created_at.toISOString(),
  started_at: started_at?.toISOString() ?? null,
  finished_at: finished_at?.toISOString() ?? null,
  pruned_at: pruned_at?.toISOString() ?? null,
})
