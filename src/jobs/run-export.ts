import type { Db } from '../db.ts'
import { listRunRecords } from './run-records.ts'

const PAGE_ROWS = 500

/** A run with all that it failed at and did, as JSON text, a page at a time: a run of any size in little memory. */
export async function* exportRun(db: Db, { id, run }: { id: string; run: unknown }, signal: AbortSignal): AsyncGenerator<string> {
  yield `{"run":${JSON.stringify(run)},\n"failures":[`
  let before = '\n'
  for (let after = ''; ; ) {
    signal.throwIfAborted()
    const rows = await db.failure.findMany({
      where: { run_id: id, ...(after !== '' && { id: { gt: after } }) },
      orderBy: { id: 'asc' },
      take: PAGE_ROWS,
      omit: { run_id: true },
    })
    for (const row of rows) {
      yield before + JSON.stringify(row)
      before = ',\n'
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE_ROWS) break
    after = last.id
  }
  yield '],\n"records":['
  before = '\n'
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted()
    const rows = await listRunRecords(db, id, { after, limit: PAGE_ROWS })
    for (const row of rows) {
      yield before + JSON.stringify(row)
      before = ',\n'
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE_ROWS) break
    after = last.record_id
  }
  yield ']}\n'
}
