import { join } from 'node:path'

/** Where pulled files are stored. */
export interface PullPaths {
  /** `sync_sessions/` of the data folder. */
  sessionsDir: string
  /** Stamped folders without a session: `raw_json/` of the data folder, or JSON_BASE_DIR. */
  rawDir: string
  /** Reports that belong to no session. */
  reportsDir: string
}

export const pullPaths = (dataDir: string, jsonBaseDir: string | undefined): PullPaths => ({
  sessionsDir: join(dataDir, 'sync_sessions'),
  rawDir: jsonBaseDir ?? join(dataDir, 'raw_json'),
  reportsDir: join(dataDir, 'reports'),
})

const PREFIX = 'sync_session_'
const STAMP = /^\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/

/** `2026-11-25_02-26-54`, UTC. */
export const stampOf = (at: Date): string => at.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-')
export const isStamp = (text: string): boolean => STAMP.test(text)
export const sessionName = (stamp: string): string => `${PREFIX}${stamp}`
/** Returns the stamp in the name of a session folder; null when it is not one. */
export const stampOfSession = (name: string): string | null =>
  name.startsWith(PREFIX) && isStamp(name.slice(PREFIX.length)) ? name.slice(PREFIX.length) : null

/** The folder of one pull, while it runs (with a dot) and afterwards. */
export interface Folder {
  unfinished: string
  finished: string
  /** Path of the module files in the folder: `raw_json/<stamp>`, or "" without a session. */
  inner: string
  /**
   * Path of a file about the whole pull: hidden without a session, where every visible file is a
   * module's.
   */
  about(name: string): string
}

export function sessionDir(paths: PullPaths, { stamp, session }: { stamp: string; session: boolean }): Folder {
  const parent = session ? paths.sessionsDir : paths.rawDir
  const name = session ? sessionName(stamp) : stamp
  return {
    unfinished: join(parent, `.${name}`),
    finished: join(parent, name),
    inner: session ? join('raw_json', stamp) : '',
    about: (file) => (session ? file : `.${file}`),
  }
}
