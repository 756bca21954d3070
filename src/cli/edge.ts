import { type Command, Option } from 'commander'
import { checkServer } from '../edge-client/check.ts'
import { SERVICE_FORMATS, type ServiceFormat } from '../edge-client/service-definition.ts'
import { readEdgeStatus } from '../edge-client/status.ts'
import { BadRequestError } from '../lib/errors.ts'
import { RATE_LIMIT_HELP } from '../schemas/rate-limit.ts'
import type { CommandContext, ExitStatus } from './context.ts'
import { megabytes } from './edge-display.ts'
import {
  type AskPassword,
  age,
  LISTEN_HELP,
  listenAddress,
  noToken,
  passwordOf,
  peerAddresses,
  positive,
  rateLimit,
  serverAddress,
  TOKEN_FILE_HELP,
  TOKEN_HELP,
  type TokenOptions,
  tokenOf,
  VARIANT_HELP,
  variantName,
  warnOfPlainHttp,
} from './edge-options.ts'
import { type PullCall, runPull } from './edge-pull.ts'
import { edgeService, type InstallCall, installService, printService } from './edge-service.ts'

/** What the commands of an edge server need: no database, and no settings of a server. */
export type EdgeAction = <A extends unknown[]>(
  work: (context: EdgeContext, ...args: A) => Promise<ExitStatus | undefined>,
) => (...args: A) => Promise<void>
export type EdgeContext = Pick<CommandContext, 'json' | 'terminal' | 'signal' | 'say' | 'result'>

/** `self`: the command of this program, up to the word before `pull`. */
export function addEdgeCommands(edge: Command, action: EdgeAction, self: string[], askPassword?: AskPassword): void {
  edge
    .command('pull')
    .description("sync a folder with the store's images; continues where it was stopped")
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--token-file <file>', TOKEN_FILE_HELP)
    .option('--token <token>', TOKEN_HELP)
    .requiredOption('--dir <dir>', 'the folder')
    .option('--variant <variant>', VARIANT_HELP, variantName)
    .option('--watch <seconds>', 'keep running and pull at this interval', positive)
    .option('--verify', 'verify the checksum of every local file')
    .option('--limit <limit>', RATE_LIMIT_HELP, rateLimit)
    .option('--share', 'fetch from other edge servers of the store, and let them fetch from this one')
    .option('--listen <host:port>', LISTEN_HELP, listenAddress)
    .option('--peers <list>', 'edge servers that multicast DNS does not find, as host:port,host:port', peerAddresses)
    .option('--adopt <dir>', 'reuse the images in a folder of another client instead of downloading them')
    .action(
      action(async (context, { token: given, tokenFile, ...call }: PullCall & TokenOptions) => {
        process.title = 'zinc edge pull'
        const token = await tokenOf({ token: given, tokenFile }, context)
        if (!token) throw noToken('edge pull')
        warnOfPlainHttp(call.server, context)
        return runPull({ ...call, token }, context)
      }),
    )
  edge
    .command('check')
    .description('test list, download, MD5, report and incremental list against a server')
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--username <name>', 'zinc user; the password is read from ZINC_PASSWORD or a prompt')
    .option('--token-file <file>', `instead of a user: ${TOKEN_FILE_HELP}`)
    .option('--token <token>', TOKEN_HELP)
    .action(
      action(
        async (context, { server, store, username, ...given }: { server: string; store: string; username?: string } & TokenOptions) => {
          process.title = 'zinc edge check'
          // A username that was passed takes precedence over a token in the environment.
          const token = username && !given.token && !given.tokenFile ? undefined : await tokenOf(given, context)
          if (!username && !token) throw new BadRequestError('no_login')
          warnOfPlainHttp(server, context)
          const access = token
            ? { token }
            : { username: username ?? '', password: await passwordOf(username ?? '', context.signal, askPassword) }
          const checks = await checkServer({ server, storeId: store, access, signal: context.signal })
          const ok = checks.every((check) => check.ok)
          const lines = checks.map(
            ({ ok, name, ms, message }) => `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(11)} ${String(ms).padStart(5)} ms  ${message}`,
          )
          context.result({ status: ok ? 'success' : 'failed', ok, checks }, lines.join('\n'))
          return ok ? 0 : 1
        },
      ),
    )
  edge
    .command('status')
    .description('show the status of a folder: last contact with head office, missing and failed images')
    .requiredOption('--dir <dir>', 'the folder')
    .option('--max-age <age>', 'exit with status 1 if the last contact is older, in seconds or as 15m, 2h', age)
    .option('--json', 'print one JSON document')
    .action(
      action(async (context, { dir, maxAge, json = false }: { dir: string; maxAge?: number; json?: boolean }) => {
        const status = await readEdgeStatus(dir)
        const contactAt = status.last_contact_at === null ? null : new Date(status.last_contact_at)
        const { behind, pictures, bytes, errors } = status
        const lines = [
          contactAt === null ? 'This folder has not contacted head office yet.' : `last contact  ${contactAt.toISOString()}`,
          `images        ${pictures} (${megabytes(bytes)})`,
          `missing       ${behind}`,
          ...errors.slice(0, 20).map(({ photo_id, error, at }) => `failed        ${photo_id} at ${at}: ${error}`),
        ]
        if (json && !context.json) console.log(JSON.stringify(status))
        else context.result(status, lines.join('\n'))
        const tooOld = maxAge !== undefined && (contactAt === null || Date.now() - contactAt.getTime() > maxAge * 1_000)
        return contactAt === null || tooOld ? 1 : 0
      }),
    )
  edge
    .command('install')
    .description('install a service (systemd) that keeps a folder up to date')
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .requiredOption('--dir <dir>', 'the folder')
    .option('--token-file <file>', TOKEN_FILE_HELP)
    .option('--token <token>', TOKEN_HELP)
    .option('--variant <variant>', VARIANT_HELP, variantName)
    .option('--limit <limit>', RATE_LIMIT_HELP, rateLimit)
    .option('--share', 'fetch from other edge servers of the store, and let them fetch from this one')
    .option('--listen <host:port>', LISTEN_HELP, listenAddress)
    .option('--peers <list>', 'edge servers that multicast DNS does not find, as host:port,host:port', peerAddresses)
    .option('--watch <seconds>', 'interval between checks for changes (default: 60)', positive)
    .option('--user <name>', 'account to run the service as')
    .addOption(
      new Option('--print [system]', 'print the service definition without installing it')
        .choices(Object.keys(SERVICE_FORMATS))
        .preset('systemd'),
    )
    .action(
      action(async (context, { token: given, tokenFile, print, ...call }: InstallCall & TokenOptions & { print?: ServiceFormat }) => {
        const service = edgeService(call, self)
        if (print !== undefined) {
          const text = printService(service, print)
          context.result({ status: 'success', name: service.name, text }, text.trimEnd())
          return 0
        }
        const token = await tokenOf({ token: given, tokenFile }, context)
        if (!token) throw noToken('edge install')
        const unit = await installService(service, { store: call.store, token })
        context.result({ status: 'success', unit }, `${unit} is installed and running. To see its log: journalctl -u ${unit}`)
        return 0
      }),
    )
}
