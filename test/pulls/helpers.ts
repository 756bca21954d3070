import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../src/generated/client.ts'
import { PULL } from '../../src/pulls/checkpoint.ts'
import { PULL_REPAIR, PULL_VERIFY } from '../../src/pulls/verify/verify-run.ts'
import type { VerifyReport } from '../../src/schemas/pulls.ts'
import { startZinc } from '../helpers/zinc.ts'

export type Row = Record<string, unknown>

/** A few records of each module: enough for every way in which they are read, and quick. */
export const SMALL = {
  invoices: 45,
  contacts: 20,
  customerpayments: 12,
  bills: 9,
  vendorpayments: 6,
  salesorders: 8,
  purchaseorders: 5,
  creditnotes: 7,
}

/** zinc beside a Books that listens, and a way to pull, to check and to look into the files. */
export async function startPulls(options: Parameters<typeof startZinc>[0] = {}) {
  const zinc = await startZinc({ books: SMALL, ...options })
  const { runs, pulls } = zinc.services
  const sessionsDir = join(zinc.dataDir, 'sync_sessions')
  const start = async (kind: string, params: object): Promise<Run> => {
    const { run_id } = await runs.start(kind, params as never, { startedBy: 'test' })
    return runs.wait(run_id, new AbortController().signal)
  }
  const rawPath = async (session: string, file: string) =>
    join(sessionsDir, session, 'raw_json', session.replace('sync_session_', ''), file)

  return {
    zinc,
    books: zinc.zoho.books,
    pull: (params: object = {}) => start(PULL, params),
    async check(params: object = {}, { repair = false } = {}): Promise<VerifyReport> {
      const run = await start(repair ? PULL_REPAIR : PULL_VERIFY, params)
      const report = await pulls.reportOf(run)
      if (!report) throw new Error(`no report: ${run.state} ${run.cause}`)
      return report
    },
    async sessions(): Promise<string[]> {
      return (await readdir(sessionsDir)).sort()
    },
    /** The newest finished session's name. */
    async newest(): Promise<string> {
      return (await readdir(sessionsDir))
        .filter((it) => !it.startsWith('.'))
        .sort()
        .at(-1)!
    },
    rawPath,
    async rows(session: string, file: string): Promise<Row[]> {
      return JSON.parse(await readFile(await rawPath(session, file), 'utf8')) as Row[]
    },
    async json(session: string, file: string): Promise<Row> {
      return JSON.parse(await readFile(join(sessionsDir, session, file), 'utf8')) as Row
    },
    /** Alters a file behind zinc's back. */
    async tamper(session: string, file: string, change: (rows: Row[]) => Row[]): Promise<void> {
      const path = await rawPath(session, file)
      await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as Row[])))
    },
  }
}
