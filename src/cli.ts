import { Command, CommanderError } from 'commander'
import { config as readEnvFile } from 'dotenv'
import { addCommands } from './commands/all.ts'
import { isGivenUp } from './commands/given-up.ts'
import type { Action, ExitStatus, Tools } from './commands/tools.ts'
import { parseConfig } from './config.ts'
import { AppError, BadInput, CannotStart } from './errors.ts'
import { createLog } from './log.ts'
import type { Services } from './services.ts'

const LEVELS: Record<string, string> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' }
/** Long enough for a run to be parked; past it the next start repairs what was cut. */
const CLOSE_WITHIN_MS = 15_000

/** The command line: argv without the program's name in, exit status out. Nothing is opened before a command needs it. */
export async function runCli(argv: string[], env: NodeJS.ProcessEnv): Promise<ExitStatus> {
  let status: ExitStatus = 0
  const stopping = new AbortController()
  const onSignal = () => stopping.abort(new Error('stopped by a signal'))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, onSignal)
  // Without a listener a closed pipe would end the process before it has closed what it opened.
  const onOutputError = (error: Error) => {
    if (!isClosedPipe(error)) throw error
  }
  process.stdout.on('error', onOutputError)

  const program = new Command('zinc')
    .description("Keeps a shop's catalogue true everywhere.")
    .option('--log-level <level>', 'DEBUG, INFO, WARNING or ERROR', 'WARNING')
    .option('--json', 'answer with one JSON document', false)
    .showHelpAfterError('Add --help for how it is called.')
    .exitOverride()

  const action: Action =
    (work) =>
    async (...args) => {
      const options = program.opts<{ logLevel: string; json: boolean }>()
      let services: Services | undefined
      try {
        const level = LEVELS[options.logLevel.toUpperCase()]
        if (!level) throw new BadInput('bad_log_level', '--log-level must be DEBUG, INFO, WARNING or ERROR')
        readEnvFile({ quiet: true, processEnv: env as Record<string, string> })
        const config = parseConfig(env)
        const log = createLog(level)
        const tools: Tools = {
          config,
          json: options.json,
          terminal: process.stderr.isTTY === true && !options.json,
          log,
          signal: stopping.signal,
          async services() {
            if (!services) {
              // Loaded here, since most of zinc hangs on it, and an edge server's pull needs none of it.
              const { openServices } = await import('./services.ts')
              services = await openServices(config, log)
            }
            const { password } = services.firstAdmin
            if (password !== null) console.error(`First login: ${config.admin.username} / ${password}  (shown this once)`)
            services.firstAdmin.password = null
            return services
          },
          say: (line) => void (options.json || console.error(line)),
          answer: (data, text) => console.log(options.json ? JSON.stringify(data) : text),
        }
        status = (await work(tools, ...args)) ?? 0
      } catch (error) {
        status = explain(error, { json: options.json, stopped: stopping.signal.aborted })
      } finally {
        // A command that hangs while it closes must still end.
        const late = setTimeout(() => process.exit(1), CLOSE_WITHIN_MS)
        await services?.[Symbol.asyncDispose]()
        clearTimeout(late)
      }
    }

  await addCommands(program, action, { argv, runLine: (line) => runCli(line, env) })

  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return 2
    }
    await program.parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    // Help and version are thrown too, with status 0; everything else of commander's is a wrong call.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  } finally {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeListener(signal, onSignal)
    process.stdout.removeListener('error', onOutputError)
  }
}

/** `zinc export … | head` has read what it wanted: nobody is left to tell. */
const isClosedPipe = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPIPE'

/** Says what happened and what to do next; answers the exit status. */
function explain(error: unknown, { json, stopped }: { json: boolean; stopped: boolean }): ExitStatus {
  if (stopped) {
    console.error('Stopped; what is done is kept, and the next run carries on.')
    return 1
  }
  if (isClosedPipe(error)) return 0
  if (isGivenUp(error)) {
    console.error('Nothing was chosen.')
    return 1
  }
  if (!(error instanceof AppError)) {
    console.error(error)
    return 1
  }
  const remedy = typeof error.detail?.remedy === 'string' ? error.detail.remedy : undefined
  if (json) console.log(JSON.stringify({ status: 'error', code: error.code, message: error.message, detail: error.detail ?? {} }))
  else console.error(`zinc: ${error.message}${remedy === undefined ? '' : `\n${remedy}`}`)
  if (error instanceof CannotStart) return error.exitStatus
  return error instanceof BadInput ? 2 : 1
}
