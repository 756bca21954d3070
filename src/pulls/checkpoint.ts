import { z } from 'zod'
import { BOOKS_MODULES, type BooksModule } from '../facts/books-modules.ts'
import { ManifestFile, type ModuleResult, type PullRequest, type SessionInfo } from '../schemas/pulls.ts'
import { BooksCursor } from '../zoho/books.ts'
import type { RecordScope } from './records/upsert.ts'

export const PULL = 'pull'

/** Progress of one module of a pull. */
export const ModuleProgress = z.object({
  module: z.string(),
  /** waiting, listing, details, removals, files, then success or failed */
  state: z.enum(['waiting', 'listing', 'details', 'removals', 'files', 'success', 'failed']),
  mode: z.enum(['full', 'incremental', 'since']),
  since: z.iso.datetime().nullable(),
  /** Stored with the records that this pull changes; see `ZohoRecord.changed_in`. */
  changed_in: z.number(),
  cursor: BooksCursor.nullable(),
  pages: z.number(),
  listed: z.number(),
  new: z.number(),
  updated: z.number(),
  removed: z.number(),
  newest: z.iso.datetime().nullable(),
  files: z.array(ManifestFile),
  error: z
    .object({
      code: z.string(),
      zoho_code: z.string().optional(),
      message: z.string(),
      remedy: z.string().nullable(),
      params: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullable(),
})
export type ModuleProgress = z.infer<typeof ModuleProgress>

/** Progress of a pull: saved with what it has written, so that a crashed one resumes here. */
export const PullCheckpoint = z.object({
  mode: z.string(),
  stamp: z.string(),
  started_at: z.iso.datetime(),
  modules: z.array(ModuleProgress),
})
export type PullCheckpoint = z.infer<typeof PullCheckpoint>

/** Returns the modules that a request selects, in the order of Zoho's pages. */
export function modulesOf({ app, modules }: Pick<PullRequest, 'app' | 'modules'>): BooksModule[] {
  return BOOKS_MODULES.filter((it) => (app === 'books' || it.invoice) && (!modules || modules.some((name) => name === it.name)))
}

export const newModuleState = (module: BooksModule): ModuleProgress => ({
  module: module.name,
  state: 'waiting',
  mode: 'incremental',
  since: null,
  changed_in: 0,
  cursor: null,
  pages: 0,
  listed: 0,
  new: 0,
  updated: 0,
  removed: 0,
  newest: null,
  files: [],
  error: null,
})

/** The pages of all modules of a run share one table: each module has a range of numbers. */
export const PAGES_PER_MODULE = 1_000_000
export const pageRange = (module: BooksModule) => {
  const from = BOOKS_MODULES.indexOf(module) * PAGES_PER_MODULE
  return { from, to: from + PAGES_PER_MODULE - 1 }
}

/** What every phase of a module works with. */
export interface ModuleScope extends RecordScope {
  app: 'books' | 'invoice'
}

/** Whether this pull reads the module's documents one by one, for their line items. */
export const wantsDetails = (module: BooksModule, request: PullRequest): boolean => module.lineItems && request.line_items

export function moduleResult(it: ModuleProgress): ModuleResult {
  const rowsOf = (name: string) => it.files.find((file) => file.file.endsWith(`${name}.json`))?.rows
  return {
    module: it.module,
    state: it.state === 'waiting' || it.state === 'success' || it.state === 'failed' ? it.state : 'running',
    mode: it.mode,
    since: it.since,
    up_to: it.state === 'success' ? it.newest : null,
    listed: it.listed,
    records: it.files.find((file) => !file.file.endsWith('_line_items.json'))?.rows ?? 0,
    line_items: rowsOf('_line_items') ?? null,
    new: it.new,
    updated: it.updated,
    removed: it.removed,
    error: it.error,
  }
}

export type SessionStatus = SessionInfo['status']
