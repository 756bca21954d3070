import type { BooksModule } from '../../facts/books-modules.ts'
import type { Clock } from '../../lib/clock.ts'
import { BadGatewayError } from '../../lib/errors.ts'
import type { RunContext } from '../../runs/run-handler.ts'
import { readBooksDetail } from '../../zoho/books.ts'
import type { ZohoClient } from '../../zoho/client.ts'
import { ZohoNotFoundError } from '../../zoho/errors.ts'
import { itemsById } from '../../zoho/inventory.ts'
import { type ModuleScope, pageRange } from '../checkpoint.ts'
import { markDeleted } from '../records/upsert.ts'

/**
 * A loss of more than this share, and of more than a few, is treated as Zoho's mistake rather than
 * the shop's intention.
 */
const MAX_DELETE_RATIO = 0.2
const BRAKE_COUNT = 10

export interface RemovalPhase {
  zoho: ZohoClient
  clock: Clock
  module: BooksModule
  scope: ModuleScope
  confirmed: boolean
}

/** Returns which of these Zoho has really deleted, each requested by its id. */
export async function confirmDeleted(
  { zoho, module, scope }: Pick<RemovalPhase, 'zoho' | 'module' | 'scope'>,
  { ids, runId }: { ids: string[]; runId: string },
  signal: AbortSignal,
): Promise<string[]> {
  if (module.name === 'items' && scope.app === 'books') {
    const { found, refused } = await itemsById(zoho, { ids, runId }, signal)
    return ids.filter((id) => !found.has(id) && !refused.includes(id))
  }
  const gone: string[] = []
  for (const id of ids) {
    try {
      await readBooksDetail(zoho, module, { app: scope.app, id, runId }, signal)
    } catch (error) {
      if (!(error instanceof ZohoNotFoundError)) throw error
      gone.push(id)
    }
  }
  return gone
}

/**
 * Marks records as deleted that a complete list lacked and that Zoho confirms as deleted. Returns
 * how many. Throws BadGatewayError `mass_delete_stopped`, before any call or change, when more than
 * a fifth and more than ten would be deleted.
 */
export async function removeMissing(run: RunContext, { zoho, clock, module, scope, confirmed }: RemovalPhase): Promise<number> {
  const { from, to } = pageRange(module)
  const candidates = await run.fenced(
    (tx) => tx.$queryRaw<{ record_id: string }[]>`
      -- Not "not exists": right after a large load the table has no statistics yet, and PostgreSQL
      -- compared each row with each until the statement timeout.
      select record_id from zoho_record where app = ${scope.app} and module = ${module.name} and deleted_at is null
      except select unnest(ids) from run_page where run_id = ${run.id}::uuid and number between ${from} and ${to}
      order by record_id`,
  )
  if (candidates.length === 0) return 0
  const known = await run.fenced((tx) => tx.zohoRecord.count({ where: { app: scope.app, module: module.name, deleted_at: null } }))
  if (candidates.length > BRAKE_COUNT && candidates.length > known * MAX_DELETE_RATIO && !confirmed) {
    throw new BadGatewayError('mass_delete_stopped.pull', { removed: candidates.length, known, module: module.name })
  }
  let removed = 0
  // A few at a time, so that after a crash not all of them are requested again.
  for (let at = 0; at < candidates.length; at += 100) {
    const ids = candidates.slice(at, at + 100).map((row) => row.record_id)
    const gone = await confirmDeleted({ zoho, module, scope }, { ids, runId: run.id }, run.signal)
    removed += await run.fenced((tx) => markDeleted(tx, scope, gone, { runId: run.id, at: clock.now() }))
  }
  return removed
}
