import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../../database/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { ConflictError, NotFoundError } from '../../lib/errors.ts'
import { Manifest, type ManifestFile, type PullSession, SessionInfo, type SessionStatus, VerifyReport } from '../../schemas/pulls.ts'
import { exists } from './find-sessions.ts'
import { writeWhole } from './json-array-writer.ts'
import { type PullPaths, sessionDir, sessionName, stampOfSession } from './paths.ts'

const PIN = '.pinned'

export interface SessionsDeps {
  db: Database
  clock: Clock
  paths: PullPaths
}

export interface PruneRule {
  /** How many of the newest sessions to keep. */
  keep?: number | undefined
  olderThanDays?: number | undefined
}

export type PullSessions = ReturnType<typeof createPullSessions>

/** Manages the session folders: lists them, shows their state, deletes them. */
export function createPullSessions({ db, clock, paths }: SessionsDeps) {
  /**
   * Returns where a session is, preferring a finished one. Throws NotFoundError
   * `session_not_found`.
   */
  async function find(name: string): Promise<{ root: string; stamp: string; finished: boolean }> {
    const stamp = stampOfSession(name)
    if (stamp !== null) {
      const folder = sessionDir(paths, { stamp, session: true })
      if (await exists(folder.finished)) return { root: folder.finished, stamp, finished: true }
      if (await exists(folder.unfinished)) return { root: folder.unfinished, stamp, finished: false }
    }
    throw new NotFoundError('session_not_found')
  }

  async function look({ root, stamp, finished }: { root: string; stamp: string; finished: boolean }): Promise<PullSession> {
    const info = SessionInfo.safeParse(await readJson(join(root, 'session_info.json'))).data ?? unreadable(stamp)
    const { size, newest } = await measure(root)
    const report = await newestReport(root)
    return {
      ...info,
      badge: finished ? badgeOf(info, report, newest) : await unfinishedBadge(info),
      size,
      pinned: await exists(join(root, PIN)),
      records: info.modules.reduce((sum, it) => sum + it.records, 0),
      verified_at: report?.checked_at ?? null,
    }
  }

  /**
   * A folder with a dot belongs to a run that is running, waits, or ended without finishing the
   * folder.
   */
  async function unfinishedBadge(info: SessionInfo): Promise<SessionStatus> {
    const run = await db.run.findUnique({ where: { id: info.run_id }, select: { state: true } })
    if (run?.state === 'running' || run?.state === 'queued') return 'running'
    if (run?.state === 'paused') return 'paused'
    return run?.state === 'cancelled' ? 'cancelled' : 'interrupted'
  }

  async function all(): Promise<PullSession[]> {
    const names = (await readdir(paths.sessionsDir).catch(() => [])).map((name) => name.replace(/^\./, ''))
    const stamps = [...new Set(names.flatMap((name) => stampOfSession(name) ?? []))].sort().reverse()
    return Promise.all(stamps.map(async (stamp) => look(await find(sessionName(stamp)))))
  }

  async function remove(name: string): Promise<void> {
    const found = await find(name)
    const session = await look(found)
    if (session.badge === 'running' || session.badge === 'paused') throw new ConflictError('session_in_use', { run_id: session.run_id })
    if (session.pinned) throw new ConflictError('session_pinned')
    // Renamed to a name with a dot first, so that a crash leaves no partial session under its own
    // name.
    await rm(found.root, { recursive: true, force: true })
  }

  return {
    /** Newest first. */
    list: all,

    async get(name: string): Promise<PullSession & { files: ManifestFile[] }> {
      const found = await find(name)
      const manifest = Manifest.safeParse(await readJson(join(found.root, 'manifest.json'))).data
      return { ...(await look(found)), files: manifest?.files ?? [] }
    },

    /**
     * Returns the folder of a finished session for reading. Throws ConflictError `session_in_use`.
     */
    async folder(name: string): Promise<string> {
      const { root, finished } = await find(name)
      if (!finished) throw new ConflictError('session_in_use.unfinished')
      return root
    },

    async pin(name: string, pinned: boolean): Promise<PullSession> {
      const found = await find(name)
      if (pinned) await writeWhole(join(found.root, PIN), `${clock.now().toISOString()}\n`)
      else await rm(join(found.root, PIN), { force: true })
      return look(found)
    },

    remove,

    /**
     * Deletes finished sessions that neither a pin nor the rule keeps. The newest session with the
     * whole of a module stays, since later ones build on it.
     */
    async prune({ keep, olderThanDays }: PruneRule): Promise<{ removed: string[]; kept: string[] }> {
      const sessions = await all()
      const needed = new Set<string>()
      const open = new Set(sessions.flatMap((it) => it.modules.map((module) => `${it.app} ${module.module}`)))
      for (const it of sessions) {
        if (it.badge === 'running' || it.badge === 'paused') needed.add(it.session)
        for (const module of it.modules) {
          const key = `${it.app} ${module.module}`
          if (module.state !== 'success' || !open.has(key)) continue
          needed.add(it.session)
          if (module.mode === 'full') open.delete(key)
        }
      }
      const before = olderThanDays === undefined ? null : new Date(clock.now().getTime() - olderThanDays * 86_400_000).toISOString()
      const removed: string[] = []
      const kept: string[] = []
      for (const [n, it] of sessions.entries()) {
        const old = (keep !== undefined && n >= keep) || (before !== null && it.started_at < before)
        if (!old || it.pinned || needed.has(it.session)) {
          kept.push(it.session)
          continue
        }
        await remove(it.session)
        removed.push(it.session)
      }
      return { removed, kept }
    },

    /** Returns the newest report of a session. Throws NotFoundError `not_verified`. */
    async report(name: string): Promise<VerifyReport> {
      const report = await newestReport((await find(name)).root)
      if (report) return report
      throw new NotFoundError('not_verified', { session: name })
    },
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return null
  }
}

/** Returns the bytes of all files in a folder, and when a data file was last written. */
async function measure(root: string): Promise<{ size: number; newest: number }> {
  let size = 0
  let newest = 0
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const facts = await stat(join(entry.parentPath, entry.name)).catch(() => null) // renamed just now
    size += facts?.size ?? 0
    if (facts && entry.parentPath.includes('raw_json')) newest = Math.max(newest, facts.mtimeMs)
  }
  return { size, newest }
}

async function newestReport(root: string): Promise<VerifyReport | null> {
  const names = (await readdir(join(root, 'reports')).catch(() => [])).filter((name) => /^verify_.*\.json$/.test(name)).sort()
  const last = names.at(-1)
  return last === undefined ? null : (VerifyReport.safeParse(await readJson(join(root, 'reports', last))).data ?? null)
}

/** A report counts only for the files that existed when it was made. */
function badgeOf(info: SessionInfo, report: VerifyReport | null, newestFile: number): SessionStatus {
  if (info.status === 'incomplete') return 'incomplete'
  if (!report || Date.parse(report.checked_at) + 1_000 < newestFile) return 'unverified'
  if (report.ok) return 'verified'
  return report.modules.some((it) => it.files.some((file) => !file.ok)) ? 'broken' : 'differs'
}

/** Stands in for a session_info.json that cannot be read. */
function unreadable(stamp: string): SessionInfo {
  return {
    session: sessionName(stamp),
    stamp,
    app: 'books',
    run_id: '00000000-0000-0000-0000-000000000000',
    organization_id: '',
    status: 'incomplete',
    started_at: `${stamp.slice(0, 10)}T${stamp.slice(11).replaceAll('-', ':')}.000Z`,
    finished_at: null,
    resumes_at: null,
    started_by: null,
    full: false,
    since: null,
    line_items: true,
    api_calls: 0,
    modules: [],
  }
}
