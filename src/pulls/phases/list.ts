import type { BooksModule } from '../../facts/books-modules.ts'
import type { Clock } from '../../lib/clock.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { PullRequest } from '../../schemas/pulls.ts'
import { type BooksRow, walkBooks } from '../../zoho/books.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { capCursor } from '../../zoho/server-clock.ts'
import { type ModuleProgress, type ModuleScope, pageRange, wantsDetails } from '../checkpoint.ts'
import { upsertListed, upsertListRows } from '../records/pending-details.ts'
import { searchText } from '../records/search-text.ts'
import { type RecordCounts, type RecordRow, upsertRecords } from '../records/upsert.ts'

export interface ListPhase {
  zoho: ZohoClient
  clock: Clock
  request: PullRequest
  module: BooksModule
  scope: ModuleScope
  /** Inclusive; null: everything. */
  from: Date | null
  /** How many records are known: a list that ends far below is rejected. */
  known: number
  /** Saves the module's progress within the transaction that wrote its rows. */
  save(tx: Parameters<Parameters<RunContext['fenced']>[0]>[0], progress: ModuleProgress): Promise<void>
  show(progress: ModuleProgress): void
}

export const toRecordRow = (row: BooksRow): RecordRow => ({
  record_id: row.id,
  raw: row.raw,
  modified_at: row.modified,
  search: searchText(row.fields),
})

/**
 * Lists a module from its cursor on; each page, its changes and the next cursor are one
 * transaction. Returns the progress at a clean end.
 */
export async function listModule(run: RunContext, start: ModuleProgress, phase: ListPhase): Promise<ModuleProgress> {
  const { zoho, clock, request, module, scope, from, known } = phase
  let progress = start
  const range = pageRange(module)
  const details = wantsDetails(module, request)
  const staged = module.lineItems && !details
  const options = { app: scope.app, from, known, scope: start.cursor ?? undefined, runId: run.id }
  for await (const page of walkBooks(zoho, module, options, run.signal)) {
    const rows = [...new Map(page.rows.map((row) => [row.id, row])).values()].map(toRecordRow)
    const clocks = { zoho: zoho.serverTime(), ours: clock.now() }
    const times = rows.flatMap((row) => (row.modified_at ? [capCursor(row.modified_at.toISOString(), clocks)] : []))
    if (page.restarted) progress = { ...progress, listed: 0 }
    const write = { runId: run.id, at: clock.now(), changedIn: progress.changed_in }
    await run.fenced(async (tx) => {
      const counts: RecordCounts & { changed?: string[] } = details
        ? await upsertListed(tx, scope, rows, write)
        : staged
          ? await upsertListRows(tx, scope, rows, write)
          : await upsertRecords(tx, scope, rows, write)
      if (progress.mode !== 'incremental') {
        const numbered = { run_id: run.id, number: range.from + progress.pages }
        await tx.runPage.create({ data: { ...numbered, ids: rows.map((row) => row.record_id) } })
      }
      if (staged) {
        const changed = new Set(counts.changed)
        const held = progress.mode === 'incremental' ? rows.filter((row) => changed.has(row.record_id)) : rows
        await tx.$executeRaw`
          insert into pull_row (run_id, module, record_id, raw)
          select ${run.id}::uuid, ${module.name}, t.record_id, t.raw
          from jsonb_to_recordset(${JSON.stringify(held.map(({ record_id, raw }) => ({ record_id, raw: raw.toWellFormed() })))}::jsonb) as t(record_id text, raw text)
          on conflict (run_id, module, record_id) do update set raw = excluded.raw`
      }
      progress = {
        ...progress,
        state: 'listing',
        cursor: page.cursor,
        pages: progress.pages + 1,
        listed: progress.listed + rows.length,
        new: progress.new + counts.new,
        updated: progress.updated + counts.updated,
        newest: [...times, ...(progress.newest ? [progress.newest] : [])].reduce<string | null>(
          (newest, time) => (newest === null || time > newest ? time : newest),
          null,
        ),
      }
      await phase.save(tx, progress)
    })
    phase.show(progress)
  }
  return progress
}
