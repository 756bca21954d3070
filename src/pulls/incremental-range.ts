import type { Database } from '../database/client.ts'
import type { BooksModule } from '../facts/books-modules.ts'
import type { PullRequest } from '../schemas/pulls.ts'
import { LIST_LAG_MS } from '../zoho/paginate.ts'
import { isAhead } from '../zoho/server-clock.ts'
import type { ModuleProgress } from './checkpoint.ts'

/**
 * Returns what to list: everything at first and with `full`; otherwise from `since`, or from the
 * module's own watermark.
 */
export async function rangeOf(
  db: Database,
  request: PullRequest,
  module: BooksModule,
  now: Date,
): Promise<Pick<ModuleProgress, 'mode' | 'since' | 'changed_in' | 'newest'>> {
  const known = await db.pullModule.findUnique({ where: { app_module: { app: request.app, module: module.name } } })
  const range = { changed_in: (known?.pull_count ?? 0) + 1, newest: known?.up_to?.toISOString() ?? null }
  if (request.since && !request.full) return { ...range, mode: 'since', since: new Date(request.since).toISOString() }
  if (request.full || !known?.full_at || isAhead(known.up_to, now)) return { ...range, mode: 'full', since: null }
  // A module without modified times is listed completely every time, which costs calls.
  return { ...range, mode: 'incremental', since: known.up_to ? new Date(known.up_to.getTime() - LIST_LAG_MS).toISOString() : null }
}
