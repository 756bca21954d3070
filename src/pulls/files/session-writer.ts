import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makePrivateFolder, PRIVATE_FILE_MODE } from '../../lib/data-dir.ts'
import { fsyncPath } from '../../lib/fsync.ts'
import type { Manifest, SessionInfo } from '../../schemas/pulls.ts'
import { writeWhole } from './json-array-writer.ts'
import { type Folder, type PullPaths, sessionDir, stampOf } from './paths.ts'
import { sessionReadme } from './session-readme.ts'

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * Creates the folder of a new pull with the first free stamp from now on: two pulls never share
 * one.
 */
export async function newFolder(paths: PullPaths, { now, session }: { now: Date; session: boolean }): Promise<string> {
  for (let at = now; ; at = new Date(at.getTime() + 1_000)) {
    const stamp = stampOf(at)
    const folder = sessionDir(paths, { stamp, session })
    if (await exists(folder.finished)) continue
    await makePrivateFolder(dirname(folder.unfinished))
    try {
      await mkdir(folder.unfinished, { mode: 0o700 })
      return stamp
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

export type SessionWriter = ReturnType<typeof createSessionWriter>

/** Writes the files about a pull as a whole. Crash-safe: it may be called again at any time. */
export function createSessionWriter(paths: PullPaths, { stamp, session }: { stamp: string; session: boolean }) {
  const folder: Folder = sessionDir(paths, { stamp, session })
  const root = folder.unfinished
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

  return {
    folder,
    root,

    /** Also creates again what was deleted by hand during a pause. */
    async prepare(): Promise<void> {
      if (await exists(folder.finished)) return
      await makePrivateFolder(join(root, folder.inner))
      if (session) for (const name of ['logs', 'reports']) await makePrivateFolder(join(root, name))
    },

    async saveInfo(info: SessionInfo): Promise<void> {
      if (await exists(root)) await writeWhole(join(root, folder.about('session_info.json')), json(info))
    },

    /** Appends a line to the session's log; without a session there is none. */
    async note(at: Date, event: string, facts: Record<string, unknown> = {}): Promise<void> {
      if (session && (await exists(join(root, 'logs'))))
        await appendFile(join(root, 'logs', 'pull.log'), `${JSON.stringify({ time: at.toISOString(), event, ...facts })}\n`, {
          mode: PRIVATE_FILE_MODE,
        })
    },

    /** Writes the summary and, last of all, the manifest; then the folder loses its dot. */
    async publish(info: SessionInfo, manifest: Manifest): Promise<void> {
      if (!(await exists(root))) return // published before a crash
      await writeWhole(join(root, folder.about('session_info.json')), json(info))
      if (session) {
        await writeWhole(join(root, 'README.md'), sessionReadme(info, manifest))
        await writeWhole(join(root, 'reports', 'session_summary.json'), json(sessionSummary(info, manifest)))
      }
      await writeWhole(join(root, folder.about('manifest.json')), json(manifest))
      await rename(root, folder.finished)
      await fsyncPath(dirname(folder.finished))
    },
  }
}

/** What was pulled, when, since when, how many records, and what failed. */
export function sessionSummary(info: SessionInfo, manifest: Manifest) {
  const sum = (of: (module: SessionInfo['modules'][number]) => number) => info.modules.reduce((total, it) => total + of(it), 0)
  return {
    session: info.session,
    status: info.status,
    incomplete: info.status === 'incomplete',
    app: info.app,
    started_at: info.started_at,
    finished_at: info.finished_at,
    duration_ms: info.finished_at === null ? null : Date.parse(info.finished_at) - Date.parse(info.started_at),
    api_calls: info.api_calls,
    totals: {
      modules: info.modules.length,
      failed: info.modules.filter((it) => it.state === 'failed').length,
      records: sum((it) => it.records),
      line_items: sum((it) => it.line_items ?? 0),
      new: sum((it) => it.new),
      updated: sum((it) => it.updated),
      removed: sum((it) => it.removed),
      bytes: manifest.files.reduce((total, file) => total + file.bytes, 0),
    },
    modules: info.modules,
    failed: info.modules.flatMap((it) => (it.state === 'failed' ? [{ module: it.module, ...it.error }] : [])),
  }
}
