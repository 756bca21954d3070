import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { Presets, SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { checkServer } from '../edge-client/check.ts'
import { LockedError } from '../edge-client/dir-lock.ts'
import { DiskFailure } from '../edge-client/disk-failure.ts'
import { type FailedTry, ForeignResponse, HttpError, NetworkError } from '../edge-client/http.ts'
import { type PullProgress, type PullResult, pull } from '../edge-client/pull.ts'
import { SERVICE_FORMATS, type ServiceFormat } from '../edge-client/service-definition.ts'
import { readEdgeStatus } from '../edge-client/status.ts'
import { AppError, BadRequestError, ServiceUnavailableError } from '../lib/errors.ts'
import { inEnglish, type MessageKey, message, messageAs } from '../messages/say.ts'
import { PhotoVariant } from '../schemas/photo-sync.ts'
import { parseRateLimit, RATE_LIMIT_HELP } from '../schemas/rate-limit.ts'
import type { CommandContext, ExitStatus } from './context.ts'
import { edgeService, type InstallCall, installService, printService } from './edge-service.ts'

/** Without a terminal a line is printed at most this often. */
const LINE_EVERY_MS = 5_000

const serverAddress = (text: string): string => {
  if (!/^https?:\/\/[^\s/]+/.test(text) || !URL.canParse(text)) throw new InvalidArgumentError('must be an http or https address')
  return text
}
const variantName = (text: string): PhotoVariant => {
  const read = PhotoVariant.safeParse(text)
  if (!read.success) throw new InvalidArgumentError('must be thumb, medium or original')
  return read.data
}
const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0')
  return value
}

/** Seconds, from a number or like `15m`. */
const age = (text: string): number => {
  const [, number, unit = 's'] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('must be seconds, or like 15m, 2h, 1d')
  return Number(number) * { s: 1, m: 60, h: 3_600, d: 86_400 }[(unit || 's') as 's' | 'm' | 'h' | 'd']
}
const rateLimit = (text: string): string => {
  if (parseRateLimit(text) === undefined) throw new InvalidArgumentError(`must be ${RATE_LIMIT_HELP}`)
  return text
}

const TOKEN_FILE_HELP = 'a file with the token of the edge server, mode 600'
const TOKEN_HELP =
  'the token itself, which other users of this machine can read meanwhile; - reads it from standard input. Better: ZINC_EDGE_TOKEN'

interface TokenOptions {
  token?: string | undefined
  tokenFile?: string | undefined
}

interface PullCall {
  server: string
  store: string
  dir: string
  variant?: PhotoVariant
  watch?: number
  verify?: boolean
  limit?: string
  adopt?: string
}

/** What the commands of an edge server need: no database, and no settings of a server. */
export type EdgeAction = <A extends unknown[]>(
  work: (context: EdgeContext, ...args: A) => Promise<ExitStatus | undefined>,
) => (...args: A) => Promise<void>
type EdgeContext = Pick<CommandContext, 'json' | 'terminal' | 'signal' | 'say' | 'result'>

/** `self`: the command of this program, up to the word before `pull`. */
export function addEdgeCommands(edge: Command, action: EdgeAction, self: string[]): void {
  edge
    .command('pull')
    .description("sync a folder with the store's images; continues where it was stopped")
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--token-file <file>', TOKEN_FILE_HELP)
    .option('--token <token>', TOKEN_HELP)
    .requiredOption('--dir <dir>', 'the folder')
    .option('--variant <variant>', 'thumb, medium or original (default: the setting of the store)', variantName)
    .option('--watch <seconds>', 'keep running and pull at this interval', positive)
    .option('--verify', 'verify the checksum of every local file')
    .option('--limit <limit>', RATE_LIMIT_HELP, rateLimit)
    .option('--adopt <dir>', 'reuse the images in a folder of another client instead of downloading them')
    .action(
      action(async (context, { token: given, tokenFile, ...call }: PullCall & TokenOptions) => {
        process.title = 'zinc edge pull'
        const token = await tokenOf({ token: given, tokenFile }, context)
        if (!token) throw noToken('edge pull')
        warnOfPlainHttp(call.server, context)
        return pullOnce({ ...call, token }, context)
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
          const access = token ? { token } : { username: username ?? '', password: await passwordOf(username ?? '', context.signal) }
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
    .option('--variant <variant>', 'thumb, medium or original (default: the setting of the store)', variantName)
    .option('--limit <limit>', RATE_LIMIT_HELP, rateLimit)
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

const noToken = (command: string) => new BadRequestError('no_token', { command })

/**
 * Returns the token from --token-file, from standard input (`--token -`), from the argument,
 * otherwise from ZINC_EDGE_TOKEN. Undefined: none was passed. Throws BadRequestError `token_twice`,
 * `no_token`, `token_file_unreadable`.
 */
async function tokenOf({ token, tokenFile }: TokenOptions, { say }: EdgeContext): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) throw new BadRequestError('token_twice')
  const one = (text: string, from: string): string => {
    const found = text.trim()
    if (found === '' || /\s/.test(found)) throw new BadRequestError(found === '' ? 'no_token.empty' : 'no_token.not_only', { from })
    return found
  }
  if (tokenFile !== undefined) {
    const text = await readFile(tokenFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new BadRequestError('token_file_unreadable', { file: tokenFile, error: cause.code ?? '' }, { cause })
    })
    return one(text, tokenFile)
  }
  if (token === '-') return one(await readAll(process.stdin), 'standard input')
  if (token !== undefined) {
    say(
      'warning: a token on the command line is visible to every user of this machine while zinc starts, and stays in the shell history. Use --token-file, ZINC_EDGE_TOKEN or --token -.',
    )
    return one(token, '--token')
  }
  return process.env.ZINC_EDGE_TOKEN?.trim() || undefined
}

/**
 * The token could be read on the way, and an attacker who can change the responses could choose the
 * images.
 */
function warnOfPlainHttp(server: string, { say }: EdgeContext): void {
  const { protocol, hostname } = new URL(server)
  const loopback = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname)
  if (protocol === 'http:' && !loopback)
    say(`warning: ${server} is not encrypted: the token and the images can be read and changed in transit. Use https.`)
}

/**
 * Returns the password from ZINC_PASSWORD, otherwise from a prompt. Never from an argument: those
 * are in the process list. Throws BadRequestError `no_password` without a terminal.
 */
async function passwordOf(username: string, signal: AbortSignal): Promise<string> {
  const given = process.env.ZINC_PASSWORD
  if (given) return given
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new BadRequestError('no_password', { username })
  const { password } = await import('@inquirer/prompts')
  return password({ message: `Password of ${username}` }, { signal, output: process.stderr })
}

async function pullOnce({ watch, ...call }: PullCall & { token: string }, context: EdgeContext): Promise<ExitStatus> {
  for (;;) {
    const status = await onePull(call, context).catch((error: unknown) => {
      // A watch ends by being stopped, whatever it was doing.
      if (watch !== undefined && context.signal.aborted) return 0 as const
      // A watch continues while the server is unavailable for hours or the store is paused, but not
      // with a refused token.
      if (watch === undefined || !(error instanceof ServiceUnavailableError)) throw error
      context.say(`${error.message}; retrying in ${watch} s`)
      return 1 as const
    })
    if (watch === undefined) return status
    if (context.signal.aborted) return 0
    await pause(watch * 1000, undefined, { signal: context.signal }).catch(() => {})
    if (context.signal.aborted) return 0
  }
}

async function onePull(
  { server, store, token, dir, variant, verify = false, limit, adopt }: PullCall & { token: string },
  context: EdgeContext,
): Promise<ExitStatus> {
  const show = createDisplay(context)
  let result: PullResult
  try {
    result = await pull({
      server,
      storeId: store,
      token,
      dir,
      variant: variant ?? null,
      verify,
      rateLimit: limit === undefined ? undefined : parseRateLimit(limit),
      adoptFrom: adopt,
      signal: context.signal,
      onProgress: show.progress,
      onFailedTry: show.failedTry,
      onWarning: (message) => show.line(`warning: ${message}`),
    })
  } catch (error) {
    throw inWords(error, dir)
  } finally {
    show.stop()
  }
  const { fetched, adopted, removed, unchanged, failed, bytes, cuts } = result
  for (const { photo_id, error } of failed.slice(0, 20)) context.say(`failed: ${photo_id}: ${error}`)
  context.result(
    { status: failed.length > 0 ? 'partial' : 'success', ...result },
    `${fetched} pulled (${megabytes(bytes)}), ${adopted > 0 ? `${adopted} adopted, ` : ''}${removed} removed, ${unchanged} unchanged, ${failed.length} failed${cuts > 0 ? `, ${cuts} connection drops` : ''}`,
  )
  return failed.length > 0 ? 1 : 0
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function inWords(error: unknown, dir: string): unknown {
  // A pause ends eventually, and then the watch continues.
  if (error instanceof HttpError && error.code === 'store_paused') return new ServiceUnavailableError(saidByServer(error), { cause: error })
  if (error instanceof HttpError)
    return new BadRequest(
      error.status === 401
        ? { ...saidByServer(error), remedy: 'Create a new token on the server: zinc token issue --store ID --name N' }
        : saidByServer(error),
      { cause: error },
    )
  if (error instanceof ForeignResponse) return new ServiceUnavailableError('foreign_response', { said: error.message }, { cause: error })
  if (error instanceof NetworkError) return new ServiceUnavailableError('network_error', { said: error.message }, { cause: error })
  // A watch continues: once there is room on the disk, the next pull resumes.
  if (error instanceof DiskFailure)
    return new ServiceUnavailableError(
      inEnglish(
        error.code === 'disk_full'
          ? message('disk_full.edge', { said: error.message, folder: dir })
          : messageAs(error.code, 'folder_not_writable', { said: error.message, folder: dir }),
      ),
      { cause: error },
    )
  if (error instanceof LockedError) return new BadRequest('folder_in_use', { said: error.message }, { cause: error })
  return error
}
const saidByServer = ({ code, message, remedy }: HttpError) => ({ code, message, remedy, params: {} })

class BadRequest<K extends MessageKey> extends AppError<K> {}

function createDisplay({ terminal, say }: Pick<CommandContext, 'terminal' | 'say'>) {
  const bar = terminal
    ? new SingleBar({ format: 'pull {bar} {value}/{total}  {size}  {rate}  {cuts}', hideCursor: true }, Presets.shades_classic)
    : null
  const began = performance.now()
  let started = false
  let said = performance.now()
  /** Streams that wait for the same reason report it once. */
  let waiting = { message: '', until: 0 }
  function line(text: string): void {
    // The bar has no line of its own on the terminal.
    say(bar && started ? `\r\u001b[K${text}` : text)
  }
  return {
    progress({ phase, done, total, bytes, bytesTotal, cuts }: PullProgress): void {
      if (phase === 'check' || total === 0) return
      const size = `${megabytes(bytes)} of ${megabytes(bytesTotal)}`
      const rate = `${megabytes((bytes * 1000) / Math.max(1, performance.now() - began))}/s`
      const cut = cuts > 0 ? `${cuts} drops` : ''
      if (bar) {
        if (!started) bar.start(total, done, { size, rate, cuts: cut })
        started = true
        bar.setTotal(total)
        bar.update(done, { size, rate, cuts: cut })
      } else if (performance.now() - said > LINE_EVERY_MS) {
        said = performance.now()
        say(`pull ${done}/${total}  ${size}  ${rate}  ${cut}`.trimEnd())
      }
    },
    line,
    failedTry({ message, waitMs, emptyTries }: FailedTry): void {
      const now = performance.now()
      // An interruption after which images arrived is only counted; one without any bytes is
      // reported each time.
      if (message === waiting.message && (now < waiting.until || emptyTries === 0)) return
      waiting = { message, until: now + (emptyTries === 0 ? LINE_EVERY_MS : waitMs) }
      line(`${message}; retrying in ${seconds(waitMs)}`)
    },
    stop: () => bar?.stop(),
  }
}
