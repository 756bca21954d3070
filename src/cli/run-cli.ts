import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { config as readEnvFile } from 'dotenv'
import { printFirstLogin } from '../auth/print-first-login.ts'
import { type Config, parseConfig } from '../config.ts'
import { AppError, BadRequestError, NotFoundError, StartupError } from '../lib/errors.ts'
import { createLogger } from '../lib/logger.ts'
import { listenForShutdown } from '../lib/shutdown-signal.ts'
import { toStartupError } from '../lib/startup-error.ts'
import type { Services } from '../services.ts'
import type { Action, CommandContext, ExitStatus } from './context.ts'
import { isPromptCancelled } from './prompt-password.ts'
import { addCommands } from './register.ts'

const LEVELS: Record<string, string> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' }
/**
 * A command that hangs while it closes is ended after this; the next start repairs what was
 * interrupted.
 */
const CLOSE_WITHIN_MS = 10_000

/**
 * Runs a command line without the program's name; returns the exit status. Nothing is opened before
 * a command needs it.
 */
export async function runCli(argv: string[], env: NodeJS.ProcessEnv): Promise<ExitStatus> {
  let status: ExitStatus = 0
  using stop = listenForShutdown()
  // Without a listener a closed pipe would end the process before it has closed what it opened.
  const onOutputError = (error: Error) => {
    if (!isClosedPipe(error)) throw error
  }
  process.stdout.on('error', onOutputError)

  const program = new Command('zinc')
    .description('Zoho item and image catalogue: syncs a shop’s items and images from Zoho to its stores.')
    .option('--log-level <level>', 'DEBUG, INFO, WARNING or ERROR', 'WARNING')
    .option('--json', 'print one JSON document', false)
    .showHelpAfterError('Use --help to see usage.')
    .exitOverride()

  const action: Action =
    (work) =>
    async (...args) => {
      const options = program.opts<{ logLevel: string; json: boolean }>()
      let services: Services | undefined
      try {
        const level = LEVELS[options.logLevel.toUpperCase()]
        if (!level) throw new BadRequestError('invalid_log_level')
        readEnvFile({ quiet: true, processEnv: env as Record<string, string> })
        const config = parseConfig(env)
        const log = createLogger(level)
        const context: CommandContext = {
          config,
          json: options.json,
          terminal: process.stderr.isTTY === true && !options.json,
          log,
          signal: stop.signal,
          async services({ mustExist = false } = {}) {
            if (!services) {
              if (mustExist) await refuseMissingDatabase(config)
              // Loaded here, since most of zinc depends on it, and an edge server's pull needs none
              // of it.
              const { openServices } = await import('../services.ts')
              services = await openServices(config, log, { signal: stop.signal, onFirstLogin: printFirstLogin })
            }
            return services
          },
          say: (line) => void (options.json || console.error(line)),
          result: (data, text) => console.log(options.json ? JSON.stringify(data) : text),
        }
        status = (await work(context, ...args)) ?? 0
      } catch (error) {
        status = explain(error, { json: options.json, stopped: stop.signal.aborted })
      } finally {
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
    // Help and version are thrown too, with status 0; every other commander error is a wrong call.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  } finally {
    process.stdout.removeListener('error', onOutputError)
  }
}

/**
 * A command that only reads must not create a database, and an admin with a password, where none
 * exists. Throws NotFoundError `no_database`.
 */
async function refuseMissingDatabase({ databaseUrl, dataDir }: Config): Promise<void> {
  if (databaseUrl !== undefined || existsSync(join(dataDir, 'postgres'))) return
  const { findDemo } = await import('./demo.ts')
  throw new NotFoundError('no_database', { folder: dataDir, demo: Boolean(await findDemo(dataDir)) })
}

/** `zinc export … | head` has read what it wanted: there is no reader for an error message. */
const isClosedPipe = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPIPE'

/** Prints what happened and what to do next; returns the exit status. */
function explain(error: unknown, { json, stopped }: { json: boolean; stopped: boolean }): ExitStatus {
  if (stopped) {
    console.error('Stopped. Completed work is kept; the next run continues from there.')
    return 1
  }
  if (isClosedPipe(error)) return 0
  if (isPromptCancelled(error)) {
    console.error('Nothing was selected.')
    return 1
  }
  const failure = error instanceof AppError && !(error instanceof StartupError) ? error : toStartupError(error)
  if (!failure) {
    console.error(error)
    return 1
  }
  const remedy = typeof failure.detail?.remedy === 'string' ? failure.detail.remedy : undefined
  if (json) console.log(JSON.stringify({ status: 'error', code: failure.code, message: failure.message, detail: failure.detail ?? {} }))
  else console.error(`zinc: ${failure.message}${remedy === undefined ? '' : `\n${remedy}`}`)
  if (failure instanceof StartupError) return failure.exitStatus
  return failure instanceof BadRequestError ? 2 : 1
}
