import './low-memory-flags.ts'
import { Command, CommanderError } from 'commander'
import { AppError, BadRequestError } from '../lib/errors.ts'
import { listenForShutdown } from '../lib/shutdown-signal.ts'
import type { ExitStatus } from './context.ts'
import { addEdgeCommands, type EdgeAction } from './edge.ts'
import { serverAddress, warnOfPlainHttp } from './edge-options.ts'
import { restartServices } from './edge-service.ts'
import { upgradeClient } from './edge-upgrade.ts'

/** The edge client as one file for machines without zinc: `node zinc-edge.js pull …`. */
async function main(): Promise<ExitStatus> {
  let status: ExitStatus = 0
  using stop = listenForShutdown()
  const program = new Command('zinc-edge')
    .description('Keeps a folder in sync with the images of a store.')
    .option('--json', 'print one JSON document', false)
    .showHelpAfterError('Use --help to see usage.')
    .exitOverride()
  const action: EdgeAction =
    (work) =>
    async (...args) => {
      const { json } = program.opts<{ json: boolean }>()
      try {
        const context = {
          json,
          terminal: process.stderr.isTTY === true && !json,
          signal: stop.signal,
          say: (line: string) => void (json || console.error(line)),
          result: (data: unknown, text: string) => console.log(json ? JSON.stringify(data) : text),
        }
        status = (await work(context, ...args)) ?? 0
      } catch (error) {
        status = error instanceof BadRequestError ? 2 : 1
        if (stop.signal.aborted) console.error('Stopped. Completed work is kept; the next run continues from there.')
        else if (!(error instanceof AppError)) console.error(error)
        else {
          const { code, message, detail = {} } = error
          if (json) console.log(JSON.stringify({ status: 'error', code, message, detail }))
          else console.error(`zinc-edge: ${message}${typeof detail.remedy === 'string' ? `\n${detail.remedy}` : ''}`)
        }
      }
    }
  const file = process.argv[1] ?? 'zinc-edge.js'
  addEdgeCommands(program, action, [process.execPath, file])
  program
    .command('upgrade')
    .description('replace this file by the one that head office serves, and restart the services that run it')
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .action(
      action(async (context, { server }: { server: string }) => {
        warnOfPlainHttp(server, context)
        const { sha256, changed } = await upgradeClient({ server, file }, context.signal)
        const units = changed ? await restartServices(file) : []
        const restarted = units.length > 0 ? `, and ${units.join(', ')} restarted` : ''
        context.result(
          { status: 'success', changed, sha256, restarted: units },
          changed ? `zinc-edge.js is upgraded (SHA-256 ${sha256})${restarted}.` : 'zinc-edge.js is up to date.',
        )
        return 0
      }),
    )
  try {
    if (process.argv.length === 2) {
      program.outputHelp({ error: true })
      return 2
    }
    await program.parseAsync()
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

void main().then((status) => process.exit(status))
