import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import { type BooksModuleName, findBooksModule } from '../facts/books-modules.ts'
import type { Run } from '../generated/client.ts'
import { BadRequestError } from '../lib/errors.ts'
import type { RunHandler } from '../runs/run-handler.ts'
import type { Runs } from '../runs/runs.ts'
import {
  type PullPlan,
  PullPlanRequest,
  PullRequest,
  type RecordComparison,
  type SessionComparison,
  VerifyReport,
} from '../schemas/pulls.ts'
import { modulesOf, PULL } from './checkpoint.ts'
import { archiveOf } from './files/archive.ts'
import { compareRecord, compareSessions } from './files/compare-sessions.ts'
import { type PullPaths, stampOfSession } from './files/paths.ts'
import { createPullSessions } from './files/sessions.ts'
import { type PullPlanDeps, planPull } from './plan.ts'
import { createPull, type PullDeps } from './pull-run.ts'
import { createVerify, PULL_REPAIR, PULL_VERIFY, VerifyCheckpoint, type VerifyParams } from './verify/verify-run.ts'

export interface PullsDeps extends PullPlanDeps {
  paths: PullPaths
  runs: Runs
}

/** Returns the handlers of this folder's runs. */
export const pullHandlers = (deps: PullDeps): RunHandler[] => [
  createPull(deps),
  createVerify(deps, PULL_VERIFY),
  createVerify(deps, PULL_REPAIR),
]

export type Pulls = ReturnType<typeof createPulls>

/** Pulls for HTTP, the command line and scripts. */
export function createPulls(deps: PullsDeps) {
  const { db, clock, paths, runs } = deps
  const sessions = createPullSessions({ db, clock, paths })
  const opened = async (session: string) => ({ session, stamp: stampOfSession(session) ?? '', root: await sessions.folder(session) })

  return {
    sessions,
    paths,

    /**
     * Queues a pull. Throws BadRequestError `no_such_module` when the app has none of the requested
     * modules, ConflictError `sync_running`.
     */
    async start(request: z.input<typeof PullRequest>, { startedBy }: { startedBy: string }): Promise<{ run_id: string }> {
      const parsed = PullRequest.parse(request)
      checkModules(parsed)
      return runs.start(PULL, JSON.parse(JSON.stringify(parsed)), { startedBy })
    },

    /**
     * Returns what such a pull would cost; changes nothing. Throws as `start` does, and as Zoho's
     * client when records are counted there.
     */
    async plan(request: z.input<typeof PullPlanRequest>, signal: AbortSignal): Promise<PullPlan> {
      const parsed = PullPlanRequest.parse(request)
      checkModules(parsed)
      return planPull(deps, parsed, signal)
    },

    /**
     * Queues a check of files, or with `repair` the repair of what differs. Throws NotFoundError
     * `session_not_found`, ConflictError.
     */
    async check(params: Partial<VerifyParams>, { repair, startedBy }: { repair: boolean; startedBy: string }): Promise<{ run_id: string }> {
      if (params.session !== undefined) await sessions.folder(params.session)
      return runs.start(repair ? PULL_REPAIR : PULL_VERIFY, JSON.parse(JSON.stringify(params)), { startedBy })
    },

    /** Returns the report of a check that has ended; null when it ended without one. */
    async reportOf(run: Run): Promise<VerifyReport | null> {
      const at = VerifyCheckpoint.safeParse(run.checkpoint)
      return at.success ? VerifyReport.parse(JSON.parse(await readFile(at.data.report, 'utf8'))) : null
    },

    async archive(name: string): Promise<Readable> {
      return archiveOf(await sessions.folder(name), name)
    },

    async compare(a: string, b: string): Promise<SessionComparison> {
      return compareSessions(await opened(a), await opened(b))
    },
    async compareRecord(a: string, b: string, record: { module: BooksModuleName; id: string }): Promise<RecordComparison> {
      const module = findBooksModule(record.module)!
      return compareRecord(await opened(a), await opened(b), { module, id: record.id })
    },
  }
}

function checkModules(parsed: Pick<PullRequest, 'app' | 'modules'>): void {
  const found = modulesOf(parsed)
  const unknown = parsed.modules?.find((name) => !found.some((it) => it.name === name))
  if (unknown)
    throw new BadRequestError('no_such_module', {
      app: parsed.app === 'books' ? 'Books' : 'Invoice',
      module: unknown,
      modules: modulesOf({ app: parsed.app }).map((it) => it.name),
      fields: [{ field: 'modules', message: `no ${unknown}` }],
    })
}
