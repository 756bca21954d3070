/** `import { createRunner } from 'zinc'`: what the command line does, for scripts. */

export type PullModule =
  | 'invoices'
  | 'items'
  | 'contacts'
  | 'customerpayments'
  | 'bills'
  | 'vendorpayments'
  | 'salesorders'
  | 'purchaseorders'
  | 'creditnotes'
  | 'organizations'

export interface RunnerOptions {
  /** DEBUG, INFO, WARNING or ERROR in any case; WARNING unless told otherwise. */
  logLevel?: string
  /** Instead of the process's environment and `.env`: the keys of `.env.example`. */
  environment?: Record<string, string | undefined>
}

export interface FetchOptions {
  /** List everything again and notice what is gone; details still only for what is new or changed. */
  fullSync?: boolean
  /** Only what was modified from this moment on: a Date, or ISO 8601. */
  since?: Date | string
  /** False: files under `raw_json/` instead of a session folder. */
  useSessionFolder?: boolean
  /** False: list rows only, without a call for each document. */
  lineItems?: boolean
}

export interface ModuleResult {
  module: string
  /** waiting | running | success | failed */
  state: string
  mode: 'full' | 'incremental' | 'since'
  since: string | null
  up_to: string | null
  listed: number
  records: number
  /** Null: the module has none, or they were not asked for. */
  line_items: number | null
  new: number
  updated: number
  removed: number
  error: { code: string; message: string; remedy: string | null } | null
}

export interface FetchResult {
  /** success | partial (a module failed) | failed | paused (the day's quota, see `resumes_at`) | cancelled */
  status: string
  run_id: string
  /** The session's name; null without a session. */
  session: string | null
  folder: string | null
  /** Where `{module}.json` and `{module}_line_items.json` are. */
  raw_json: string | null
  modules: ModuleResult[]
  api_calls: number
  resumes_at?: string
  cause?: string
  remedy?: string
}

export interface VerifyOptions {
  /** No call to Zoho: hashes, line items, and the database. */
  quick?: boolean
  /** Fetch just what differs and write the files that held it anew. */
  repair?: boolean
  session?: string
  directory?: string
  modules?: PullModule[]
}

interface Ids {
  count: number
  /** At most 1,000 of them. */
  ids: string[]
}

export interface ModuleReport {
  module: string
  ok: boolean
  problems: string[]
  records: number
  api_records: number | null
  missing: Ids
  extra: Ids
  stale: Ids
  altered: Ids
  duplicates: Ids
  totals: { currency: string; files: string; api: string | null; ok: boolean }[]
  line_items: {
    checked: number
    rows: number
    wrong: { count: number; documents: { id: string; total: string; expected: string; reason: string }[] }
  } | null
  files: { file: string; ok: boolean; problem: string | null }[]
  repaired: { fetched: number; removed: number; files: number } | null
}

export interface VerifyReport {
  session: string | null
  checked_at: string
  quick: boolean
  repair: boolean
  /** All is there and right. */
  ok: boolean
  api_calls: number
  modules: ModuleReport[]
}

export interface PullSession {
  session: string
  stamp: string
  app: 'books' | 'invoice'
  run_id: string
  status: 'running' | 'paused' | 'complete' | 'incomplete' | 'cancelled'
  badge: 'running' | 'paused' | 'interrupted' | 'cancelled' | 'incomplete' | 'unverified' | 'verified' | 'differs' | 'broken'
  started_at: string
  finished_at: string | null
  resumes_at: string | null
  full: boolean
  since: string | null
  line_items: boolean
  api_calls: number
  records: number
  /** Bytes of the whole folder. */
  size: number
  pinned: boolean
  verified_at: string | null
  modules: ModuleResult[]
}

export interface Status {
  settings: {
    organization_id: string | null
    data_center: string
    client_id: string | null
    client_secret: string | null
    refresh_token: string | null
  }
  sign_in: { state: 'not_set_up' | 'signed_in' | 'refused'; message: string | null; remedy: string | null }
  modules: { slug: string; enabled: boolean; last_sync: string | null; next_run: string | null }[]
  pulled: { app: string; module: string; up_to: string | null; succeeded_at: string | null; records: number }[]
  pictures: { stored: number; wanted: number }
  quota: { limit: number | null; left: number; resets_at: string | null } | null
  sessions: PullSession[]
}

export interface Runner {
  /** Pulls one module, or several; carries on first what a killed process left unfinished. */
  fetchData(module: PullModule | PullModule[], options?: FetchOptions): Promise<FetchResult>
  /** Pulls every module. */
  fetchAllModules(options?: FetchOptions): Promise<FetchResult>
  /** Compares the files with Zoho. `ok` of the answer says whether all is there and right. */
  verifyData(options?: VerifyOptions): Promise<VerifyReport>
  /** Settings (masked), sign-in, last sync of each module, pictures, quota, sessions. */
  getStatus(): Promise<Status>
  /** Session folders, newest first. */
  listSyncSessions(): Promise<PullSession[]>
}

/**
 * Everything is opened when a call needs it, beside a running server or alone, and closed when the last call under way has ended, so a script ends by
 * itself. Calls throw AppError; a pull in which a module failed does not throw, its `status` says so.
 */
export function createRunner(options?: RunnerOptions): Runner

/** A failure with a stable code; `detail.remedy` says what to do next. */
export class AppError extends Error {
  readonly code: string
  readonly detail: Record<string, unknown> | undefined
}
