import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { Presets, SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError } from 'commander'
import { checkServer } from '../edge-client/check.ts'
import { LockedError } from '../edge-client/dir-lock.ts'
import { DiskFailure } from '../edge-client/disk-failure.ts'
import { type FailedTry, ForeignResponse, HttpError, NetworkError } from '../edge-client/http.ts'
import { type PullProgress, type PullResult, pull } from '../edge-client/pull.ts'
import { AppError, BadRequestError, ServiceUnavailableError } from '../lib/errors.ts'
import { inEnglish, type MessageKey, message, messageAs } from '../messages/say.ts'
import { PhotoVariant } from '../schemas/photo-sync.ts'
import type { Action, CommandContext, ExitStatus } from './context.ts'

/** Off a terminal a line is said at most this often. */
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

const days = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 36_500)) throw new InvalidArgumentError('must be a number of days')
  return value
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
}

export function addEdge(program: Command, action: Action): void {
  const edge = program.command('edge').description('the edge server of a store: pull its pictures, try a server')
  edge
    .command('pull')
    .description("make a folder hold exactly the store's pictures; goes on wherever it was stopped")
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--token-file <file>', TOKEN_FILE_HELP)
    .option('--token <token>', TOKEN_HELP)
    .requiredOption('--dir <dir>', 'the folder')
    .option('--variant <variant>', 'thumb, medium or original instead of what the store gets by default', variantName)
    .option('--watch <seconds>', 'pull again and again', positive)
    .option('--verify', 'read every file instead of only looking at it')
    .action(
      action(async (context, { token: given, tokenFile, ...call }: PullCall & TokenOptions) => {
        process.title = 'zinc edge pull'
        const token = await tokenOf({ token: given, tokenFile }, context)
        if (!token) throw new BadRequestError('no_token')
        warnOfPlainHttp(call.server, context)
        return pullOnce({ ...call, token }, context)
      }),
    )
  edge
    .command('check')
    .description('try list, download, MD5, report and incremental list against a server')
    .requiredOption('--server <url>', 'the address of zinc', serverAddress)
    .requiredOption('--store <id>', 'the id of the store')
    .option('--username <name>', 'a user of zinc; the password comes from ZINC_PASSWORD, or is asked for')
    .option('--token-file <file>', `instead of a user: ${TOKEN_FILE_HELP}`)
    .option('--token <token>', TOKEN_HELP)
    .action(
      action(
        async (context, { server, store, username, ...given }: { server: string; store: string; username?: string } & TokenOptions) => {
          process.title = 'zinc edge check'
          // A name that was given leads over a token that happens to be in the environment.
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
    .command('prune')
    .description('forget deletions that every store had time to read; a store that did not lists everything again')
    .option('--older-than <days>', 'TOMBSTONE_DAYS when left out', days)
    .action(
      action(async (context, { olderThan }: { olderThan?: number }) => {
        const { db } = await context.services({ mustExist: true })
        const { pruneTombstones } = await import('../photo-sync/prune-tombstones.ts')
        const pruned = await pruneTombstones(db, { olderThanDays: olderThan ?? context.config.edges.tombstoneDays })
        context.result(
          { status: 'success', ...pruned },
          `${pruned.photos} deleted photos and ${pruned.events} moves in assortments are forgotten.`,
        )
        return undefined
      }),
    )
}

/**
 * From --token-file, from standard input (`--token -`), from the argument, else from ZINC_EDGE_TOKEN. Undefined: from nowhere. Throws BadRequestError
 * `token_twice`, `no_token`, `token_file_unreadable`.
 */
async function tokenOf({ token, tokenFile }: TokenOptions, { say }: CommandContext): Promise<string | undefined> {
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
      'warning: a token among the arguments can be read by every user of this machine while zinc starts, and stays in the shell history. Use --token-file, ZINC_EDGE_TOKEN or --token -.',
    )
    return one(token, '--token')
  }
  return process.env.ZINC_EDGE_TOKEN?.trim() || undefined
}

/** The token would be readable on the way, and whoever can change what is sent back could choose the pictures. */
function warnOfPlainHttp(server: string, { say }: CommandContext): void {
  const { protocol, hostname } = new URL(server)
  const loopback = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\./.test(hostname)
  if (protocol === 'http:' && !loopback)
    say(`warning: ${server} is not encrypted: the token and the pictures can be read and changed on the way. Use https.`)
}

/** From ZINC_PASSWORD, else asked for. Never an argument: those stand in the process list. Throws BadRequestError `no_password` where nobody can be asked. */
async function passwordOf(username: string, signal: AbortSignal): Promise<string> {
  const given = process.env.ZINC_PASSWORD
  if (given) return given
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new BadRequestError('no_password', { username })
  const { password } = await import('@inquirer/prompts')
  return password({ message: `Password of ${username}` }, { signal, output: process.stderr })
}

async function pullOnce({ watch, ...call }: PullCall & { token: string }, context: CommandContext): Promise<ExitStatus> {
  for (;;) {
    const status = await onePull(call, context).catch((error: unknown) => {
      // To stop is how a watch ends, whatever it was doing.
      if (watch !== undefined && context.signal.aborted) return 0 as const
      // A watch outlives a server that is away for hours and a store that is paused; it does not outlive a token that is refused.
      if (watch === undefined || !(error instanceof ServiceUnavailableError)) throw error
      context.say(`${error.message}; will try again in ${watch} s`)
      return 1 as const
    })
    if (watch === undefined) return status
    if (context.signal.aborted) return 0
    await pause(watch * 1000, undefined, { signal: context.signal }).catch(() => {})
    if (context.signal.aborted) return 0
  }
}

async function onePull(
  { server, store, token, dir, variant, verify = false }: PullCall & { token: string },
  context: CommandContext,
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
  const { fetched, removed, unchanged, failed, bytes, cuts } = result
  for (const { photo_id, error } of failed.slice(0, 20)) context.say(`failed: ${photo_id}: ${error}`)
  context.result(
    { status: failed.length > 0 ? 'partial' : 'success', ...result },
    `${fetched} pulled (${megabytes(bytes)}), ${removed} removed, ${unchanged} as they were, ${failed.length} failed${cuts > 0 ? `, ${cuts} cuts of the line` : ''}`,
  )
  return failed.length > 0 ? 1 : 0
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function inWords(error: unknown, dir: string): unknown {
  // A pause ends by itself some day: whoever watches goes on then.
  if (error instanceof HttpError && error.code === 'store_paused') return new ServiceUnavailableError(saidByServer(error), { cause: error })
  if (error instanceof HttpError)
    return new BadRequest(
      error.status === 401
        ? { ...saidByServer(error), remedy: 'Make a new token at the server: zinc token issue --store ID --name N' }
        : saidByServer(error),
      { cause: error },
    )
  if (error instanceof ForeignResponse) return new ServiceUnavailableError('foreign_response', { said: error.message }, { cause: error })
  if (error instanceof NetworkError) return new ServiceUnavailableError('network_error', { said: error.message }, { cause: error })
  // A watch outlives it: somebody makes room, and the next pull continues.
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
  /** Streams that wait for the same say it once. */
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
      const cut = cuts > 0 ? `${cuts} cuts` : ''
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
      // A cut after which pictures came is counted; only what brings nothing is said each time.
      if (message === waiting.message && (now < waiting.until || emptyTries === 0)) return
      waiting = { message, until: now + (emptyTries === 0 ? LINE_EVERY_MS : waitMs) }
      line(`${message}; trying again in ${seconds(waitMs)}`)
    },
    stop: () => bar?.stop(),
  }
}
