import type { Database } from '../../database/client.ts'
import type { BooksModule } from '../../facts/books-modules.ts'
import type { Clock } from '../../lib/clock.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import type { BooksRow } from '../../zoho/books.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import type { ModuleScope } from '../checkpoint.ts'
import type { ModuleSource } from '../files/find-sessions.ts'
import type { FileState } from '../files/inspect-file.ts'
import { confirmDeleted } from '../phases/deletions.ts'
import { fetchDetails } from '../phases/details.ts'
import { toRecordRow } from '../phases/list.ts'
import { markDeleted, upsertRecords } from '../records/upsert.ts'
import { toAmount } from './decimal.ts'
import { rewriteModule } from './rewrite-files.ts'
import type { DatabaseDifferences, Differences, Listed } from './verify-module.ts'

/**
 * Up to so many documents are fetched again, Zoho being the truth; beyond it, the database's copy
 * of the same version saves the day's quota.
 */
const FETCH_AT_MOST = 100
/**
 * More than this share of the files, and more than a few, is not deleted: the list is more likely
 * wrong.
 */
const MAX_DELETE_RATIO = 0.2
const BRAKE_COUNT = 10

export interface RepairDeps {
  db: Database
  clock: Clock
  zoho: ZohoClient
  module: BooksModule
  scope: ModuleScope
  concurrency: number
}

export interface Repaired {
  fetched: number
  removed: number
  files: number
  /** Repaired ids; the list that was read before may have an older version of them. */
  refreshed: Set<string>
}

/**
 * In modules without line items the list's row is the record: differing rows are saved while the
 * list is read, without another call.
 */
export async function keepDifferentRows(
  run: RunContext,
  { clock, module, scope }: Pick<RepairDeps, 'clock' | 'module' | 'scope'>,
  { state, database, kept }: { state: FileState; database: DatabaseDifferences; kept: Set<string> },
  rows: BooksRow[],
): Promise<void> {
  if (module.lineItems) return
  const different = rows.filter((row) => {
    const here = state.records.get(row.id)
    if (!here || database.altered.has(row.id)) return true
    return (
      here.modified !== (row.modified?.getTime() ?? null) || (module.amount !== null && toAmount(row.fields[module.amount]) !== here.amount)
    )
  })
  if (different.length === 0) return
  await run.fenced((tx) => upsertRecords(tx, scope, different.map(toRecordRow), { runId: run.id, at: clock.now() }))
  for (const row of different) kept.add(row.id)
}

/** What a check found in a module. */
export interface Difference {
  chain: ModuleSource[]
  state: FileState
  database: DatabaseDifferences
  differences: Differences
  listed: Listed
  /** What `keepDifferentRows` has repaired already. */
  kept: Set<string>
}

/**
 * Repairs the differing records in the database, with calls for only those, and writes the files
 * that contain them again.
 */
export async function repairModule(
  run: RunContext,
  deps: RepairDeps,
  { chain, state, database, differences, listed, kept }: Difference,
): Promise<Repaired> {
  const { db, clock, zoho, module, scope } = deps
  const { extra } = differences
  const isExtra = new Set(extra)
  const wrongLines = [...(state.lines?.wrong.keys() ?? [])].filter((id) => !isExtra.has(id))
  const requested = [...new Set([...differences.missing, ...differences.stale, ...differences.altered, ...wrongLines])]

  let fetched = kept.size
  if (module.lineItems) {
    const fresh = requested.length > FETCH_AT_MOST ? await sameVersion(db, scope, requested, listed) : new Set<string>()
    const ids = requested.filter((id) => !fresh.has(id))
    const result = await fetchDetails(run, { ...deps, changedIn: 0 }, ids)
    fetched = result.fetched
  }

  const braked = extra.length > BRAKE_COUNT && extra.length > state.records.size * MAX_DELETE_RATIO
  const gone = braked ? [] : await confirmDeleted({ zoho, module, scope }, { ids: extra, runId: run.id }, run.signal)
  await run.fenced((tx) => markDeleted(tx, scope, gone, { runId: run.id, at: clock.now() }))

  const byHolder = new Map<number, string[]>()
  // Records that only look different get their own text back, without a call.
  for (const id of new Set([...requested, ...database.reformatted])) {
    const holder = state.records.get(id)?.holder ?? 0
    byHolder.set(holder, [...(byHolder.get(holder) ?? []), id])
  }
  const drop = new Set(gone)
  let files = 0
  for (const [n, source] of chain.entries()) {
    // A deleted record may be in older files, too, and must not reappear from them.
    if (!byHolder.has(n) && !state.damaged.has(n) && drop.size === 0) continue
    run.signal.throwIfAborted()
    await rewriteModule(db, module, scope, source, { drop, write: byHolder.get(n) ?? [] })
    files++
  }
  return { fetched, removed: gone.length, files, refreshed: new Set(requested) }
}

/** Returns which of these the database has completely, in the version that Zoho lists. */
async function sameVersion(db: Database, scope: ModuleScope, ids: string[], listed: Listed): Promise<Set<string>> {
  const rows = await db.$queryRaw<{ record_id: string; modified_at: Date | null }[]>`
    select record_id, modified_at from zoho_record
    where app = ${scope.app} and module = ${scope.module} and deleted_at is null and detailed and not needs_detail and record_id = any(${ids})`
  return new Set(rows.filter((row) => row.modified_at?.getTime() === listed.get(row.record_id)?.modified).map((row) => row.record_id))
}
