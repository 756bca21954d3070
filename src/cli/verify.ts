import { stat, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { PRIVATE_FILE_MODE } from '../lib/data-dir.ts'
import { BadGatewayError, BadRequestError } from '../lib/errors.ts'
import { reportText } from '../pulls/verify/format-report.ts'
import { saidByRun } from '../runs/because.ts'
import type { Action, ExitStatus } from './context.ts'
import { BY, readApp, readModules, runPull } from './pull-args.ts'

interface VerifyOptions {
  directory?: string
  modules?: string
  output?: string
  quick?: true
  session?: string
  repair?: true
  app: string
}

export function addVerify(program: Command, action: Action): void {
  program
    .command('verify')
    .description('verify the pulled files against Zoho: IDs, totals per currency, line items against headers, file hashes')
    .option('-d, --directory <dir>', 'verify a raw_json/<stamp> folder instead of the latest state')
    .option('-m, --modules <names>', 'modules to verify, separated by commas')
    .option('-o, --output <file>', 'also write the report to a file (JSON if it ends in .json)')
    .option('--quick', 'make no API calls: check hashes, line items and the database')
    .option('-s, --session <session>', 'verify the state as of this session')
    .option('--repair', 'fetch the records that differ and rewrite the affected files')
    .option('--app <app>', 'books or invoice', 'books')
    .action(
      action(async (context, options: VerifyOptions): Promise<ExitStatus> => {
        const { directory, session, quick, repair, output } = options
        if (directory !== undefined && session !== undefined) throw new BadRequestError('invalid_options.directory_and_session')
        if (quick && repair) throw new BadRequestError('invalid_options.quick_repair')
        if (directory !== undefined && !(await isFolder(directory))) throw new BadRequestError('no_such_folder', { directory })
        const modules = options.modules === undefined ? undefined : readModules([options.modules])
        const { pulls } = await context.services({ mustExist: true })
        const params = {
          app: readApp(options.app),
          quick: quick ?? false,
          ...(directory !== undefined && { directory }),
          ...(session !== undefined && { session: nameOf(session) }),
          ...(modules && { modules }),
        }
        const run = await runPull(context, () => pulls.check(params, { repair: repair ?? false, ...BY }), null)
        const report = await pulls.reportOf(run)
        if (!report)
          throw new BadGatewayError(
            saidByRun(run, 'not_verified.unfinished', { ...(run.resumes_at && { resumes_at: run.resumes_at.toISOString() }) }),
          )
        const text = reportText(report)
        if (output !== undefined)
          await writeFile(output, context.json || output.endsWith('.json') ? `${JSON.stringify(report, null, 2)}\n` : text, {
            mode: PRIVATE_FILE_MODE,
          })
        context.result(report, text.trimEnd())
        return report.ok ? 0 : 1
      }),
    )
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (it) => it.isDirectory(),
    () => false,
  )

/** People pass a name, a stamp or a path. */
function nameOf(session: string): string {
  const last = session.replace(/\/+$/, '').split('/').at(-1) ?? ''
  return last.startsWith('sync_session_') ? last : `sync_session_${last}`
}
