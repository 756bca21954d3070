import { config as readEnvFile } from 'dotenv'
import { printFirstLogin } from './auth/print-first-login.ts'
import { type FetchResult, fetchResult } from './cli/fetch.ts'
import { readStatus, type Status } from './cli/status.ts'
import { type Config, parseConfig } from './config.ts'
import { BadGatewayError } from './lib/errors.ts'
import { createLogger } from './lib/logger.ts'
import { parseTimestamp } from './lib/parse-timestamp.ts'
import { resumeUnfinished } from './pulls/resume-unfinished.ts'
import { saidByRun } from './runs/because.ts'
import type { PullModule, PullSession, PullRequest as Request, VerifyReport } from './schemas/pulls.ts'
import { PullRequest } from './schemas/pulls.ts'
import { openServices, type Services } from './services.ts'

export type { FetchResult } from './cli/fetch.ts'
export type { Status } from './cli/status.ts'
export { AppError } from './lib/errors.ts'
export type { PullModule, PullSession, VerifyReport } from './schemas/pulls.ts'

export interface RunnerOptions {
  /**
   * DEBUG, INFO, WARNING or ERROR in any case; WARNING by default. Logs go to stdout as JSON lines.
   */
  logLevel?: string
  /** Replaces the process's environment and `.env`: the keys of `.env.example`. */
  environment?: Record<string, string | undefined>
}

export interface FetchOptions {
  /** List everything again and detect deletions; details still only for what is new or changed. */
  fullSync?: boolean
  /** Only what was modified since: a Date, or ISO 8601. */
  since?: Date | string
  /** False: files under `raw_json/` instead of a session folder. */
  useSessionFolder?: boolean
  /** False: list rows only, without a call for each document. */
  lineItems?: boolean
}

export interface VerifyOptions {
  /** No call to Zoho: hashes, line items, and the database. */
  quick?: boolean
  /** Fetch only what differs and rewrite the files that contain it. */
  repair?: boolean
  session?: string
  directory?: string
  modules?: PullModule[]
}

export type Runner = ReturnType<typeof createRunner>

const LEVELS: Record<string, string> = { debug: 'debug', info: 'info', warning: 'warn', warn: 'warn', error: 'error', silent: 'silent' }
const BY = { startedBy: 'script' }

/**
 * The command line's functions for scripts: `import { createRunner } from 'zinc'`. Everything is
 * opened when a call needs it, next to a running server or alone, and closed when the last call has
 * ended, so that a script exits normally. Calls throw AppError (`code`, `message`,
 * `detail.remedy`); a pull in which a module failed does not throw, its `status` says so.
 */
export function createRunner({ logLevel = 'WARNING', environment }: RunnerOptions = {}) {
  let open: Promise<Services> | null = null
  let users = 0

  async function openAll(): Promise<Services> {
    if (!environment) readEnvFile({ quiet: true })
    const config: Config = parseConfig(environment ?? process.env)
    return openServices(config, createLogger(LEVELS[logLevel.toLowerCase()] ?? 'warn'), { onFirstLogin: printFirstLogin })
  }

  async function using<T>(work: (services: Services) => Promise<T>): Promise<T> {
    users++
    try {
      open ??= openAll()
      return await work(await open)
    } finally {
      users--
      if (users === 0) {
        const closing = open
        open = null
        const services = await closing?.catch(() => null)
        await services?.[Symbol.asyncDispose]()
      }
    }
  }

  const follow = ({ db, runs }: Services) => ({
    db,
    runs,
    watch: (runId: string) => runs.wait(runId, new AbortController().signal),
    say: () => {},
  })

  async function pull(modules: Request['modules'], { fullSync = false, since, useSessionFolder = true, lineItems = true }: FetchOptions) {
    return using(async (services): Promise<FetchResult> => {
      const request = PullRequest.parse({
        modules,
        full: fullSync,
        session: useSessionFolder,
        line_items: lineItems,
        ...(since !== undefined && { since: (since instanceof Date ? since : parseTimestamp('since', since)).toISOString() }),
      })
      const run = await resumeUnfinished(follow(services), () => services.pulls.start(request, BY), request)
      return fetchResult(services, run)
    })
  }

  return {
    /** Pulls one module, or several, after resuming what a killed process left unfinished. */
    fetchData: (module: PullModule | PullModule[], options: FetchOptions = {}): Promise<FetchResult> =>
      pull(Array.isArray(module) ? module : [module], options),

    /** Pulls every module. */
    fetchAllModules: (options: FetchOptions = {}): Promise<FetchResult> => pull(undefined, options),

    /**
     * Compares the files with Zoho. `ok` of the result says whether everything exists and is right.
     */
    verifyData: ({ repair = false, ...params }: VerifyOptions = {}): Promise<VerifyReport> =>
      using(async (services) => {
        const run = await resumeUnfinished(follow(services), () => services.pulls.check(params, { repair, ...BY }), null)
        const report = await services.pulls.reportOf(run)
        if (report) return report
        throw new BadGatewayError(saidByRun(run, 'not_verified.unfinished'))
      }),

    /** Returns settings (masked), sign-in, last sync of each module, images, quota, sessions. */
    getStatus: (): Promise<Status> => using((services) => readStatus(services, new AbortController().signal)),

    /** Returns session folders, newest first. */
    listSyncSessions: (): Promise<PullSession[]> => using((services) => services.pulls.sessions.list()),
  }
}
