import { join } from 'node:path'
import type { Command } from 'commander'
import type { Run } from '../generated/client.ts'
import { BadRequestError } from '../lib/errors.ts'
import { parseTimestamp } from '../lib/parse-timestamp.ts'
import { moduleResult, PullCheckpoint } from '../pulls/checkpoint.ts'
import { sessionDir } from '../pulls/files/paths.ts'
import { PULL_MODULES, PullRequest } from '../schemas/pulls.ts'
import type { Services } from '../services.ts'
import type { Action, ExitStatus } from './context.ts'
import { BY, readApp, readModules, runPull } from './pull-args.ts'

interface FetchOptions {
  since?: string
  full?: true
  session: boolean
  lineItems: boolean
  confirmRemovals?: true
  app: string
}

export function addFetch(program: Command, action: Action): void {
  program
    .command('fetch <module...>')
    .description(`pull modules of Zoho Books into files and the database: all, or any of ${PULL_MODULES.join(' ')}`)
    .option('--since <time>', 'only records modified since this time (ISO 8601)')
    .option('--full', 'list everything again; also finds records deleted in Zoho')
    .option('--no-session', 'write files to raw_json/ instead of a session folder')
    .option('--no-line-items', 'only list rows, without an API call for each document')
    .option('--confirm-removals', 'allow removing more than 20 % of a module')
    .option('--app <app>', 'books or invoice', 'books')
    .action(
      action(async (context, words: string[], options: FetchOptions): Promise<ExitStatus> => {
        if (options.full && options.since !== undefined) throw new BadRequestError('invalid_options.since_and_full')
        const request = PullRequest.parse({
          app: readApp(options.app),
          modules: readModules(words),
          ...(options.since !== undefined && { since: parseTimestamp('--since', options.since).toISOString() }),
          full: options.full ?? false,
          line_items: options.lineItems,
          confirm_removals: options.confirmRemovals ?? false,
          session: options.session,
        })
        const services = await context.services()
        const run = await runPull(context, () => services.pulls.start(request, BY), request)
        const result = await fetchResult(services, run)
        context.result(result, describe(result))
        return run.state === 'success' ? 0 : 1
      }),
    )
}

export type FetchResult = Awaited<ReturnType<typeof fetchResult>>

/** Returns the result of a pull, for scripts and for people. */
export async function fetchResult({ db, pulls }: Pick<Services, 'db' | 'pulls'>, run: Run) {
  const at = PullCheckpoint.safeParse(run.checkpoint).data
  const { session } = PullRequest.parse(run.params)
  const folder = at && sessionDir(pulls.paths, { stamp: at.stamp, session })
  const ended = run.state === 'success' || run.state === 'partial' || (run.state === 'failed' && run.checkpoint !== null)
  return {
    status: run.state,
    run_id: run.id,
    session: at && session ? `sync_session_${at.stamp}` : null,
    folder: folder ? (ended ? folder.finished : folder.unfinished) : null,
    raw_json: folder ? join(ended ? folder.finished : folder.unfinished, folder.inner) : null,
    modules: (at?.modules ?? []).map(moduleResult),
    api_calls: await db.zohoCall.count({ where: { run_id: run.id } }),
    ...(run.resumes_at && { resumes_at: run.resumes_at.toISOString() }),
    ...(run.cause !== null && { cause: run.cause }),
    ...(run.remedy !== null && { remedy: run.remedy }),
  }
}

function describe(result: FetchResult): string {
  const lines = result.modules.map((it) => {
    const lineItems = it.line_items === null ? '' : `, ${it.line_items} line items`
    const what =
      it.state === 'failed'
        ? `failed: ${it.error?.message}`
        : it.state === 'success'
          ? `${it.records} records${lineItems} (${it.mode}; ${it.listed} listed, ${it.new} new, ${it.updated} updated, ${it.removed} removed)`
          : it.state
    return `${it.module.padEnd(17)} ${what}`
  })
  return [
    ...lines,
    `${result.status}: ${result.api_calls} calls to Zoho${result.folder === null ? '' : `, ${result.folder}`}`,
    ...(result.cause === undefined ? [] : [result.cause]),
    ...(result.remedy === undefined ? [] : [result.remedy]),
    ...(result.resumes_at === undefined
      ? []
      : [`resumes_at: ${result.resumes_at}. Until then a running zinc, or the next \`zinc fetch\`, carries it on.`]),
  ].join('\n')
}
