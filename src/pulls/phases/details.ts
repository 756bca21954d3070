import type { BooksModule } from '../../facts/books-modules.ts'
import { createBatchWriter } from '../../lib/batch-writes.ts'
import type { Clock } from '../../lib/clock.ts'
import { AppError } from '../../lib/errors.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import { readBooksDetail } from '../../zoho/books.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ConfigurationError, QuotaExceededError, ZohoNotFoundError, ZohoUnavailableError } from '../../zoho/errors.ts'
import type { ModuleScope } from '../checkpoint.ts'
import { idsNeedingDetail } from '../records/pending-details.ts'
import { markDeleted, upsertRecords } from '../records/upsert.ts'
import { toRecordRow } from './list.ts'

/** This number of documents in a row without an answer means an outage, not bad documents. */
const FAILURES_IN_A_ROW = 5
const BATCH = 200

export interface DetailPhase {
  zoho: ZohoClient
  clock: Clock
  module: BooksModule
  scope: ModuleScope
  changedIn: number
  concurrency: number
}

export interface DetailResult {
  fetched: number
  /** Deleted between the list and the detail. */
  removed: number
  failed: { id: string; error: AppError }[]
}

/**
 * Fetches the details of these documents and writes each before its worker requests the next.
 * Throws what stops all: the day's quota, an abort, sign-in, an outage.
 */
export async function fetchDetails(
  run: RunContext,
  { zoho, clock, module, scope, changedIn, concurrency }: DetailPhase,
  ids: string[],
  onDone: () => void = () => {},
): Promise<DetailResult> {
  const result: DetailResult = { fetched: 0, removed: 0, failed: [] }
  const save = createBatchWriter<{ id: string; row: ReturnType<typeof toRecordRow> | null }>((group) =>
    run.fenced(async (tx) => {
      const options = { runId: run.id, at: clock.now(), detailed: true, changedIn }
      await upsertRecords(
        tx,
        scope,
        group.flatMap(({ row }) => row ?? []),
        options,
      )
      const gone = group.filter(({ row }) => row === null).map(({ id }) => id)
      result.removed += await markDeleted(tx, scope, gone, options)
    }),
  )
  let next = 0
  let inARow = 0
  let fatal: unknown

  async function worker(): Promise<void> {
    while (fatal === undefined && next < ids.length) {
      const id = ids[next++]!
      try {
        run.signal.throwIfAborted()
        const row = await readBooksDetail(zoho, module, { app: scope.app, id, runId: run.id }, run.signal).catch((error: unknown) => {
          if (error instanceof ZohoNotFoundError) return null
          throw error
        })
        await save({ id, row: row && toRecordRow(row) })
        if (row) result.fetched++
        inARow = 0
        onDone()
      } catch (error) {
        const ofThisOne = error instanceof AppError && !(error instanceof QuotaExceededError) && !(error instanceof ConfigurationError)
        if (!ofThisOne || run.signal.aborted) fatal ??= error
        else {
          result.failed.push({ id, error })
          if (++inARow >= FAILURES_IN_A_ROW && error instanceof ZohoUnavailableError) fatal ??= error
        }
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  if (fatal !== undefined) throw fatal
  return result
}

/**
 * Fetches every pending detail of the module. Details that an earlier, crashed run fetched are no
 * longer pending.
 */
export async function fetchPendingDetails(
  run: RunContext,
  phase: DetailPhase,
  { among, onDone }: { among?: { runId: string; from: number; to: number } | undefined; onDone(): void },
): Promise<DetailResult> {
  const total: DetailResult = { fetched: 0, removed: 0, failed: [] }
  for (let after = ''; ; ) {
    const ids = await run.fenced((tx) => idsNeedingDetail(tx, phase.scope, { after, limit: BATCH, among }))
    if (ids.length === 0) return total
    after = ids.at(-1)!
    const { fetched, removed, failed } = await fetchDetails(run, phase, ids, onDone)
    total.fetched += fetched
    total.removed += removed
    total.failed.push(...failed)
  }
}
