import type { Db } from '../database/client.ts'
import type { Failure } from '../generated/client.ts'
import { listRunRecords } from './run-records.ts'

const PAGE_ROWS = 500

/**
 * Yields the rows of a list as the inside of a JSON array. `read` returns the page after a row, or
 * the first one without it.
 */
async function* jsonRows<Row>(read: (after: Row | undefined) => Promise<Row[]>, signal: AbortSignal): AsyncGenerator<string> {
  let before = '\n'
  for (let last: Row | undefined; ; ) {
    signal.throwIfAborted()
    const rows = await read(last)
    for (const row of rows) {
      yield before + JSON.stringify(row)
      before = ',\n'
    }
    if (rows.length < PAGE_ROWS) return
    last = rows.at(-1)
  }
}

/**
 * Yields a run with all its failures and records as JSON text, a page at a time, so that a run of
 * any size needs little memory.
 */
export async function* exportRun(db: Db, { id, run }: { id: string; run: unknown }, signal: AbortSignal): AsyncGenerator<string> {
  yield `{"run":${JSON.stringify(run)},\n"failures":[`
  yield* jsonRows<Omit<Failure, 'run_id'>>(
    (last) =>
      db.failure.findMany({
        where: { run_id: id, ...(last && { id: { gt: last.id } }) },
        orderBy: { id: 'asc' },
        take: PAGE_ROWS,
        omit: { run_id: true },
      }),
    signal,
  )
  yield '],\n"records":['
  yield* jsonRows<Awaited<ReturnType<typeof listRunRecords>>[number]>(
    (last) => listRunRecords(db, id, { after: last?.record_id, limit: PAGE_ROWS }),
    signal,
  )
  yield ']}\n'
}
